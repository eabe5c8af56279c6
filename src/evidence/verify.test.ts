import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FINDING_ID, OPENED_MS, SimEvidence, TUPLE } from "../../test/simulate/sim-evidence.ts";
import { SimNode } from "../../test/simulate/sim-node.ts";
import type { Check, Outcome } from "./checks/check.ts";
import { evidenceText } from "./file.ts";
import { REACH_MS_MIN } from "./limits.ts";
import { headOf, openPiece, type PieceKind } from "./piece.ts";
import { isSound, verifyEvidence } from "./verify.ts";

/** Batches of a minute each before and after the one with the half: twice the window each way. */
const AROUND = 5;
/** What stands for a name that nobody signed. */
const B_ID = new SimNode("b").id.slice(0, 8);

interface Story {
  /** What the finding says of the half that is there, beside the truth. */
  readonly claim?: Readonly<Record<string, unknown>>;
  /** Of the whole finding, beside the truth. */
  readonly evidence?: Readonly<Record<string, unknown>>;
  readonly connection?: string;
  readonly state?: "open" | "resolved";
  /** Of a finding that supports another. */
  readonly id?: string;
  /** Further opens with the same addresses and ports, by how long after the half they began. */
  readonly more?: { readonly a?: readonly number[]; readonly b?: readonly number[] };
  /** Done to the file's pieces at the end. */
  readonly change?: (sim: SimEvidence) => void;
  /** Instead of the true enrolments. */
  readonly enrol?: (sim: SimEvidence) => void;
}

/** `a` recorded a connection, `b` did not. */
function missingHalf(story: Story = {}): SimEvidence {
  const sim = new SimEvidence();
  const { a, b } = sim;
  const enrol =
    story.enrol ?? ((each: SimEvidence) => [each.a, each.b].forEach((node) => each.enrol(node)));
  enrol(sim);
  for (let n = 0; n < AROUND; n++) for (const node of [a, b]) sim.batch(node);
  const claim = { ...sim.claim(a, "initiator", a.nextSeq), ...story.claim };
  const more = (node: SimNode, role: "initiator" | "responder", times: readonly number[] = []) =>
    times.map((afterMs) => sim.half(node, role, afterMs)[0]);
  sim.batch(a, [...sim.half(a, "initiator"), ...more(a, "initiator", story.more?.a)]);
  sim.batch(b, more(b, "responder", story.more?.b));
  for (let n = 0; n < AROUND; n++) for (const node of [a, b]) sim.batch(node);
  sim.conclude({
    finding: "missing-half",
    node: b.id,
    connection: story.connection ?? String(claim["half"]),
    state: story.state ?? "open",
    ...(story.id === undefined ? {} : { id: story.id }),
    evidence: {
      nodes: [a.id, b.id],
      recorded: claim,
      missing: { node: b.id, name: "b", completeToMs: b.atMs },
      causes: ["one", "the other"],
      todo: "look",
      ...story.evidence,
    },
  });
  story.change?.(sim);
  return sim;
}

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

/** The batch of `node` at this place of the file's order. */
function place(sim: SimEvidence, node: SimNode, batchNo: number): number {
  return sim.pieces.findIndex(
    ({ nodeId, header }) => nodeId === node.id && header.batchNo === batchNo,
  );
}

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

/** One piece once more, and as another kind. */
function again(
  node: "a" | "b" | "server",
  batchNo: number,
  kind: PieceKind,
): (sim: SimEvidence) => void {
  return (sim) => {
    const piece = sim.pieces[place(sim, sim[node], batchNo)];
    assert.ok(piece !== undefined);
    const { frame, receipt } = piece;
    const isHeader = kind === "header";
    sim.pieces.push(
      openPiece(kind, isHeader ? headOf(frame) : frame, kind === "batch" ? receipt : undefined),
    );
  };
}

function instead(
  node: "a" | "b" | "server",
  batchNo: number,
  kind: PieceKind,
): (sim: SimEvidence) => void {
  return (sim) => {
    again(node, batchNo, kind)(sim);
    sim.pieces.splice(place(sim, sim[node], batchNo), 1);
  };
}

