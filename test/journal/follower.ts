/** A worker thread that follows a journal: it is told how far it is durable and reads the files itself. */
import { parentPort, workerData } from "node:worker_threads";
import { DurableEnd } from "../../src/journal/durable-end.ts";
import { JournalReader } from "../../src/journal/journal-reader.ts";

const { dir, records } = workerData as { dir: string; records: number };
const durableEnd = new DurableEnd();
parentPort?.on("message", (endIndex: number) => durableEnd.publish(endIndex));

await using reader = new JournalReader({ dir, durableEnd });
const texts: string[] = [];
while (texts.length < records) {
  await durableEnd.waitFor(texts.length);
  for (const { frame } of await reader.readSome({ fromIndex: texts.length })) {
    texts.push(Buffer.from(frame).toString());
  }
}
parentPort?.postMessage(texts);
parentPort?.close();
