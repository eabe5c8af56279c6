import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SimMesh } from "../../../test/simulate/sim-mesh.ts";
import type { Entry, Ruling } from "../../format/entry.ts";
import { HOLD_MS } from "./accuse.ts";
import { EXCUSED_MISMATCHES_MAX, MISMATCH_FOLDS_MAX } from "../limits.ts";
import { type MismatchMemory, noMismatches } from "../node/server-memory.ts";
import { Mismatches } from "./mismatches.ts";
import { NodeStream } from "../node/node-stream.ts";

/** A run of the comparison; `told` gets what it concludes. */
function run(kept: MismatchMemory, told: string[], pairs: readonly (readonly [string, string])[]) {
  const mismatches = new Mismatches(
    {
      nodeOf: (id) => new NodeStream(id, id, 0),
      conclude: (about, state = "open") => told.push(`${about.kind} ${about.subject} ${state}`),
    },
    kept,
  );
  for (const nodes of pairs) {
    mismatches.restore({ id: nodes.join(), kind: "missing-half", nodes, atMs: 0 });
  }
  return mismatches;
}

it("an accusation outlives a restart, and ends after it when it does not follow any more", () => {
  const kept = noMismatches();
  const told: string[] = [];
  const both = [
    ["x", "a"],
    ["x", "b"],
  ] as const;
  const first = run(kept, told, both);
  first.review(0);
  assert.deepEqual(told, []);
  first.review(HOLD_MS);
  assert.deepEqual(told.splice(0), ["accused x open"]);
  const resumed = JSON.parse(JSON.stringify(kept)) as MismatchMemory;
  run(resumed, told, both).review(HOLD_MS + 1);
  // It stands already.
  assert.deepEqual(told.splice(0), []);
  const excused = JSON.parse(JSON.stringify(resumed)) as MismatchMemory;
  run(excused, told, [["x", "a"]]).review(HOLD_MS + 2);
  assert.deepEqual(told, ["accused x resolved"]);
  assert.deepEqual([excused.lying, excused.accused], [{}, {}]);
});

const T0_MS = 1_800_000_000_000;

/** What a person says of the finding about a pair. */
function word(pair: string, ruling: Ruling, expiresAfterMs?: number) {
  const expiry = expiresAfterMs === undefined ? {} : { expiresAtMs: T0_MS + expiresAfterMs };
  const said = { atMs: T0_MS, finding: pair, ruling, reason: "r", actor: "admin" };
  return { kind: "ruling", ...said, ...expiry } as const;
}

describe("what is excused", () => {
  const both = [
    ["x", "a"],
    ["x", "b"],
  ] as const;

  /** The accusation of x stands. */
  function accused(kept: MismatchMemory, told: string[]): Mismatches {
    const mismatches = run(kept, told, both);
    mismatches.review(T0_MS);
    mismatches.review(T0_MS + HOLD_MS);
    assert.deepEqual(told.splice(0), ["accused x open"]);
    return mismatches;
  }

  const rows: readonly (readonly [
    what: string,
    said: readonly (readonly [Ruling, expiresAfterMs?: number])[],
    isAccused: boolean,
  ])[] = [
    ["speaks against nobody", [["excused"]], false],
    ["and reopened speaks as before", [["excused"], ["reopened"]], true],
    ["and then only acknowledged does too", [["excused"], ["acknowledged"]], true],
    ["and what is acknowledged does not change it", [["acknowledged"]], true],
    ["again, for longer", [["excused", 1], ["excused"]], false],
  ];
  for (const [what, said, isAccused] of rows) {
    it(what, () => {
      const told: string[] = [];
      const mismatches = accused(noMismatches(), told);
      for (const [ruling, expiry] of said) mismatches.ruled(word("x,a", ruling, expiry));
      mismatches.review(T0_MS + 2 * HOLD_MS);
      assert.equal(told.includes("accused x resolved"), !isAccused);
    });
  }

  it("until its end, and then for those who were held back as from the beginning", () => {
    const told: string[] = [];
    const mismatches = accused(noMismatches(), told);
    mismatches.ruled(word("x,a", "excused", 100_000));
    mismatches.review(T0_MS + 99_999);
    assert.deepEqual(told.splice(0), ["accused x resolved"]);
    mismatches.review(T0_MS + 100_000);
    assert.deepEqual(told, []);
    mismatches.review(T0_MS + 100_000 + HOLD_MS);
    assert.deepEqual(told, ["accused x open"]);
  });

  it("is so after a restart", () => {
    const told: string[] = [];
    const kept = noMismatches();
    accused(kept, told).ruled(word("x,b", "excused", 100_000));
    const resumed = run(JSON.parse(JSON.stringify(kept)) as MismatchMemory, told, both);
    resumed.review(T0_MS + HOLD_MS + 1);
    assert.deepEqual(told.splice(0), ["accused x resolved"]);
    resumed.review(T0_MS + 100_000);
    resumed.review(T0_MS + 100_000 + HOLD_MS);
    assert.deepEqual(told, ["accused x open"]);
  });

  it("and resolved leaves nothing behind, and neither does a word about nothing", () => {
    const kept = noMismatches();
    const mismatches = accused(kept, []);
    mismatches.ruled(word("x,a", "excused"));
    mismatches.ruled(word("x,c", "excused"));
    assert.deepEqual(Object.keys(kept.excused), ["x,a"]);
    mismatches.forget("x,a");
    assert.deepEqual(kept.excused, {});
  });

  it("is as much as can be remembered: of more, what ends first counts again", () => {
    const kept = noMismatches();
    const names = Array.from({ length: EXCUSED_MISMATCHES_MAX + 1 }, (_, at) => `n${at}`);
    const pairs = [...both, ...names.map((name) => [name, `peer of ${name}`] as const)];
    const mismatches = run(kept, [], pairs);
    mismatches.ruled(word("x,a", "excused", 1_000));
    for (const [low, high] of pairs.slice(3)) mismatches.ruled(word(`${low},${high}`, "excused"));
    assert.equal(Object.keys(kept.excused).length, EXCUSED_MISMATCHES_MAX);
    assert.ok(!Object.hasOwn(kept.excused, "x,a"));
  });
});

