import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Who } from "../../control/who.ts";
import type { AuditEntry } from "../../format/entry.ts";
import { ManualClock } from "../../std/clock.ts";
import { SeededRandom } from "../../std/seeded-random.ts";
import { NOTHING } from "./audit-entry.ts";
import { FOLDS_MAX } from "./limits.ts";
import { ReadAudit, type ReadSaid } from "./read-audit.ts";

const ADA: Who = {
  actor: { type: "user", id: "u1", name: "ada" },
  address: "10.0.0.9",
  origin: "console",
};
const SAID: ReadSaid = {
  who: ADA,
  session: "s1",
  action: "connections.read",
  target: NOTHING,
  query: "where=verdict:missing",
  isExport: false,
};
const MINUTE_MS = 60_000;

function world() {
  const clock = new ManualClock();
  const entries: AuditEntry[] = [];
  let isFull = false;
  const reads = new ReadAudit({
    clock,
    append: async (some) => {
      if (isFull) throw new Error("full");
      entries.push(...some);
    },
  });
  return { clock, entries, reads, fill: (full: boolean) => (isFull = full) };
}

function read({ reads }: ReturnType<typeof world>, said: Partial<ReadSaid> = {}, rows = 10) {
  const under = reads.begin({ ...SAID, ...said });
  under.gave(rows, rows * 100);
  return under.recorded;
}

const facts = (entries: readonly AuditEntry[]) => entries.map((entry) => entry.facts);

describe("reads of one query", () => {
  it("are one entry when they begin, and one that counts them when they have ended", async () => {
    const here = world();
    for (let n = 0; n < 30; n++) {
      await read(here);
      here.clock.advance(10_000);
    }
    assert.deepEqual(facts(here.entries), [{ query: SAID.query }]);
    here.clock.advance(10 * MINUTE_MS);
    const [first, summary] = here.entries;
    assert.equal(here.entries.length, 2);
    assert.deepEqual(summary?.facts, {
      action: "connections.read",
      query: SAID.query,
      requests: 30,
      rows: 300,
      bytes: 30_000,
    });
    assert.deepEqual([summary?.action, summary?.group], ["read.summary", first?.id]);
  });

  it("begin anew after ten minutes", async () => {
    const here = world();
    await read(here);
    here.clock.advance(11 * MINUTE_MS);
    await read(here);
    await here.reads.close();
    assert.deepEqual(
      here.entries.map(({ action }) => action),
      ["connections.read", "read.summary", "connections.read", "read.summary"],
    );
  });

  const others: [what: string, said: Partial<ReadSaid>][] = [
    ["another query", { query: "where=port:22" }],
    ["another action", { action: "findings.read" }],
    ["another session", { session: "s2" }],
    ["another address", { who: { ...ADA, address: "10.0.0.10" } }],
    ["another thing", { target: { type: "finding", id: "ab", name: "" } }],
  ];
  for (const [what, said] of others) {
    it(`do not fold with those of ${what}`, async () => {
      const here = world();
      await read(here);
      await read(here, said);
      assert.equal(here.entries.length, 2);
    });
  }

  it("never fold where each stands for itself", async () => {
    const here = world();
    for (let n = 0; n < 3; n++) await read(here, { isExport: true });
    assert.equal(here.entries.length, 3);
  });

  it("are not answered where the entry is not durable, and then begin anew", async () => {
    const here = world();
    here.fill(true);
    await assert.rejects(read(here));
    here.fill(false);
    await read(here);
    assert.equal(here.entries.length, 1);
  });

  it("of more queries than are remembered end the oldest early, and count all", async () => {
    const here = world();
    for (let n = 0; n <= FOLDS_MAX; n++) await read(here, { query: String(n) });
    const summaries = () => here.entries.filter(({ action }) => action === "read.summary");
    assert.deepEqual(
      summaries().map((entry) => entry.facts["query"]),
      ["0"],
    );
    await here.reads.close();
    assert.equal(summaries().length, FOLDS_MAX + 1);
  });
});

/** What an administrator looks at, and how often in a hundred. */
const HABITS: readonly (readonly [action: string, queries: readonly string[], share: number])[] = [
  ["connections.read", ["", "where=verdict:missing", "where=node:db-*", "since=1h"], 60],
  ["findings.read", ["", "state=open"], 25],
  ["audit.read", [""], 5],
  ["finding.read", [""], 9],
  ["sql.read", ['{"sql":"SELECT count() FROM connections"}'], 1],
];

it("a day of clicking, five thousand requests, is a hundred or two of lines that lose no request", async () => {
  const here = world();
  const random = new SeededRandom(4);
  const REQUESTS = 5_000;
  /** Eight hours, in sittings of some minutes: people look again and again, and then do something else. */
  const made = new Map<string, number>();
  let clicks = 0;
  while (clicks < REQUESTS) {
    const sittingClicks = Math.min(REQUESTS - clicks, random.integer(80, 220));
    for (let n = 0; n < sittingClicks; n++, clicks++) {
      let left = random.below(100);
      const habit = HABITS.find(([, , share]) => (left -= share) < 0) ?? HABITS[0];
      assert.ok(habit !== undefined);
      const [action, queries] = habit;
      const finding = { type: "finding", id: `f${random.below(3)}`, name: "" };
      const target = action === "finding.read" ? finding : NOTHING;
      const isExport = action === "sql.read";
      await read(here, { action, query: random.pick(queries), target, isExport });
      if (!isExport) made.set(action, (made.get(action) ?? 0) + 1);
      here.clock.advance(random.integer(500, 4_000));
    }
    here.clock.advance(random.integer(2, 15) * MINUTE_MS);
  }
  await here.reads.close();
  const exports = here.entries.filter(({ action }) => action === "sql.read").length;
  const lines = here.entries.length - exports;
  assert.ok(lines < 700, `${lines} lines for ${REQUESTS} requests`);
  const counted = new Map<string, number>();
  for (const entry of here.entries) {
    if (entry.action !== "read.summary") continue;
    const action = String(entry.facts["action"]);
    counted.set(action, (counted.get(action) ?? 0) + Number(entry.facts["requests"]));
  }
  assert.deepEqual(counted, made);
});
