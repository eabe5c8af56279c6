/** A process to be killed: appends to the journal in DIR and prints each acknowledged index. */
import { writeSync } from "node:fs";
import { Journal } from "../../src/journal/journal.ts";
import { SEGMENT_BYTES_MAX, textOf } from "./story.ts";

const [dir = "", records = "100"] = process.argv.slice(2);
const appenders = 8;

await using journal = await Journal.open({
  dir,
  segmentBytesMax: SEGMENT_BYTES_MAX,
  freeBytesMin: 0,
});
let next = journal.durableEnd.index;
const end = next + Number(records);

async function appendUntilEnd(): Promise<void> {
  while (next < end) {
    const frame = Buffer.from(textOf(next++));
    const { index } = await journal.append({ type: "batch", receivedMs: Date.now(), frame });
    // Synchronously: what is printed was acknowledged, whatever happens next.
    writeSync(1, `${index}\n`);
  }
}

await Promise.all(Array.from({ length: appenders }, appendUntilEnd));
