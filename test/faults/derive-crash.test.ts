/**
 * The server dies at each step between the journal and the store, under load of two days: the clocks
 * of one pair of nodes are before a midnight, those of the other after it, so that the rows of a range go
 * into two partitions. After a plain restart every row is there exactly once. `FULL=1` walks every block of a range; else the first and the last.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CRASH_POINTS, type CrashPoint } from "../../src/std/crash-point.ts";
import { SeededRandom } from "../../src/std/seeded-random.ts";
import { HttpNode } from "./http-node.ts";
import { checkKilled } from "./killed-check.ts";
import { MortalServer } from "./mortal-server.ts";
import { PairLoad } from "./pair-load.ts";

/** Blocks of one range at least: connections of two days, lines, batches, nodes. */
const BLOCKS = 5;
/** Some ranges pass first, so that the state to be made anew is not that of a start. */
const RANGES_BEFORE = 2;
const DAY_MS = 86_400_000;
const MIDNIGHT_MS = Math.ceil(Date.now() / DAY_MS) * DAY_MS;
const WITH_FINDING: CrashPoint = "derive: findings journaled";

/** From this midnight, the clocks of each pair when the load begins: they stay in their day until it ends. */
const PAIRS_FROM_MIDNIGHT_MS = [-3_600_000, 3_600_000] as const;
/** The second node's clock is a little ahead. */
const SKEW_MS = 300;

function places(point: CrashPoint): string[] {
  if (point !== "derive: block inserted") return [`${point}#${RANGES_BEFORE + 1}`];
  const passes = Array.from({ length: BLOCKS }, (_, at) => RANGES_BEFORE * BLOCKS + at + 1);
  const walked = process.env["FULL"] === "1" ? passes : [passes[0], passes.at(-1)];
  return walked.map((pass) => `${point}#${pass}`);
}

const walk = CRASH_POINTS.filter(
  (point) => point.startsWith("derive: ") && point !== WITH_FINDING,
).flatMap(places);

test(`killed at ${walk.length} places of deriving, one after the other`, async () => {
  await using server = new MortalServer();
  await server.start();
  const key = await server.api.enrolmentKey();
  const url = () => server.url;
  const loads = PAIRS_FROM_MIDNIGHT_MS.map((fromMidnightMs, pair) => {
    const aheadMs = MIDNIGHT_MS + fromMidnightMs - Date.now();
    const clockMs = (end: 0 | 1): number => Date.now() + aheadMs + end * SKEW_MS;
    const node = (end: number) => new HttpNode(`pair-${pair}-${end}`, `10.7.${pair}.${end}`, url);
    const random = new SeededRandom(3 + pair);
    return new PairLoad([node(1), node(2)], random, { clockMs, lateMsMax: 2_500 });
  });
  for (const node of loads.flatMap(({ nodes }) => nodes)) await node.enrol(key);
  for (const load of loads) load.begin();
  const running = Promise.all(loads.map((load) => load.run()));
  for (const place of walk) {
    await server.stop("SIGKILL");
    await server.start(place);
    assert.equal(await Promise.race([server.ended(), running]), "SIGKILL", place);
  }
  await server.start();
  for (const load of loads) load.end();
  await running;
  assert.deepEqual(await checkKilled(server, loads), []);
});

test(`killed at "${WITH_FINDING}": each finding is there once`, async () => {
  await using server = new MortalServer();
  await server.start();
  const node = new HttpNode("loser", "10.7.0.1", () => server.url);
  await node.enrol(await server.api.enrolmentKey());
  const lose = (): number => {
    const atMs = Date.now();
    return node.hand({ kind: "gap", atMs, cause: "lost", count: null, fromMs: atMs, toMs: atMs });
  };
  node.hand({ kind: "start", atMs: Date.now(), facts: {} });
  const lost = [lose()];
  await node.deliver();
  await server.api.caughtUp();
  await server.stop("SIGKILL");
  await server.start(WITH_FINDING);
  lost.push(lose(), lose());
  const delivering = node.deliver();
  assert.equal(await server.ended(), "SIGKILL");
  await server.start();
  await delivering;
  await server.api.caughtUp();
  // Findings are entries themselves: they become rows one range later.
  const rows = "SELECT kind, state, node, count() FROM findings GROUP BY ALL";
  const expected = [["lost-spool", "open", "loser", lost.length]];
  const same = (found: unknown) => JSON.stringify(found) === JSON.stringify(expected);
  await server.api.until("the findings are there", () => server.api.sql(rows), same, 10_000);
  const gaps = await server.api.sql(
    "SELECT count(), uniqExact(epoch, seq) FROM logs WHERE kind = 'gap'",
  );
  assert.deepEqual(gaps, [[lost.length, lost.length]]);
});
