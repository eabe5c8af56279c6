import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AROUND, missingHalf, place, type Story } from "../../test/simulate/missing-half.ts";
import { FINDING_ID, OPENED_MS, SimEvidence, TUPLE } from "../../test/simulate/sim-evidence.ts";
import { SimNode } from "../../test/simulate/sim-node.ts";
import type { Check, Outcome } from "./checks/check.ts";
import { evidenceText } from "./file.ts";
import { openPiece } from "./piece.ts";
import { isSound, verifyEvidence } from "./verify.ts";

/** What stands for a name that nobody signed. */
const B_ID = new SimNode("b").id.slice(0, 8);

function check(sim: SimEvidence, serverKey?: Uint8Array): Check[] {
  return verifyEvidence(evidenceText(sim.data()), serverKey === undefined ? {} : { serverKey });
}

function outcomes(checks: readonly Check[]): Record<string, Outcome> {
  return Object.fromEntries(checks.map(({ subject, outcome }) => [subject, outcome]));
}

test("honest evidence of an absence holds, and says what it cannot tell", () => {
  assert.deepEqual(outcomes(check(missingHalf())), {
    "data part": "holds",
    "readable part": "holds",
    "server key": "open",
    "server signatures": "holds",
    finding: "holds",
    decisions: "open",
    receipts: "holds",
    "a: key": "holds",
    "a: batches": "holds",
    "a: chain": "holds",
    "b: key": "holds",
    "b: batches": "holds",
    "b: chain": "holds",
    "a: half": "holds",
    "a: end and counters": "holds",
    connection: "holds",
    "b: no entry": "holds",
    "b: watermark": "holds",
    journal: "open",
  });
});

function without(node: "a" | "b", batchNo: number): (sim: SimEvidence) => void {
  return (sim) => void sim.pieces.splice(place(sim, sim[node], batchNo), 1);
}

/** Bytes of one piece turned over, lengths kept. */
function flipped(
  node: "a" | "b" | "server",
  batchNo: number,
  at: number,
): (sim: SimEvidence) => void {
  return (sim) => {
    const index = place(sim, sim[node], batchNo);
    const piece = sim.pieces[index];
    assert.ok(piece !== undefined);
    const frame = Buffer.from(piece.frame);
    frame[at] = (frame[at] ?? 0) ^ 1;
    sim.pieces[index] = openPiece(piece.kind, frame, piece.receipt);
  };
}

