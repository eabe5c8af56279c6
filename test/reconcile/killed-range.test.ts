/**
 * A server that is killed while a range goes into the store, at each step of it, and does the rest after
 * it was started again: what is there in the end is what was there without.
 */
import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { test } from "node:test";
import { Derive, type Intent, type IntentFile } from "../../src/reconcile/derive/derive.ts";
import type { DeriveStore } from "../../src/reconcile/derive/derive-store.ts";
import { decodeIntent, encodeIntent } from "../../src/reconcile/derive/intent-file.ts";
import { SeededRandom } from "../../src/std/seeded-random.ts";
import { MemoryStore } from "../simulate/memory-store.ts";
import { replayMesh, SERVER, SMALL } from "../simulate/replay-mesh.ts";
import { SimNode } from "../simulate/sim-node.ts";
import { hastyClock, linesOf, nobodyRules, ReplayJournal, runLive } from "./replay-run.ts";

const RANGE_MAX = 60;
/** Inserts and notes of the position until the next death, at most: a few ranges. */
const STEPS_MAX = 16;

/** Stops for ever after some steps, before or after the effect of the last one. */
class MortalStore {
  readonly store: DeriveStore;
  readonly death = Promise.withResolvers<"died">();
  isDead = false;
  #stepsLeft: number;

  constructor(store: MemoryStore, steps: number, random: SeededRandom) {
    this.#stepsLeft = steps;
    const step = async (effect: () => Promise<void>): Promise<void> => {
      this.#stepsLeft--;
      if (this.#stepsLeft > 0) return effect();
      if (random.chance()) await effect();
      this.isDead = true;
      this.death.resolve("died");
      return new Promise<void>(() => undefined);
    };
    this.store = {
      prepare: () => store.prepare(),
      position: () => store.position(),
      setPosition: (position) => step(() => store.setPosition(position)),
      insert: (block, token) => step(() => store.insert(block, token)),
      insertAgain: (block, token) => step(() => store.insertAgain(block, token)),
      nodes: () => store.nodes(),
      findings: () => store.findings(),
      eachUnsettled: (position, each) => store.eachUnsettled(position, each),
      eachParked: (range, each) => store.eachParked(range, each),
    };
  }
}

class MemoryIntent implements IntentFile {
  #bytes: Buffer = Buffer.alloc(0);

  read(): Promise<Intent | undefined> {
    return decodeIntent(this.#bytes);
  }

  async write(intent: Intent): Promise<void> {
    this.#bytes = await encodeIntent(intent);
  }
}

interface Life {
  readonly journal: ReplayJournal;
  readonly intent: IntentFile;
  readonly journaled: unknown[];
}

/** Whether it lived until all was done. */
async function live(mortal: MortalStore, { journal, intent, journaled }: Life): Promise<boolean> {
  const opening = Derive.open({
    journal,
    store: mortal.store,
    rulings: nobodyRules,
    intent,
    serverId: new SimNode(SERVER).id,
    clock: hastyClock,
    journalFindings: (findings) => Promise.resolve(void journaled.push(...findings)),
    log: (line) => {
      throw new Error(line);
    },
  });
  const derive = await Promise.race([opening, mortal.death.promise]);
  if (derive === "died") return false;
  const run = derive.run();
  while (derive.committed < journal.end && !mortal.isDead) await nextTurn();
  derive.stop();
  // Of the dead one nothing is heard any more.
  if (!mortal.isDead) await run;
  return !mortal.isDead;
}

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
  test(`killed again and again while ranges are inserted (${seed}), the rows are the same`, async () => {
    const random = new SeededRandom(seed);
    const first = new MemoryStore();
    const { records } = await runLive(replayMesh(seed, SMALL), first, random);
    const expected = await linesOf(first);

    const store = new MemoryStore();
    const journal = new ReplayJournal(records);
    journal.pieceMax = () => random.integer(1, RANGE_MAX);
    const life = { journal, intent: new MemoryIntent(), journaled: [] };
    let deaths = 0;
    while (!(await live(new MortalStore(store, random.integer(1, STEPS_MAX), random), life))) {
      deaths++;
    }
    assert.ok(deaths > 10, `${deaths} deaths`);
    assert.deepEqual(await linesOf(store), expected);
    assert.deepEqual(life.journaled, []);
  });
}
