/**
 * The server dies at each step between the journal and the store, several times over, under load
 * that crosses a midnight: rows of one range then go into two partitions. After a plain restart every row
 * is there exactly once.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { SeededRandom } from "../../src/std/seeded-random.ts";
import { CRASH_POINTS } from "../../src/std/crash-point.ts";
import { HttpNode } from "./http-node.ts";
import { checkKilled } from "./killed-check.ts";
import { MortalServer } from "./mortal-server.ts";
import { PairLoad } from "./pair-load.ts";

/** Blocks of one range: connections of two days, lines of two days, batches, nodes. */
const BLOCKS_MAX = 6;
const DAY_MS = 86_400_000;
const MIDNIGHT_MS = Math.ceil(Date.now() / DAY_MS) * DAY_MS;
/** Lets some ranges pass first, so that there is something to be repeated. */
const RANGES_BEFORE = 2;
const AFTER_MS = 300;

const points = CRASH_POINTS.filter((point) => point.startsWith("derive: "));
const POINT_WITH_FINDING = "derive: findings journaled";

/** Of blocks every one, counted from a range's first; of the others the third pass. */
function passes(point: string): number[] {
  if (point !== "derive: block inserted") return [RANGES_BEFORE + 1];
  return Array.from({ length: BLOCKS_MAX }, (_, at) => RANGES_BEFORE * BLOCKS_MAX + at + 1);
}

/** Goes back and forth around a midnight, so that every range has rows of two days; the second end is a little ahead. */
function clockMs(end: 0 | 1): number {
  return MIDNIGHT_MS - 1_000 + ((Date.now() + end * 300) % 2_000);
}

const walk = points
  .filter((point) => point !== POINT_WITH_FINDING)
  .flatMap((point) => passes(point).map((pass) => `${point}#${pass}`));

test(`killed at ${walk.length} places of deriving, one after the other`, async () => {
  await using server = new MortalServer();
  await server.start();
  const key = await server.enrolmentKey();
  const nodes = [1, 2].map(
    (end) => new HttpNode(`pair-0-${end}`, `10.7.0.${end}`, () => server.url),
  );
  const [a, b] = nodes;
  assert.ok(a !== undefined && b !== undefined);
  for (const node of nodes) await node.enrol(key);
  const load = new PairLoad([a, b], new SeededRandom(3), { clockMs, lateMsMax: 2_500 });
  load.begin();
  const running = load.run();
  for (const place of walk) {
    await server.stop("SIGKILL");
    await server.start(place);
    assert.equal(await Promise.race([server.ended(), running]), "SIGKILL", place);
    await server.start();
    await pause(AFTER_MS);
  }
  load.end();
  await running;
  assert.deepEqual(await checkKilled(server, [load]), []);
});