describe("a lie of the server, the node or the messenger", () => {
  const counters = {
    initiatorPackets: 9,
    initiatorBytes: 1,
    responderPackets: 9,
    responderBytes: 1,
  };
  const cases: [lie: string, story: Story, subject: string, outcome: Outcome][] = [
    ["other counters", { claim: { counters } }, "a: end and counters", "fails"],
    ["another end", { claim: { durationMs: 21 } }, "a: end and counters", "fails"],
    ["another time", { claim: { openedMs: OPENED_MS + 1 } }, "a: half", "fails"],
    ["another role", { claim: { role: "responder" } }, "a: half", "fails"],
    ["other ports", { claim: { tuple: { ...TUPLE, responderPort: 80 } } }, "a: half", "fails"],
    ["another id", { claim: { half: "00".repeat(16) } }, "a: half", "fails"],
    ["another place in the journal", { claim: { journalIndex: 99_999 } }, "a: half", "fails"],
    ["another connection", { connection: "00".repeat(16) }, "connection", "fails"],
    ["the half is there", { more: { b: [3] } }, "b: no entry", "fails"],
    ["the half came later", { more: { b: [3] }, state: "resolved" }, "b: no entry", "holds"],
    ["one came a minute later", { more: { b: [60_000] } }, "b: no entry", "holds"],
    ["one came eight seconds later", { more: { b: [8_000] } }, "b: no entry", "fails"],
    [
      "another one, at both, long after",
      { more: { a: [200_000], b: [3, 200_003] } },
      "b: no entry",
      "open",
    ],
    ["one of two is there", { more: { a: [5_000], b: [5_003] } }, "b: no entry", "holds"],
    [
      "whether one is there cannot be told",
      { more: { b: [3] }, change: without("a", 2) },
      "b: no entry",
      "open",
    ],
    ["an unsigned watermark", { evidence: { missing: undefined } }, "connection", "holds"],
    ["the batch of the time left out", { change: without("b", AROUND) }, "b: no entry", "open"],
    ["the half's batch left out", { change: without("a", AROUND) }, "a: half", "open"],
    ["a hole in the chain", { change: without("b", 2) }, "b: between", "open"],
    ["a payload changed", { change: flipped("a", AROUND, 300) }, "pieces", "fails"],
    ["a header changed", { change: flipped("b", AROUND, 150) }, "b: batches", "fails"],
    ["a signature changed", { change: flipped("b", 1, 240) }, "b: batches", "fails"],
    [
      "the server's signature changed",
      { change: flipped("server", 0, 240) },
      "server signatures",
      "fails",
    ],
    ["an enrolment left out", { enrol: (sim) => sim.enrol(sim.a) }, `${B_ID}: key`, "fails"],
    [
      "another key for the node",
      { enrol: (sim) => [sim.a, sim.b].forEach((node) => sim.enrol(node, sim.server.publicKey)) },
      "b: key",
      "fails",
    ],
    [
      "a second batch with one number",
      {
        change: (sim) => {
          const twin = new SimNode("b");
          Object.assign(twin, { batchNo: 3, head: sim.b.head, atMs: sim.b.atMs });
          sim.batch(twin);
        },
      },
      "b: chain",
      "fails",
    ],
    [
      "a receipt of another batch",
      {
        change: (sim) => {
          const [from, to] = [place(sim, sim.a, 1), place(sim, sim.a, 2)];
          const [first, second] = [sim.pieces[from], sim.pieces[to]];
          assert.ok(first !== undefined && second !== undefined);
          sim.pieces[to] = openPiece("batch", second.frame, first.receipt);
        },
      },
      "receipts",
      "fails",
    ],
    [
      "a receipt of another server",
      {
        change: (sim) => {
          const index = place(sim, sim.a, 1);
          const piece = sim.pieces[index];
          assert.ok(piece?.receipt !== undefined);
          const receipt = Buffer.from(piece.receipt);
          receipt[100] = (receipt[100] ?? 0) ^ 1;
          sim.pieces[index] = openPiece("batch", piece.frame, receipt);
        },
      },
      "pieces",
      "fails",
    ],
  ];
  for (const [lie, story, subject, outcome] of cases) {
    test(`${lie}: ${subject} ${outcome}`, () => {
      const checks = check(missingHalf(story));
      assert.equal(outcomes(checks)[subject], outcome, JSON.stringify(checks, undefined, 1));
      assert.equal(isSound(checks), outcome !== "fails", JSON.stringify(checks, undefined, 1));
    });
  }
});

describe("counters that differ", () => {
  const truth = {
    sentBy: "initiator",
    sentBytes: 1_000_000,
    receivedBytes: 1_000,
    allowedBytes: 5_000,
    impossible: false,
  };
  const cases: [lie: string, difference: object, outcome: Outcome][] = [
    ["none", {}, "holds"],
    ["what was sent", { sentBytes: 2_000_000 }, "fails"],
    ["what arrived", { receivedBytes: 7 }, "fails"],
    ["who sent", { sentBy: "responder" }, "fails"],
    ["the allowance", { allowedBytes: 999_999 }, "fails"],
    ["which way it is impossible", { impossible: true }, "fails"],
  ];
  for (const [lie, difference, outcome] of cases) {
    test(`a lie about ${lie}`, () => {
      const sim = new SimEvidence();
      const { a, b } = sim;
      sim.enrol(a);
      sim.enrol(b);
      const [open, close] = sim.half(b, "responder");
      const received = { ...close.counters, initiatorBytes: 1_000 };
      sim.batch(a, sim.half(a, "initiator"));
      sim.batch(b, [open, { ...close, counters: received as typeof close.counters & object }]);
      const halves = [
        sim.claim(a, "initiator", 0),
        { ...sim.claim(b, "responder", 0), counters: received },
      ];
      const evidence = { halves, difference: { ...truth, ...difference } };
      sim.conclude({
        finding: "counters-differ",
        connection: String(halves[0]?.["half"]),
        evidence,
      });
      assert.equal(outcomes(check(sim))["difference"], outcome);
    });
  }
});

