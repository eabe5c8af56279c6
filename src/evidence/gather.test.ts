import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { FINDING_ID, OPENED_MS, SimEvidence } from "../../test/simulate/sim-evidence.ts";
import { SimNode } from "../../test/simulate/sim-node.ts";
import { SimSource } from "../../test/simulate/sim-source.ts";
import type { Entry } from "../format/entry.ts";
import { evidenceText } from "./file.ts";
import { gatherEvidence } from "./gather.ts";
import { type HalfState, UNHEARD } from "./half-facts.ts";
import { HEADERS_PER_NODE_MAX, PAYLOADS_BYTES_MAX } from "./limits.ts";
import { headOf, openPiece, type Piece } from "./piece.ts";
import { isSound, verifyEvidence } from "./verify.ts";

/** Both ends before anything happened: five minutes of heartbeats each. */
function begun(): SimEvidence {
  const sim = new SimEvidence();
  sim.enrol(sim.a);
  sim.enrol(sim.b);
  idle(sim, 5);
  return sim;
}

function idle(sim: SimEvidence, minutes: number): void {
  for (let n = 0; n < minutes; n++) for (const node of [sim.a, sim.b]) sim.batch(node);
}

/** That `b` lacks the half whose open is `seq` of `a`, in the batch at `journalIndex`. */
function concludeMissing(
  sim: SimEvidence,
  seq: number,
  {
    id = FINDING_ID,
    ...more
  }: { id?: string; journalIndex?: number } & Partial<Record<keyof HalfState, unknown>> = {},
): void {
  const { a, b } = sim;
  const claim: Record<string, unknown> = { ...sim.claim(a, "initiator", seq), ...more };
  const missing = { node: b.id, name: "b", completeToMs: b.atMs };
  const connection = String(claim["half"]);
  sim.conclude({
    finding: "missing-half",
    node: b.id,
    id,
    connection,
    evidence: { nodes: [a.id, b.id], recorded: claim, missing },
  });
}

interface Gathered {
  readonly pieces: readonly Piece[];
  readonly text: string;
  readonly outcomes: Readonly<Record<string, string>>;
}

async function gathered(sim: SimEvidence): Promise<Gathered> {
  const data = await gatherEvidence(new SimSource(sim), FINDING_ID, async () => undefined);
  assert.ok(data !== undefined);
  const text = evidenceText(data);
  const checks = verifyEvidence(text);
  assert.ok(isSound(checks), JSON.stringify(checks, undefined, 1));
  const outcomes = Object.fromEntries(checks.map(({ subject, outcome }) => [subject, outcome]));
  return { pieces: data.pieces, text, outcomes };
}

/** Numbers of a node's batches in the file. */
function numbers({ pieces }: Gathered, node: SimNode, kind: Piece["kind"]): number[] {
  return pieces
    .filter((piece) => piece.nodeId === node.id && piece.kind === kind)
    .map(({ header }) => header.batchNo);
}

test("an absence takes the peer's batches around it whole, the header before, and those up to the claim", async () => {
  const sim = begun();
  const journalIndex = sim.pieces.length;
  sim.batch(sim.a, sim.half(sim.a, "initiator"));
  sim.batch(sim.b);
  idle(sim, 20);
  concludeMissing(sim, 0, { journalIndex });
  const file = await gathered(sim);
  // Closed every minute from 5 minutes before: 2 minutes each way, and the one that passes the end.
  assert.deepEqual(numbers(file, sim.b, "batch"), [2, 3, 4, 5, 6, 7]);
  assert.deepEqual(numbers(file, sim.b, "header"), [1, ...range(8, 25)]);
  assert.deepEqual(numbers(file, sim.a, "batch"), [5]);
  assert.deepEqual(numbers(file, sim.a, "header"), [4]);
  assert.equal(numbers(file, sim.server, "batch").length, 3);
  for (const subject of ["b: no entry", "b: watermark", "a: half", "a: end and counters"]) {
    assert.equal(file.outcomes[subject], "holds", subject);
  }
});

