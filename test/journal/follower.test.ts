import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { Journal } from "../../src/journal/journal.ts";
import { SEGMENT_BYTES_MAX, textOf, withDirectory } from "./story.ts";

test("a worker follows the journal while it is written", () =>
  withDirectory(async (dir) => {
    const records = 500;
    await using journal = await Journal.open({ dir, segmentBytesMax: SEGMENT_BYTES_MAX });
    const worker = new Worker(join(import.meta.dirname, "follower.ts"), {
      workerData: { dir, records },
    });
    journal.durableEnd.onCommit((endIndex) => worker.postMessage(endIndex));
    const followed = once(worker, "message") as Promise<[string[]]>;
    for (let index = 0; index < records; index += 5) {
      await Promise.all(
        [0, 1, 2, 3, 4].map((i) => {
          const frame = Buffer.from(textOf(index + i));
          return journal.append({ type: "batch", receivedMs: 0, frame });
        }),
      );
    }
    const [texts] = await followed;
    assert.deepEqual(
      texts,
      Array.from({ length: records }, (_, index) => textOf(index)),
    );
  }));
