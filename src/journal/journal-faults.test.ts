/**
 * Every operation on the disk fails in every way; the power goes at any moment. What must hold
 * after the next start: acknowledged records are there, none twice, in order, unchanged.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDisk, type DiskOperation, type Fault, type Survival } from "../std/memory-disk.ts";
import { checkJournal } from "./check.ts";
import { Journal } from "./journal.ts";
import type { JournalRecord } from "./record.ts";

const dir = "/journal";
const SEGMENT_BYTES_MAX = 1_500;

/** Repeatable: the seed is in the test's name. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** What the journal was given, and what it promised. */
class Promises {
  readonly acked = new Map<number, string>();
  readonly sent = new Set<string>();
  #next = 0;

  /** Appends `count` records at once; resolves when each is acknowledged or refused. */
  async append(journal: Journal, count: number, random: () => number): Promise<void> {
    await Promise.all(
      Array.from({ length: count }, async () => {
        const text = `record ${this.#next++} ${"x".repeat(Math.floor(random() * 200))}`;
        this.sent.add(text);
        try {
          const frame = Buffer.from(text);
          const { index } = await journal.append({ type: "batch", receivedMs: 1, frame });
          assert.ok(!this.acked.has(index), `index ${index} was given twice`);
          this.acked.set(index, text);
        } catch (error) {
          assert.equal((error as { code: string }).code, "journal_failed");
        }
      }),
    );
  }

  async check(journal: Journal): Promise<void> {
    const seen = new Set<string>();
    let lastNumber = -1;
    let next = 0;
    for (const { index, frame } of await allOf(journal)) {
      const text = Buffer.from(frame).toString();
      const number = Number(text.split(" ")[1]);
      assert.equal(index, next++);
      assert.ok(this.sent.has(text), `record ${index} was never sent as it is`);
      assert.ok(!seen.has(text), `record ${index} is there twice`);
      assert.ok(number > lastNumber, `record ${index} is out of order`);
      assert.equal(this.acked.get(index) ?? text, text, `record ${index} is another one`);
      seen.add(text);
      lastNumber = number;
    }
    for (const [index] of this.acked)
      assert.ok(index < next, `acknowledged record ${index} is lost`);
  }
}

/** A segment at once: a buffer of the usual size for each of them is most of a check's time. */
async function allOf(journal: Journal): Promise<JournalRecord[]> {
  const records: JournalRecord[] = [];
  while (records.length < journal.durableEnd.index) {
    const request = { fromIndex: records.length, bytesMax: 2 * SEGMENT_BYTES_MAX };
    records.push(...(await journal.readSome(request)));
  }
  return records;
}

function open(disk: MemoryDisk, random: () => number): Promise<Journal> {
  const randomSalt = () => Math.floor(random() * 2 ** 32);
  return Journal.open({ dir, disk, segmentBytesMax: SEGMENT_BYTES_MAX, randomSalt });
}

interface Row {
  readonly name: string;
  readonly operation: DiskOperation;
  /** Whether appending goes on, and whether the failure was told. */
  readonly expectProgress: boolean;
  readonly expectFatal: boolean;
}

const rows: Row[] = [
  { name: "the records' write", operation: "append", expectProgress: false, expectFatal: true },
  { name: "the records' sync", operation: "syncData", expectProgress: false, expectFatal: true },
  { name: "creating a segment", operation: "create", expectProgress: false, expectFatal: true },
  {
    name: "the directory's sync",
    operation: "syncDirectory",
    expectProgress: false,
    expectFatal: true,
  },
  { name: "removing a file", operation: "remove", expectProgress: true, expectFatal: false },
];

for (const { name, operation, expectProgress, expectFatal } of rows) {
  for (const fault of ["not-persisted", "partly", "persisted"] satisfies Fault[]) {
    test(`${name} fails, ${fault}`, async () => {
      const random = randomFrom(operation.length);
      const disk = new MemoryDisk();
      const promises = new Promises();
      let failures = 0;
      const onFailure = () => failures++;
      const journal = await Journal.open({
        dir,
        disk,
        segmentBytesMax: SEGMENT_BYTES_MAX,
        onFailure,
      });
      for (let i = 0; i < 5; i++) await promises.append(journal, 3, random);
      disk.fault = (asked) => (asked === operation ? fault : "none");
      const ackedBefore = promises.acked.size;
      for (let i = 0; i < 10; i++) await promises.append(journal, 3, random);
      assert.equal(promises.acked.size > ackedBefore + 27, expectProgress);
      assert.equal(failures, expectFatal ? 1 : 0);
      disk.fault = () => "none";
      // Mended or not, a journal that failed stays so until it is opened again.
      const acked = promises.acked.size;
      await promises.append(journal, 1, random);
      assert.equal(promises.acked.size > acked, expectProgress);
      await journal.close();
      await using again = await open(disk, random);
      await promises.check(again);
      await promises.append(again, 3, random);
      await promises.check(again);
    });
  }
}

const faults: Fault[] = ["not-persisted", "partly", "persisted"];
const survivals: Survival[] = ["synced", "prefix", "torn"];

function pick<T>(from: readonly T[], random: () => number): T {
  return from[Math.floor(random() * from.length)] as T;
}

/** One life of the process: opens, checks, appends until some operation fails or it has had enough. */
async function live(disk: MemoryDisk, promises: Promises, random: () => number): Promise<void> {
  let untilFault = Math.floor(random() * 60);
  disk.fault = () => (untilFault-- === 0 ? pick(faults, random) : "none");
  let journal: Journal;
  try {
    journal = await open(disk, random);
  } catch (error) {
    assert.equal((error as { code: string }).code, "EIO");
    return;
  }
  await promises.check(journal);
  for (let i = 0; i < 10; i++) {
    await promises.append(journal, 1 + Math.floor(random() * 8), random);
  }
  await journal.close();
}

for (let seed = 1; seed <= 150; seed++) {
  test(`lives that end in faults and power cuts, seed ${seed}`, async () => {
    const random = randomFrom(seed * 7919);
    const promises = new Promises();
    let disk = new MemoryDisk();
    for (let life = 0; life < 8; life++) {
      await live(disk, promises, random);
      if (random() < 0.6) disk = disk.powerCut(pick(survivals, random), random);
    }
    disk.fault = () => "none";
    await using journal = await open(disk, random);
    await promises.check(journal);
    await checkJournal(disk, dir);
  });
}