describe("what people decided about a finding", () => {
  const cases: [what: string, decide: (sim: SimEvidence) => void, state: string][] = [
    ["nothing", () => undefined, "open"],
    ["excused", (sim) => sim.rule("known"), "excused until 2027-04-15 07:55:00.000Z"],
    [
      "excused for an hour",
      (sim) => sim.rule("known", { expiresAtMs: sim.server.atMs + 3_600_000 }),
      "excused until 2027-01-15 08:55:00.000Z",
    ],
    ["acknowledged", (sim) => sim.rule("mine", { ruling: "acknowledged" }), "acknowledged"],
    [
      "taken back",
      (sim) => {
        sim.rule("known");
        sim.rule("not so", { ruling: "reopened" });
      },
      "open",
    ],
    [
      "over",
      (sim) => {
        sim.rule("known", { expiresAtMs: sim.server.atMs + 1_000 });
        sim.pass(1_000);
      },
      "open",
    ],
    ["about another one", (sim) => sim.rule("known", { finding: "11".repeat(16) }), "open"],
    [
      "left out of the file",
      (sim) => {
        sim.rule("known");
        sim.pieces.pop();
      },
      "open",
    ],
  ];
  for (const [what, decide, state] of cases) {
    test(`${what}: the state is ${state}`, () => {
      const sim = missingHalf({ change: decide });
      const text = evidenceText(sim.data());
      assert.match(text, new RegExp(`^ {2}state +${state}$`, "m"));
      const checks = verifyEvidence(text);
      assert.ok(isSound(checks), JSON.stringify(checks, undefined, 1));
      const finding = checks.find(({ subject }) => subject === "finding");
      assert.match(finding?.detail ?? "", new RegExp(`^missing-half, ${state.split(" ")[0]}: `));
      const decisions = checks.find(({ subject }) => subject === "decisions");
      assert.equal(decisions?.outcome, "open");
    });
  }
});

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

describe("how far the whole batches of the other end reach", () => {
  const cases: [beforeMs: number, afterMs: number, outcome: Outcome, says: RegExp][] = [
    [60_000, 60_000, "holds", /it proves the absence if the two clocks differ by less than 60 s/],
    [60_000, REACH_MS_MIN, "holds", /it proves the absence if .* less than 10 s$/],
    [
      60_000,
      REACH_MS_MIN - 1,
      "open",
      /only if .* less than 9\.999 s, and the server allows for 10 s/,
    ],
    [60_000, 3, "open", /that proves the absence only if the two clocks differ by less than 3 ms,/],
    [REACH_MS_MIN, 60_000, "holds", /less than 10 s$/],
    [3, 60_000, "open", /less than 3 ms,/],
  ];
  for (const [beforeMs, afterMs, outcome, says] of cases) {
    test(`${beforeMs} ms before and ${afterMs} ms after: ${outcome}`, () => {
      const sim = new SimEvidence();
      const { a, b } = sim;
      sim.enrol(a);
      sim.enrol(b);
      const claim = sim.claim(a, "initiator", a.nextSeq);
      sim.batch(a, sim.half(a, "initiator"));
      sim.batchAt(b, OPENED_MS - beforeMs - 1);
      sim.batchAt(b, OPENED_MS - beforeMs);
      instead("b", 1, "header")(sim);
      sim.batchAt(b, OPENED_MS + afterMs);
      const missing = { node: b.id, name: "b", completeToMs: b.atMs };
      const evidence = { nodes: [a.id, b.id], recorded: claim, missing };
      const connection = String(claim["half"]);
      sim.conclude({ finding: "missing-half", node: b.id, connection, evidence });
      const found = check(sim).find(({ subject }) => subject === "b: no entry");
      assert.ok(found !== undefined);
      assert.equal(found.outcome, outcome, found.detail);
      assert.match(found.detail, says);
    });
  }
});

describe("a piece twice, or under another name", () => {
  const cases: [what: string, change: (sim: SimEvidence) => void, says: RegExp][] = [
    ["a batch of the server twice", again("server", 1, "batch"), /batch 1 .* is there twice/],
    ["its header beside it", again("server", 1, "header"), /batch 1 .* is there twice/],
    ["the same as kept", again("server", 1, "kept"), /the server refuses none of its own|twice/],
    ["a batch of the server as kept", instead("server", 1, "kept"), /refuses none of its own/],
    ["a batch of a node twice", again("a", 1, "batch"), /batch 1 .* is there twice/],
    ["the same as kept", again("a", 1, "kept"), /batch 1 .* is there twice/],
    ["a batch of a node as kept", instead("a", 1, "kept"), /the finding is about no fork/],
    [
      "another batch of the server with its number",
      (sim) => {
        const twin = new SimNode("server");
        twin.rewind({ ...sim.server.place(), batchNo: 1 });
        sim.pieces.push(openPiece("batch", twin.next().frame));
      },
      /the server's batch 1 of epoch 0 is there twice/,
    ],
  ];
  for (const [what, change, says] of cases) {
    test(what, () => {
      const checks = check(missingHalf({ change }));
      const failing = checks.filter(({ outcome }) => outcome === "fails");
      assert.match(failing.map(({ detail }) => detail).join("; "), says);
    });
  }

  test("an accepted batch that is called the second one of a fork", () => {
    const sim = new SimEvidence();
    sim.enrol(sim.a);
    for (let n = 0; n < 3; n++) sim.batch(sim.a);
    sim.conclude({ finding: "fork", node: sim.a.id, evidence: {} });
    instead("a", 1, "kept")(sim);
    const pieces = check(sim).find(({ subject }) => subject === "pieces");
    assert.match(pieces?.detail ?? "", /: kept, and the next one names it$/);
  });
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
