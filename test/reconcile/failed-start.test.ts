import assert from "node:assert/strict";
import { test } from "node:test";
import { Derive } from "../../src/reconcile/derive/derive.ts";
import type { DeriveStore } from "../../src/reconcile/derive/derive-store.ts";
import { SeededRandom } from "../../src/std/seeded-random.ts";
import { MemoryStore } from "../simulate/memory-store.ts";
import { replayMesh, SERVER, SMALL } from "../simulate/replay-mesh.ts";
import { SimNode } from "../simulate/sim-node.ts";
import { hastyClock, memoriesOf, nobodyRules, ReplayJournal, runLive } from "./replay-run.ts";

/** Fails when it is asked for its unsettled connections for the first time, after half of them. */
function failingOnce(store: MemoryStore): DeriveStore {
  let isFirst = true;
  return new Proxy<DeriveStore>(store, {
    get(target, name) {
      if (name !== "eachUnsettled") return bound(target, name as keyof DeriveStore);
      return async (...[from, take]: Parameters<DeriveStore["eachUnsettled"]>) => {
        let count = 0;
        await target.eachUnsettled(from, (stored) => {
          if (isFirst && ++count > 3) return;
          take(stored);
        });
        if (!isFirst) return;
        isFirst = false;
        throw new Error("the connection was lost");
      };
    },
  });
}

function bound(target: DeriveStore, name: keyof DeriveStore): unknown {
  const value: unknown = target[name];
  return typeof value === "function" ? value.bind(target) : value;
}

test("a start whose reading from the store fails half-way begins anew, as if it had not been", async () => {
  const store = new MemoryStore();
  await runLive(replayMesh(3, SMALL), store, new SeededRandom(3));
  const logged: string[] = [];
  const derive = await Derive.open({
    journal: new ReplayJournal(),
    store: failingOnce(store),
    rulings: nobodyRules,
    intent: { read: () => Promise.resolve(undefined), write: () => Promise.resolve() },
    serverId: new SimNode(SERVER).id,
    clock: hastyClock,
    journalFindings: () => Promise.resolve(),
    log: (line) => logged.push(line),
  });
  assert.equal(logged.length, 2);
  assert.deepEqual(derive.reconcile.book.takeChanges(), []);
  const streams = [...derive.reconcile.streams.values()];
  assert.deepEqual(
    streams.map(({ id }) => id),
    (await memoriesOf(store)).map((line) => /memory of (\w+)/.exec(line)?.[1]),
  );
});
