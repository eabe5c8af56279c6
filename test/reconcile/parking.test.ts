/**
 * Parking makes no difference: the same journal gives the same rows and findings, whether halves that
 * wait for a node stay in memory, or are parked in the store as soon as they may be.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../src/std/seeded-random.ts";
import { MemoryStore } from "../simulate/memory-store.ts";
import { replayMesh } from "../simulate/replay-mesh.ts";
import { linesOf, ReplayJournal, runLive, runTo } from "./replay-run.ts";

const SEEDS = [1, 2, 3, 4];
const RANGE_MAX = 60;
const STOPS_APART = 40;

interface Way {
  readonly name: string;
  readonly rangeMax: number;
  /** Records until the next stop of the server; 0: none. */
  readonly stopsApart: number;
}

const WAYS: readonly Way[] = [
  { name: "in ranges of one record", rangeMax: 1, stopsApart: 0 },
  { name: "in small ranges", rangeMax: RANGE_MAX, stopsApart: 0 },
  { name: "stopped and opened anew", rangeMax: RANGE_MAX, stopsApart: STOPS_APART },
];

/** Without what only says what is parked, or which sweep has seen it. */
function plain(lines: readonly string[]): string[] {
  return lines.map((line) =>
    line.replace(/"parked":(?:\d|\{[^}]*\}),?/, "").replace(/"changed":\w+,?/, ""),
  );
}

for (const seed of SEEDS) {
  describe(`a mesh in which everything goes wrong (${seed}), with all parked at once`, async () => {
    const random = new SeededRandom(seed);
    const first = new MemoryStore();
    const { records } = await runLive(replayMesh(seed), first, random, "never");
    const expected = plain(await linesOf(first));

    for (const { name, rangeMax, stopsApart } of WAYS) {
      it(`is the same ${name}`, async () => {
        const store = new MemoryStore();
        const journal = new ReplayJournal([...records]);
        journal.pieceMax = () => random.integer(1, rangeMax);
        const options = {
          journal,
          store,
          parking: "at_once",
          journalFindings: () => undefined,
        } as const;
        for (let reached = 0; reached < journal.end;) {
          const end = stopsApart === 0 ? journal.end : reached + random.integer(1, stopsApart);
          reached = await runTo(end, options);
        }
        assert.deepEqual(plain(await linesOf(store)), expected);
        assert.ok(store.unparked > 50, `only ${store.unparked} halves came back`);
      });
    }
  });
}
