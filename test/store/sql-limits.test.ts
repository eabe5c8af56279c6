/** A user's query ends at its limits, in the engine's process too, whatever it does. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { systemClock } from "../../src/std/clock.ts";
import { openStore, type Store } from "../../src/store/open-store.ts";
import { guard } from "../../src/store/sql-guard.ts";
import { runChecked, type SqlAnswer, type SqlLimits } from "../../src/store/sql-run.ts";
import type { SqlRefusal } from "../../src/store/sql-guard.ts";

const limits: SqlLimits = { runMaxSeconds: 1, memoryMaxBytes: 128 * 1024 ** 2 };
/** Far away for a query that has to end at its memory: a busy machine takes seconds to fill that. */
const LONG_S = 60;
/** Time for the answer, on a machine that does much besides. */
const LATE_MS = 4_000;

let dataDir: string;
let store: Store;
const log: string[] = [];

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "tallystick-limits-"));
  const settings = { overrunMaxMs: 1_000, log: (line: string) => void log.push(line) };
  store = await openStore({ dataDir, clock: systemClock(), ...settings });
});
after(async () => {
  await store.close();
  await rm(dataDir, { recursive: true });
});

async function ask(query: string, more: SqlLimits = {}): Promise<SqlAnswer | SqlRefusal> {
  const checked = await guard(store.client, query, new Set());
  assert.ok(checked.ok, JSON.stringify(checked));
  return runChecked(store.client, checked, { ...limits, ...more });
}

async function runningQueries(): Promise<number> {
  const query =
    "SELECT count() AS n FROM system.processes WHERE query NOT LIKE '%system.processes%'";
  const answer = await store.client.query({ query, format: "JSONEachRow" });
  const [row] = await answer.json<{ n: number | string }>();
  return Number(row?.n);
}

describe("a query that takes too much", () => {
  const greedy: [query: string, reason: RegExp][] = [
    ["SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 0", /TIMEOUT_EXCEEDED/],
    [
      "SELECT number FROM numbers(10000000000) ORDER BY sipHash64(number) LIMIT 1",
      /TIMEOUT_EXCEED/,
    ],
    [
      "SELECT count() FROM numbers(10000000) AS a CROSS JOIN numbers(10000) AS b WHERE sipHash64(a.number, b.number) = 7",
      /TIMEOUT_EXCEEDED|MEMORY_LIMIT/,
    ],
    ["SELECT groupArray(sipHash64(number)) FROM numbers(1000000000)", /MEMORY_LIMIT/],
    ["SELECT uniqExact(number) FROM numbers(10000000000)", /MEMORY_LIMIT|TIMEOUT_EXCEEDED/],
    ["SELECT repeat(toString(number), 1000000) FROM numbers(1000000)", /MEMORY_LIMIT/],
  ];
  for (const [query, reason] of greedy) {
    it(query, async () => {
      const runMaxSeconds = reason.test("TIMEOUT_EXCEEDED") ? 1 : LONG_S;
      const startedMs = performance.now();
      const answer = await ask(query, { runMaxSeconds });
      assert.ok(!answer.ok);
      assert.equal(answer.code, "sql_failed");
      assert.match(answer.message, reason);
      assert.ok(performance.now() - startedMs < runMaxSeconds * 1_000 + LATE_MS);
      assert.equal(await runningQueries(), 0);
    });
  }
});

it("ends the engine for one that it cannot end itself, answers, and goes on", async () => {
  const { pid } = store;
  const nested = `${"sipHash64(".repeat(400)}x${")".repeat(400)}`;
  const query = `SELECT arraySum(arrayMap(x -> ${nested} % 2, range(toUInt32(1000 + number % 2)))) FROM numbers(10000)`;
  const startedMs = performance.now();
  const answer = await ask(query, { memoryMaxBytes: 1024 ** 3 });
  assert.ok(!answer.ok);
  assert.match(answer.message, /could not be ended at its limit of 1 s.*TIMEOUT_EXCEEDED/);
  assert.ok(performance.now() - startedMs < 2_000 + LATE_MS);
  while (store.pid === pid) await new Promise((wake) => setTimeout(wake, 20));
  assert.equal(await runningQueries(), 0);
  assert.notEqual(store.pid, pid);
  assert.match(log.join("\n"), /a query could not be ended at its limit of 1 s; starting it again/);
});
