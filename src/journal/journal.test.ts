import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../std/clock.ts";
import { MemoryDisk } from "../std/memory-disk.ts";
import { checkJournal } from "./check.ts";
import { DurableEnd } from "./durable-end.ts";
import { Journal, type JournalOptions } from "./journal.ts";
import { JournalReader } from "./journal-reader.ts";
import { FRAME_BYTES_MAX, FREE_CHECK_MS } from "./limits.ts";
import type { JournalRecord, NewRecord } from "./record.ts";

const dir = "/journal";

function batch(text: string): NewRecord {
  return { type: "batch", receivedMs: 1_800_000_000_000, frame: Buffer.from(text) };
}

function open(disk: MemoryDisk, options: Partial<JournalOptions> = {}): Promise<Journal> {
  return Journal.open({ dir, disk, clock: new ManualClock(), ...options });
}

async function appendAll(journal: Journal, texts: readonly string[]): Promise<number[]> {
  const acks = await Promise.all(texts.map((text) => journal.append(batch(text))));
  return acks.map(({ index }) => index);
}

function numbered(count: number, prefix = "frame"): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix} ${i}`);
}

async function textsFrom(records: AsyncIterable<JournalRecord>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { frame } of records) texts.push(Buffer.from(frame).toString());
  return texts;
}

test("records are read as they were appended, in order, after a restart too", async () => {
  const disk = new MemoryDisk();
  const first = await open(disk);
  assert.deepEqual(await appendAll(first, ["a", "b"]), [0, 1]);
  const evidence = { type: "evidence", receivedMs: 5, frame: Buffer.from("c") } as const;
  assert.deepEqual(await first.append(evidence), { index: 2 });
  await first.close();
  await using second = await open(disk);
  assert.deepEqual(second.recovery, { tornBytes: 0, removedSegment: false });
  assert.deepEqual(await appendAll(second, ["d"]), [3]);
  assert.deepEqual(await textsFrom(second.read(0)), ["a", "b", "c", "d"]);
  assert.deepEqual(await textsFrom(second.read(2)), ["c", "d"]);
  const [record] = await second.readSome({ fromIndex: 2 });
  assert.deepEqual({ ...record }, { ...evidence, index: 2 });
});

test("an empty journal has nothing to read", async () => {
  await using journal = await open(new MemoryDisk());
  assert.deepEqual(await textsFrom(journal.read(0)), []);
  assert.deepEqual(await journal.readSome({ fromIndex: 7 }), []);
});

test("a read ends with the last record that was durable when it began", async () => {
  await using journal = await open(new MemoryDisk());
  await appendAll(journal, ["a", "b"]);
  const texts: string[] = [];
  const records = journal.read(0)[Symbol.asyncIterator]();
  const first = records.next();
  await appendAll(journal, ["c"]);
  for (let step = await first; step.done !== true; step = await records.next()) {
    texts.push(Buffer.from(step.value.frame).toString());
    if (texts.length === 1) await appendAll(journal, ["d"]);
  }
  assert.deepEqual(texts, ["a", "b"]);
});

test("appends that come together share one fdatasync", async () => {
  const disk = new MemoryDisk();
  await using journal = await open(disk);
  let syncs = 0;
  disk.fault = (operation) => {
    if (operation === "syncData") syncs++;
    return "none";
  };
  assert.equal((await appendAll(journal, numbered(500))).at(-1), 499);
  assert.equal(syncs, 1);
});

test("nobody is told before the record is durable", async () => {
  const disk = new MemoryDisk();
  const journal = await open(disk);
  let toldOf = 0;
  disk.fault = () => {
    const after = disk.powerCut("synced", Math.random);
    void checkJournal(after, dir).then(({ records }) => assert.ok(records >= toldOf));
    return "none";
  };
  journal.durableEnd.onCommit((endIndex) => {
    toldOf = endIndex;
  });
  await assert.rejects(appendAll(journal, ["a"]), { code: "journal_failed" });
});

test("segments are begun when one is full; a large group has its own", async () => {
  const disk = new MemoryDisk();
  const options = { segmentBytesMax: 200 };
  const journal = await open(disk, options);
  for (const text of numbered(10)) await journal.append(batch(text));
  await appendAll(journal, numbered(10, "together"));
  await appendAll(journal, ["x".repeat(5000), "after"]);
  const all = [...numbered(10), ...numbered(10, "together"), "x".repeat(5000), "after"];
  assert.deepEqual(await textsFrom(journal.read(0)), all);
  await journal.close();
  assert.ok((await disk.readdir(dir)).length >= 5);
  assert.equal((await checkJournal(disk, dir)).records, 22);
  await using again = await open(disk, options);
  assert.deepEqual(await textsFrom(again.read(0)), all);
  assert.deepEqual(await appendAll(again, ["next"]), [22]);
});

test("any index can be read, from any segment, with any read size", async () => {
  await using journal = await open(new MemoryDisk(), { segmentBytesMax: 3_000 });
  for (let i = 0; i < 30; i++) await appendAll(journal, numbered(10, `group ${i},`));
  for (const fromIndex of [299, 0, 150, 7, 298, 31, 30]) {
    for (const bytesMax of [1, 36, 40, 500, 1_000_000]) {
      const [record] = await journal.readSome({ fromIndex, bytesMax });
      assert.equal(record?.index, fromIndex);
      const expected = `group ${Math.floor(fromIndex / 10)}, ${fromIndex % 10}`;
      assert.equal(Buffer.from(record?.frame ?? []).toString(), expected);
    }
  }
});

test("reads beside each other do not disturb each other", async () => {
  await using journal = await open(new MemoryDisk(), { segmentBytesMax: 1_000 });
  for (let i = 0; i < 20; i++) await appendAll(journal, numbered(10, `${i}`));
  const runs = await Promise.all([0, 50, 100, 150].map((from) => textsFrom(journal.read(from))));
  assert.deepEqual(
    runs.map((texts) => texts.length),
    [200, 150, 100, 50],
  );
});

test("a reader elsewhere sees what it was told is durable, and no more", async () => {
  const disk = new MemoryDisk();
  await using journal = await open(disk, { segmentBytesMax: 150 });
  await appendAll(journal, ["a", "b", "c"]);
  const durableEnd = new DurableEnd();
  await using reader = new JournalReader({ dir, disk, durableEnd });
  assert.deepEqual(await textsFrom(reader.read(0)), []);
  durableEnd.publish(2);
  assert.deepEqual(await textsFrom(reader.read(0)), ["a", "b"]);
  for (const text of numbered(5)) await journal.append(batch(text));
  const waiting = durableEnd.waitFor(7);
  durableEnd.publish(8);
  await waiting;
  assert.deepEqual(await textsFrom(reader.read(2)), ["c", ...numbered(5)]);
});

test("what waits is bounded, and refusing costs nobody a number", async () => {
  await using journal = await open(new MemoryDisk(), { queueBytesMax: 200 });
  const results = await Promise.allSettled(numbered(10).map((text) => journal.append(batch(text))));
  const codes = results.map((result) =>
    result.status === "fulfilled" ? result.value.index : (result.reason as { code: string }).code,
  );
  assert.deepEqual(codes, [0, 1, 2, 3, ...Array<string>(6).fill("journal_busy")]);
  assert.deepEqual(await appendAll(journal, ["next"]), [4]);
});

test("a full disk refuses and recovers by itself", async () => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  disk.freeBytesLeft = 10;
  await using journal = await open(disk, { clock, freeBytesMin: 100 });
  await assert.rejects(journal.append(batch("a")), { code: "journal_full" });
  disk.freeBytesLeft = 1000;
  await assert.rejects(journal.append(batch("b")), { code: "journal_full" });
  clock.advance(FREE_CHECK_MS);
  assert.deepEqual(await journal.append(batch("c")), { index: 0 });
});

test("a frame that is too long is refused", async () => {
  await using journal = await open(new MemoryDisk());
  const frame = Buffer.alloc(FRAME_BYTES_MAX + 1);
  const append = journal.append({ type: "batch", receivedMs: 0, frame });
  await assert.rejects(append, { code: "record_too_large" });
  const largest = { type: "batch", receivedMs: 0, frame: frame.subarray(1) } as const;
  assert.deepEqual(await journal.append(largest), { index: 0 });
  assert.equal((await journal.readSome({ fromIndex: 0 }))[0]?.frame.length, FRAME_BYTES_MAX);
});

test("closing waits for what is under way and refuses the rest", async () => {
  const disk = new MemoryDisk();
  const journal = await open(disk);
  const append = journal.append(batch("a"));
  const closing = journal.close();
  await assert.rejects(journal.append(batch("b")), { code: "journal_closed" });
  assert.deepEqual(await append, { index: 0 });
  await closing;
  await journal.close();
  assert.equal((await checkJournal(disk, dir)).records, 1);
});

test("one writer at a time", async () => {
  const disk = new MemoryDisk();
  const first = await open(disk);
  await assert.rejects(open(disk), { code: "journal_in_use" });
  await first.close();
  await (await open(disk)).close();
});