describe("payload bytes that differ", () => {
  const cases: [
    name: string,
    sentBytes: number,
    claimed: number,
    expected: Record<string, Outcome>,
  ][] = [
    ["as both ends signed", 900, 900, { difference: "holds", "b: end and counters": "holds" }],
    ["not as an end signed", 900, 901, { difference: "holds", "b: end and counters": "fails" }],
    ["otherwise than the finding says", 800, 900, { difference: "fails" }],
  ];
  for (const [name, sentBytes, claimed, expected] of cases) {
    test(name, () => {
      const sim = new SimEvidence();
      const { a, b } = sim;
      sim.enrol(a);
      sim.enrol(b);
      const payloads = [
        { initiatorBytes: 900, responderBytes: 5 },
        { initiatorBytes: 700, responderBytes: claimed },
      ] as const;
      const signed = [payloads[0], { initiatorBytes: 700, responderBytes: 900 }] as const;
      for (const [index, node] of [a, b].entries()) {
        const [open, close] = sim.half(node, index === 0 ? "initiator" : "responder");
        const payload = signed[index];
        sim.batch(node, [open, payload === undefined ? close : { ...close, payload }]);
      }
      const halves = [
        { ...sim.claim(a, "initiator", 0), payload: payloads[0] },
        { ...sim.claim(b, "responder", 0), payload: payloads[1] },
      ];
      const counts = { sentBytes, receivedBytes: 700, allowedBytes: 1 };
      const difference = { sentBy: "initiator", ...counts, impossible: false, exact: true };
      const connection = String((halves[0] as Record<string, unknown>)["half"]);
      sim.conclude({ finding: "counters-differ", connection, evidence: { halves, difference } });
      const found = outcomes(check(sim));
      for (const [subject, outcome] of Object.entries(expected)) {
        assert.equal(found[subject], outcome, JSON.stringify(found));
      }
      const text = evidenceText(sim.data());
      assert.match(text, /^ {2}initiator's data +900 B +700 B +-200$/m);
    });
  }
});

describe("a finding about a node", () => {
  const gap = {
    kind: "gap",
    atMs: OPENED_MS,
    cause: "lost",
    count: 3,
    fromMs: 1,
    toMs: 2,
    seqs: [0, 2],
  } as const;
  const told = { cause: "lost", count: 3, fromMs: 1, toMs: 2, seqs: [0, 2] };
  const hole = { epoch: 0, first: 0, last: 2, unexplained: [[0, 2]] };
  const cases: [
    name: string,
    finding: string,
    evidence: Readonly<Record<string, unknown>>,
    entries: readonly ("gap" | "skip")[],
    expected: Readonly<Record<string, Outcome>>,
  ][] = [
    ["an admission", "lost-spool", told, ["gap"], { admission: "holds" }],
    ["another admission", "lost-spool", { ...told, count: null }, ["gap"], { admission: "fails" }],
    ["no admission", "lost-spool", told, [], { admission: "open" }],
    ["a hole", "undeclared-hole", hole, ["skip"], { hole: "holds", gap: "holds" }],
    ["a hole that is none", "undeclared-hole", { ...hole, first: 1 }, ["skip"], { hole: "fails" }],
    [
      "a hole that was declared",
      "undeclared-hole",
      hole,
      ["skip", "gap"],
      { hole: "holds", gap: "fails" },
    ],
    ["a hole elsewhere", "undeclared-hole", { ...hole, last: 900 }, ["skip"], { hole: "open" }],
    ["a kind of another version", "not-known-yet", {}, [], {}],
  ];
  for (const [name, finding, evidence, entries, expected] of cases) {
    test(`${name}: ${JSON.stringify(expected)}`, () => {
      const sim = new SimEvidence();
      sim.enrol(sim.a);
      sim.batch(sim.a);
      for (const what of entries) {
        if (what === "skip") sim.a.nextSeq += 3;
        sim.batch(sim.a, what === "gap" ? [gap] : [sim.a.logEntry()]);
      }
      sim.conclude({ finding, node: sim.a.id, evidence });
      const found = outcomes(check(sim));
      for (const [subject, outcome] of Object.entries(expected))
        assert.equal(found[subject], outcome, subject);
      assert.equal(isSound(check(sim)), !Object.values(expected).includes("fails"));
    });
  }
});

describe("an accusation", () => {
  const cases: [
    name: string,
    change: (sim: SimEvidence) => void,
    expected: Record<string, Outcome>,
  ][] = [
    [
      "holds with a contradiction for its witness",
      () => undefined,
      { "a: witness": "holds", finding: "holds" },
    ],
    [
      "is open without",
      (sim) => void sim.supportingIds.pop(),
      { "a: witness": "open", finding: "holds" },
    ],
    [
      "is open with one that was excused",
      (sim) => sim.rule("a broken counter", { finding: "11".repeat(16) }),
      { "a: witness": "open", finding: "holds" },
    ],
    [
      "holds with one that was acknowledged",
      (sim) => sim.rule("known", { finding: "11".repeat(16), ruling: "acknowledged" }),
      { "a: witness": "holds", finding: "holds" },
    ],
    [
      "fails where one is named and not there",
      (sim) => void sim.supportingIds.push("00".repeat(16)),
      { finding: "fails" },
    ],
    [
      "fails with its contradiction",
      flipped("a", AROUND, 300),
      { "a: witness": "holds", pieces: "fails", "contradiction 1: a: half": "open" },
    ],
  ];
  for (const [name, change, expected] of cases) {
    test(name, () => {
      const supporting = "11".repeat(16);
      const sim = missingHalf({ id: supporting });
      const witnesses = [{ node: sim.a.id, name: "a", mismatches: 1 }];
      sim.conclude({ finding: "accused", node: sim.b.id, evidence: { witnesses } });
      sim.supportingIds.push(supporting);
      change(sim);
      const found = outcomes(check(sim));
      assert.equal(found["independence"], "open");
      for (const [subject, outcome] of Object.entries(expected)) {
        assert.equal(found[subject], outcome, `${subject}: ${JSON.stringify(found)}`);
      }
    });
  }
});

test("what the other end admits to have lost is said beside its absence", () => {
  const sim = missingHalf({
    change: ({ b }) => void (b.nextSeq += 4),
  });
  const { b } = sim;
  const gap = { kind: "gap", atMs: b.atMs, cause: "lost", count: 4, fromMs: 1, toMs: 2 } as const;
  sim.batch(b, [gap]);
  const text = evidenceText(sim.data());
  assert.match(text, /^Numbers that were never sent\n {2}b: entries 0 to 3 of epoch 0$/m);
  const absent = verifyEvidence(text).find(({ subject }) => subject === "b: no entry");
  assert.match(absent?.detail ?? "", /; it declares 1 gap there; it skipped numbers in 1 place$/);
});

test("the server's key is compared with the one that the reader knows", () => {
  const sim = missingHalf();
  assert.equal(outcomes(check(sim, sim.server.publicKey))["server key"], "holds");
  assert.equal(outcomes(check(sim, sim.a.publicKey))["server key"], "fails");
});

describe("what is no evidence file", () => {
  const honest = evidenceText(missingHalf().data());
  const data = honest.slice(honest.indexOf("\n=== ") + 1);
  const cases: [name: string, text: string][] = [
    ["nothing", ""],
    ["text", "hello\n"],
    ["the readable part alone", honest.slice(0, -data.length)],
    ["the data part alone", data],
    ["another text above", `Nothing was found.\n\n${data}`],
    ["cut short", honest.slice(0, -200)],
    ["something behind it", `${honest}\n`],
    ["Windows' line ends", honest.replaceAll("\n", "\r\n")],
    ["another finding's id", honest.replaceAll(FINDING_ID, "00".repeat(16))],
    ["its last piece left out", honest.slice(0, honest.lastIndexOf("\n\n") + 1)],
    ["a piece twice", `${honest}${honest.slice(honest.lastIndexOf("\n\n") + 1)}`],
  ];
  for (const [name, text] of cases) {
    test(name, () => assert.ok(!isSound(verifyEvidence(text))));
  }
});