it("an accusation does not arise from what was excused before, nor does it stand when it is later", () => {
  const mesh = new SimMesh();
  const [liar, a, b] = [mesh.host("liar"), mesh.host("a"), mesh.host("b")];
  mesh.pass(30_000);
  const forget = (from: typeof a): void => {
    liar.lie = () => undefined;
    mesh.connect({ from, to: liar });
    liar.lie = undefined;
  };
  const rule = (ruling: Ruling, of: typeof a): void => {
    const found = mesh.findings.find(
      ({ finding, evidence }) =>
        finding === "missing-half" && (evidence["nodes"] as string[]).includes(of.id),
    );
    assert.ok(found !== undefined);
    const said = { reason: "r", actor: "admin" };
    mesh.server.emit({ kind: "ruling", atMs: mesh.nowMs, finding: found.id, ruling, ...said });
  };
  forget(a);
  mesh.pass(15_000);
  rule("excused", a);
  forget(b);
  mesh.pass(60_000);
  assert.ok(!mesh.open.includes("accused liar"));
  rule("reopened", a);
  mesh.pass(30_000);
  assert.ok(mesh.open.includes("accused liar"));
  rule("excused", b);
  mesh.pass(1_000);
  assert.deepEqual(mesh.open, ["missing-half liar", "missing-half liar"]);
});

describe("how many may conspire", () => {
  const both = [
    ["x", "a"],
    ["x", "b"],
  ] as const;

  it("is heeded from the next tick on, and after a restart", () => {
    const told: string[] = [];
    const kept = noMismatches();
    const mismatches = run(kept, told, both);
    mismatches.review(T0_MS);
    mismatches.review(T0_MS + HOLD_MS);
    assert.deepEqual(told.splice(0), ["accused x open"]);
    mismatches.allowLiars(2);
    mismatches.review(T0_MS + HOLD_MS + 1);
    assert.deepEqual(told.splice(0), ["accused x resolved"]);
    const resumed = run(JSON.parse(JSON.stringify(kept)) as MismatchMemory, told, both);
    resumed.review(T0_MS + 3 * HOLD_MS);
    resumed.review(T0_MS + 4 * HOLD_MS);
    assert.deepEqual(told, []);
    resumed.allowLiars(1);
    resumed.review(T0_MS + 5 * HOLD_MS);
    resumed.review(T0_MS + 6 * HOLD_MS);
    assert.deepEqual(told, ["accused x open"]);
  });

  /** As the server's last start says it. */
  const rows: readonly (readonly [facts: Record<string, string | number>, isAccused: boolean])[] = [
    [{ role: "server", maxLiars: 1 }, true],
    [{ role: "server", maxLiars: 2 }, false],
    [{ role: "server" }, true],
    [{ role: "server", maxLiars: 0 }, true],
    [{ role: "server", maxLiars: 101 }, true],
    [{ role: "server", maxLiars: "2" }, true],
  ];
  for (const [facts, isAccused] of rows) {
    it(`is what the server was started with last: ${JSON.stringify(facts)}`, () => {
      const mesh = new SimMesh();
      const [liar, a, b] = [mesh.host("liar"), mesh.host("a"), mesh.host("b")];
      const start = { kind: "start", atMs: mesh.nowMs } as const;
      mesh.server.emit({ ...start, facts: { role: "server", maxLiars: 7 } });
      mesh.server.emit({ ...start, facts });
      // Nobody but the server.
      a.emit({ ...start, facts: { maxLiars: 9 } });
      mesh.pass(30_000);
      liar.lie = () => undefined;
      for (const from of [a, b]) mesh.connect({ from, to: liar });
      mesh.pass(60_000);
      const found = mesh.findings.find(({ finding }) => finding === "accused");
      assert.equal(found?.evidence["maxLiars"], isAccused ? 1 : undefined);
    });
  }
});

