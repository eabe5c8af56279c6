import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { extend, lasts, type SteadyRun } from "./steady-run.ts";

/** Uptime and receive time of each batch, in ms; whether they are steady over five seconds. */
type Batches = [uptimeMs: number, receivedMs: number][];

function every(stepMs: number, count: number, delayMs: (at: number) => number): Batches {
  return Array.from({ length: count }, (_, at) => [at * stepMs, at * stepMs + delayMs(at)]);
}

function runOf(batches: Batches): SteadyRun | null {
  let run: SteadyRun | null = null;
  for (const [uptimeMs, receivedMs] of batches) {
    run = extend(run, { uptimeMs, bornMs: receivedMs - uptimeMs }, receivedMs);
  }
  return run;
}

describe("batches with a steady delay", () => {
  const table: [what: string, batches: Batches, isSteady: boolean][] = [
    ["three over five seconds", every(2_500, 3, () => 7), true],
    ["two", every(5_000, 2, () => 7), false],
    ["three within less", every(2_400, 3, () => 7), false],
    ["delays that vary by 200 ms", every(500, 20, (at) => (at * 77) % 200), true],
    ["a backlog, sent at once", every(500, 2_000, (at) => 1_000_000 - 499 * at), false],
    [
      "a backlog, sent twice as fast as recorded",
      every(1_000, 60, (at) => 60_000 - 500 * at),
      false,
    ],
    ["a backlog, sent a tenth faster", every(1_000, 60, (at) => 60_000 - 100 * at), false],
    ["late ones between", every(500, 20, (at) => (at % 3 === 0 ? 9_000 : 5)), true],
    [
      "a delay that became longer for good",
      [...every(500, 4, () => 5), ...every(500, 200, () => 90_000)],
      true,
    ],
    [
      "the same, before it is believed",
      [...every(500, 4, () => 5), ...every(500, 9, () => 30_000)],
      false,
    ],
  ];
  for (const [what, batches, isSteady] of table) {
    it(what, () => {
      const run = runOf(batches);
      assert.equal(run !== null && lasts(run, 5_000), isSteady);
    });
  }

  it("are known by the least of them", () => {
    assert.equal(runOf(every(500, 20, (at) => 50 + ((at * 77) % 100)))?.least.bornMs, 50);
  });
});