test("where the ports were used again, the other end's batches come too, for twice the time", async () => {
  const sim = begun();
  const journalIndex = sim.pieces.length;
  const again = sim.half(sim.a, "initiator", 30_000)[0];
  sim.batch(sim.a, [...sim.half(sim.a, "initiator"), again]);
  sim.batch(sim.b, [sim.half(sim.b, "responder", 30_002)[0]]);
  idle(sim, 20);
  concludeMissing(sim, 0, { journalIndex });
  const file = await gathered(sim);
  assert.equal(file.outcomes["b: no entry"], "holds");
  assert.match(file.text, /b, entry 0 \(epoch 0, batch 5\): \["open",1800000030002,"r"/);
  assert.deepEqual(numbers(file, sim.a, "batch"), range(0, 9));
});

test("the end of a half that lived for long is found, and joined at both ends", async () => {
  const sim = begun();
  const journalIndex = sim.pieces.length;
  const [open, close] = sim.half(sim.a, "initiator");
  sim.batch(sim.a, [open]);
  sim.batch(sim.b);
  const minutes = 2_500;
  for (let n = 0; n < minutes; n++) sim.batch(sim.a);
  const durationMs = minutes * 60_000;
  sim.batch(sim.a, [{ ...close, atMs: OPENED_MS + durationMs, ageMs: durationMs, openSeq: 0 }]);
  concludeMissing(sim, 0, { journalIndex, durationMs });
  const file = await gathered(sim);
  assert.deepEqual(numbers(file, sim.a, "batch"), [5, 5 + minutes + 1]);
  assert.equal(numbers(file, sim.a, "header").length, HEADERS_PER_NODE_MAX - 1);
  assert.equal(file.outcomes["a: end and counters"], "holds");
  assert.equal(file.outcomes["a: between"], "open");
  assert.match(file.text, /a: batches in 1 place between those that are here/);
});

describe("counters that came after the finding", () => {
  const cases: [what: string, isCounted: boolean, lasted: RegExp, sent: RegExp][] = [
    ["are in the file and in its ledger", true, /20 ms, told later/, /1000000 B, told later/],
    ["are not there while none came", false, /20 ms, told later/, /not yet, when it was concluded/],
  ];
  const none = { initiatorPackets: 0, initiatorBytes: 0, responderPackets: 0, responderBytes: 0 };
  for (const [what, isCounted, lasted, sent] of cases) {
    test(what, async () => {
      const sim = begun();
      const journalIndex = sim.pieces.length;
      const [open, { counters, ...close }] = sim.half(sim.a, "initiator");
      sim.batch(sim.a, [open]);
      idle(sim, 3);
      sim.server.atMs = sim.a.atMs;
      concludeMissing(sim, 0, { journalIndex, ...UNHEARD });
      idle(sim, 1);
      sim.batch(sim.a, [close]);
      idle(sim, 1);
      const account: Entry = {
        ...close,
        kind: "account",
        ageMs: 90_000,
        counters: counters ?? none,
      };
      if (isCounted) sim.batch(sim.a, [account]);
      idle(sim, 3);
      const file = await gathered(sim);
      assert.equal(file.outcomes["a: end and counters"], "holds");
      assert.equal(file.outcomes["a: between"], undefined);
      const line = (name: string): string =>
        new RegExp(`^ {2}${name} .*$`, "m").exec(file.text)?.[0] ?? "";
      assert.match(line("lasted"), lasted);
      assert.match(line("initiator sent"), sent);
    });
  }
});

test("what does not fit is shown by headers, and leaves open what needed it", async () => {
  const sim = begun();
  const journalIndex = sim.pieces.length;
  sim.batch(sim.a, sim.half(sim.a, "initiator"));
  for (let n = 0; n < 8; n++) sim.batch(sim.b, noise(sim.b));
  concludeMissing(sim, 0, { journalIndex });
  const file = await gathered(sim);
  const bytes = file.pieces.reduce((sum, { payload }) => sum + (payload?.length ?? 0), 0);
  assert.ok(bytes <= PAYLOADS_BYTES_MAX, `${bytes}`);
  assert.ok(numbers(file, sim.b, "header").length > 1);
  // The nearest to the time are whole.
  assert.ok(numbers(file, sim.b, "batch").includes(5));
  assert.equal(file.outcomes["a: half"], "holds");
  assert.match(file.text, /b: the entries of \d batches of which the header is here/);
});

describe("a finding that names what is not there", () => {
  const cases: [name: string, evidence: Readonly<Record<string, unknown>>][] = [
    ["places past the end", { journalIndex: 10_000, samples: [{ genuineIndex: 20_000 }] }],
    ["nodes that nobody knows", { node: "00".repeat(16), nodes: ["11".repeat(16)] }],
    [
      "a half without its place",
      { recorded: new SimEvidence().claim(new SimEvidence().a, "initiator", 3) },
    ],
    ["halves that are none", { halves: [{ half: 1 }, null, "x"], recorded: [] }],
    ["an odd absence", { missing: { node: 1 } }],
  ];
  for (const [name, evidence] of cases) {
    test(name, async () => {
      const sim = begun();
      const isHalf = evidence["recorded"] as { half?: string } | undefined;
      sim.conclude({ finding: "odd", node: sim.a.id, connection: isHalf?.half ?? "", evidence });
      assert.equal((await gathered(sim)).outcomes["finding"], "holds");
    });
  }
});

test("what people decided about a finding is in its file, and hides nothing of it", async () => {
  const sim = begun();
  const journalIndex = sim.pieces.length;
  sim.batch(sim.a, sim.half(sim.a, "initiator"));
  idle(sim, 5);
  concludeMissing(sim, 0, { journalIndex });
  sim.rule("the switch was replaced");
  const file = await gathered(sim);
  assert.equal(file.outcomes["a: half"], "holds");
  assert.match(
    file.text,
    /^What people decided about it\n.* excused by admin: the switch was replaced; entry 3 /m,
  );
  assert.match(file.text, /^ {2}state +excused until 2027-04-15 /m);
});

/** The same finding, an hour later. */
function tellAgain(sim: SimEvidence): void {
  sim.server.atMs += 3_600_000;
  concludeMissing(sim, 0);
}

describe("the state in a file is that of the server", () => {
  const cases: [what: string, decide: (sim: SimEvidence) => void, state: RegExp][] = [
    [
      "excused before it was told again",
      (sim) => {
        sim.rule("known");
        tellAgain(sim);
      },
      /excused until 2027-/,
    ],
    [
      "acknowledged before it was told again",
      (sim) => {
        sim.rule("known", { ruling: "acknowledged" });
        tellAgain(sim);
      },
      /acknowledged$/,
    ],
    [
      "excused until a time that has come",
      (sim) => {
        sim.rule("known", { expiresAtMs: sim.server.atMs + 1_000 });
        sim.pass(1_000);
      },
      /open$/,
    ],
  ];
  for (const [what, decide, state] of cases) {
    test(what, async () => {
      const sim = begun();
      const journalIndex = sim.pieces.length;
      sim.batch(sim.a, sim.half(sim.a, "initiator"));
      idle(sim, 5);
      concludeMissing(sim, 0, { journalIndex });
      decide(sim);
      const { text } = await gathered(sim);
      const [, shown = ""] = /^ {2}state +(.*)$/m.exec(text) ?? [];
      assert.match(shown, state);
    });
  }
});

test("the contradictions of an accusation come with their halves", async () => {
  const sim = begun();
  const journalIndex = sim.pieces.length;
  sim.batch(sim.a, sim.half(sim.a, "initiator"));
  idle(sim, 5);
  concludeMissing(sim, 0, { journalIndex, id: "11".repeat(16) });
  sim.conclude({
    finding: "accused",
    node: sim.b.id,
    evidence: { witnesses: [{ node: sim.a.id }] },
  });
  const file = await gathered(sim);
  for (const subject of [
    "a: witness",
    "contradiction 1: a: half",
    "contradiction 1: b: no entry",
  ]) {
    assert.equal(file.outcomes[subject], "holds", subject);
  }
});

test("a batch that was refused and kept again and again is in the file once, whole", async () => {
  const sim = begun();
  const place = sim.a.place();
  sim.batch(sim.a, [sim.a.logEntry("one")]);
  const genuineIndex = sim.pieces.length - 1;
  const twin = new SimNode("a");
  twin.rewind(place);
  const { frame } = twin.next({ entries: [twin.logEntry("other")] });
  // Once its payload came damaged.
  for (const kept of [headOf(frame), frame, frame]) sim.pieces.push(openPiece("kept", kept));
  const samples = [1, 2, 3].map((n) => ({ genuineIndex, evidenceIndex: genuineIndex + n }));
  sim.conclude({ finding: "fork", node: sim.a.id, evidence: { samples } });
  const file = await gathered(sim);
  const kept = file.pieces.filter(({ kind }) => kind === "kept");
  assert.deepEqual(
    kept.map((piece) => piece.frame),
    [frame],
  );
  assert.equal(file.outcomes["fork"], "holds");
});

test("there is no evidence of what is no finding", async () => {
  const source = new SimSource(begun());
  assert.equal(await gatherEvidence(source, "00".repeat(16), async () => undefined), undefined);
});

/** Some 2 MB that zstd cannot make smaller than 1.5. */
function noise(node: SimNode): Entry[] {
  return Array.from({ length: 36 }, () => node.logEntry(randomBytes(40_000).toString("base64")));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
