/** A store from which somebody removed what its connections rest on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeriveStore } from "../../src/reconcile/derive/derive-store.ts";
import { SeededRandom } from "../../src/std/seeded-random.ts";
import { MemoryStore } from "../simulate/memory-store.ts";
import { replayMesh, SMALL } from "../simulate/replay-mesh.ts";
import { open, ReplayJournal, runTo } from "./replay-run.ts";

/** As `store`, without the rows of batches. */
function withoutBatches(store: MemoryStore): DeriveStore {
  return {
    prepare: () => store.prepare(),
    position: () => store.position(),
    setPosition: (position) => store.setPosition(position),
    insert: (block, token) => store.insert(block, token),
    insertAgain: (block, token) => store.insertAgain(block, token),
    nodes: () => store.nodes(),
    findings: () => store.findings(),
    eachUnsettled: (position, each) =>
      store.eachUnsettled(position, ({ row }) => each({ row, receivedMs: () => undefined })),
    eachParked: (range, each) =>
      store.eachParked(range, ({ row }) => each({ row, receivedMs: () => undefined })),
  };
}

test("a store without the batches of its connections is refused, for nothing is made up of when they came", async () => {
  const store = new MemoryStore();
  const journal = new ReplayJournal(replayMesh(1, SMALL));
  const random = new SeededRandom(1);
  journal.pieceMax = () => random.integer(1, 40);
  const options = { journal, store, journalFindings: () => undefined };
  await runTo(Math.floor(journal.end / 2), options);
  await open(options);
  await assert.rejects(open({ ...options, store: withoutBatches(store) }), {
    code: "store_incomplete",
  });
});
