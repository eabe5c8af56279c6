/** What the engine does when it is killed between noting a token and naming the part: token taken, no rows. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ClickHouseDeriveStore } from "../../src/reconcile/derive/derive-store.ts";
import { systemClock } from "../../src/std/clock.ts";
import { openStore } from "../../src/store/open-store.ts";
import { logPartitionOf, type ReadyBlock, RowBlocks } from "../../src/store/row-blocks.ts";

const AT_MS = 1_800_000_000_000;

/** One line of the log, from the record `index`. */
function block(index: number): ReadyBlock {
  const blocks = new RowBlocks();
  const to = blocks.row("log_rows", logPartitionOf("log", AT_MS));
  to.time.push(AT_MS);
  to.node.push("a");
  to.node_id.push(Buffer.alloc(16, 1));
  to.epoch.push(0);
  to.seq.push(index);
  to.kind.push("log");
  to.severity_number.push(9);
  to.body.push("a line");
  to.attributes.push("{}");
  to.journal_index.push(index);
  const [ready] = blocks.drain();
  assert.ok(ready !== undefined);
  return ready;
}

test("a block whose token is taken and whose rows are not there is inserted all the same, once", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "tallystick-lost-block-"));
  try {
    await using store = await openStore({ dataDir, clock: systemClock() });
    const derive = new ClickHouseDeriveStore(store.client);
    await derive.prepare();
    // Another block has the token: for the second one it is as if the engine had died.
    await derive.insert(block(0), "1-2 log_rows");
    await derive.insert(block(1), "1-2 log_rows");
    const count = async () => {
      const query = "SELECT toUInt32(count()) AS n FROM log_rows WHERE journal_index = 1";
      const answer = await store.client.query({ query, format: "JSONEachRow" });
      return (await answer.json<{ n: number }>())[0]?.n;
    };
    assert.equal(await count(), 0);
    for (let times = 0; times < 2; times++) {
      await derive.insertAgain(block(1), "1-2 log_rows", { from: 1, to: 2 });
      assert.equal(await count(), 1);
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
});