it("counts are kept of so many pairs and hours, and those of the oldest hours go first", () => {
  const kept = noMismatches();
  const hour = T0_MS / 3_600_000;
  const keyOf = (at: number): string => `missing-half a b${at} ${hour - (at < 3 ? 2 : at % 2)}`;
  for (let at = 0; at < MISMATCH_FOLDS_MAX + 4; at++) {
    kept.folds[keyOf(at)] = { count: 1, firstMs: T0_MS, lastMs: T0_MS, told: 0 };
  }
  const mismatches = run(kept, [], []);
  mismatches.review(T0_MS);
  const left = new Set(Object.keys(kept.folds));
  assert.equal(left.size, MISMATCH_FOLDS_MAX);
  assert.deepEqual(
    Array.from({ length: MISMATCH_FOLDS_MAX + 4 }, (_, at) => at).filter(
      (at) => !left.has(keyOf(at)),
    ),
    [0, 1, 2, 10_001],
  );
  mismatches.review(T0_MS);
  assert.equal(Object.keys(kept.folds).length, MISMATCH_FOLDS_MAX);
});

describe("a contradiction lowers the trust of both ends", () => {
  const rows: readonly (readonly [
    what: string,
    said: readonly Ruling[],
    comes: boolean,
    unexplained: number,
  ])[] = [
    ["while it stands", [], false, 1],
    ["not when the half came after all", [], true, 0],
    ["not while it is excused", ["excused"], false, 0],
    ["not when it is excused twice, and once only", ["excused", "excused"], false, 0],
    ["not when the half came although its lack was excused", ["excused"], true, 0],
    ["again when that was taken back", ["excused", "reopened"], false, 1],
    ["and when it is acknowledged", ["acknowledged"], false, 1],
  ];
  for (const [what, said, comes, unexplained] of rows) {
    it(what, () => assert.deepEqual(unexplainedAfter(said, comes), [unexplained, unexplained]));
  }
});

/** Of `a` and `b`: `b` leaves out its half, people say so much of it, and it comes after all or not. */
function unexplainedAfter(said: readonly Ruling[], comes: boolean): number[] {
  const mesh = new SimMesh();
  const [a, b] = [mesh.host("a"), mesh.host("b")];
  mesh.pass(30_000);
  const late: Entry[] = [];
  b.lie = (entry) => void late.push(entry as Entry);
  // Its last counters are not in, so that it is not over.
  a.lie = (entry) => (entry.kind === "account" ? undefined : entry);
  mesh.connect({ from: a, to: b });
  mesh.pass(30_000);
  const found = mesh.findings.find(({ finding }) => finding === "missing-half");
  assert.ok(found !== undefined);
  for (const ruling of said) {
    const entry = { ...word(found.id, ruling), atMs: mesh.nowMs };
    mesh.server.emit(entry);
  }
  // Its later entries name the open by the number that it has now.
  const openSeq = b.nextSeq;
  b.lie = undefined;
  if (comes) for (const entry of late) b.emit("openSeq" in entry ? { ...entry, openSeq } : entry);
  mesh.pass(10_000);
  return [a, b].map(({ id: node }) => {
    const hours = mesh.reconcile.streams.get(node)?.memory.trend.hours ?? [];
    return hours.reduce((total, one) => total + one.unexplained, 0);
  });
}

it("an accusation names witnesses that came later, once they have doubled", () => {
  const told: unknown[] = [];
  const pairs = Array.from({ length: 9 }, (_, at) => ["x", `w${at}`] as const);
  const mismatches = new Mismatches(
    {
      nodeOf: (id) => new NodeStream(id, id, 0),
      conclude: ({ evidence }, state = "open", revision = 0) =>
        told.push([state, evidence["count"], revision]),
    },
    noMismatches(),
  );
  for (const [at, nodes] of pairs.entries()) {
    mismatches.restore({ id: nodes.join(), kind: "missing-half", nodes, atMs: 0 });
    mismatches.review(at * HOLD_MS);
  }
  for (const nodes of pairs) mismatches.forget(nodes.join());
  mismatches.review(9 * HOLD_MS);
  assert.deepEqual(told, [
    ["open", 3, 3],
    ["open", 6, 6],
    ["resolved", 6, 0],
  ]);
});

it("the journal has it again with them, and an evidence that lists them", () => {
  const mesh = new SimMesh();
  const liar = mesh.host("liar");
  const witnesses = Array.from({ length: 4 }, (_, at) => mesh.host(`w${at}`));
  mesh.pass(30_000);
  liar.lie = () => undefined;
  for (const from of witnesses) {
    mesh.connect({ from, to: liar });
    mesh.pass(40_000);
  }
  const told = mesh.findings.filter(({ finding }) => finding === "accused");
  assert.deepEqual(
    told.map(({ evidence }) => (evidence["witnesses"] as unknown[]).length),
    [2, 4],
  );
  assert.equal(new Set(told.map(({ id }) => id)).size, 1);
});
