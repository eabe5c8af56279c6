/** What opening makes of damaged files: only what nobody was promised may be cut off. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDisk } from "../std/memory-disk.ts";
import { checkJournal } from "./check.ts";
import { Journal } from "./journal.ts";

const dir = "/journal";
const first = `${dir}/00000000000000000000.seg`;
const second = `${dir}/00000000000000000003.seg`;
/** Each frame has 64 bytes, so records have 100: with the header's 48, record n of a file starts at 48 + 100 n. */
const FRAME = Buffer.alloc(64, 5);
const RECORD_BYTES = 100;

function open(disk: MemoryDisk): Promise<Journal> {
  return Journal.open({ dir, disk, segmentBytesMax: 400, randomSalt: () => 77 });
}

/** Records 0–2 in the first segment, 3 and 4 in the second: a group each. */
async function fiveRecords(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await using journal = await open(disk);
  for (let i = 0; i < 5; i++) {
    await journal.append({ type: "batch", receivedMs: i, frame: FRAME });
  }
  return disk;
}

type Change = (content: Buffer) => Buffer;

function flip(offset: number): Change {
  return (content) => {
    content[offset] = (content[offset] ?? 0) ^ 1;
    return content;
  };
}

function cut(bytes: number): Change {
  return (content) => content.subarray(0, content.length - bytes);
}

function extend(bytes: Buffer): Change {
  return (content) => Buffer.concat([content, bytes]);
}

interface Damage {
  readonly name: string;
  readonly file?: string;
  readonly change: Change | "remove";
  /** How many records are left, or what the error says. */
  readonly expected: number | RegExp;
}

const damages: Damage[] = [
  { name: "nothing", change: (content) => content, expected: 5 },
  { name: "zeros at the end", change: extend(Buffer.alloc(5000)), expected: 5 },
  { name: "noise at the end", change: extend(Buffer.alloc(5000, 1)), expected: 5 },
  {
    name: "a whole record twice",
    change: (c) => Buffer.concat([c, c.subarray(-100)]),
    expected: 5,
  },
  { name: "the last record cut", change: cut(1), expected: 4 },
  { name: "the last record's header cut", change: cut(80), expected: 4 },
  { name: "the last group's frame changed", change: flip(248 - 1), expected: 4 },
  { name: "the last group's header changed", change: flip(148), expected: 4 },
  {
    name: "an earlier group's frame changed",
    change: flip(48 + 40),
    expected: /seg is damaged at byte 48: .* at byte 148 .*restore/,
  },
  {
    name: "an earlier group's length changed",
    change: flip(48),
    expected: /at byte 48: .* at byte 148/,
  },
  {
    name: "the last segment's header changed",
    change: flip(20),
    expected: /3\.seg is damaged at byte 0: .*header/,
  },
  { name: "the last segment's header cut, as at its beginning", change: cut(200 + 1), expected: 3 },
  { name: "the last segment empty, as at its beginning", change: cut(248), expected: 3 },
  { name: "the last segment removed", change: "remove", expected: 3 },
  {
    name: "the first segment cut",
    file: first,
    change: cut(1),
    expected: /0\.seg is damaged at byte 347: it has 347 bytes, but had 348/,
  },
  {
    name: "the first segment longer",
    file: first,
    change: extend(FRAME),
    expected: /it has 412 bytes, but had 348/,
  },
  {
    name: "the first segment's header changed",
    file: first,
    change: flip(9),
    expected: /0\.seg is damaged at byte 0/,
  },
  {
    name: "the first segment removed",
    file: first,
    change: "remove",
    expected: /3\.seg is damaged at byte 24: 0+\.seg before it is missing/,
  },
];

for (const { name, file = second, change, expected } of damages) {
  const outcome =
    typeof expected === "number" ? `${expected} records` : "an error, nothing changed";
  test(`${name}: ${outcome}`, async () => {
    const disk = await fiveRecords();
    if (change === "remove") await disk.remove(file);
    else disk.edit(file, change);
    if (typeof expected !== "number") {
      disk.fault = (operation) => (operation === "mkdir" ? "none" : "not-persisted");
      await assert.rejects(open(disk), { code: "journal_corrupt", message: expected });
      return;
    }
    await using journal = await open(disk);
    assert.equal(journal.durableEnd.index, expected);
    const ack = await journal.append({ type: "batch", receivedMs: 9, frame: FRAME });
    assert.equal(ack.index, expected);
    assert.equal((await checkJournal(disk, dir)).records, expected + 1);
  });
}

test("the bytes that were cut off are told", async () => {
  const disk = await fiveRecords();
  disk.edit(second, cut(1));
  await using journal = await open(disk);
  assert.deepEqual(journal.recovery, { tornBytes: RECORD_BYTES - 1, removedSegment: false });
});

test("a segment that was begun proves that the one before it was whole", async () => {
  const disk = await fiveRecords();
  disk.edit(second, cut(248));
  disk.edit(first, flip(48 + 2 * RECORD_BYTES + 50));
  await assert.rejects(open(disk), { code: "journal_corrupt", message: /0\.seg .* byte 248/ });
});

test("damage in a closed segment is found when it is read, and by the check", async () => {
  const disk = await fiveRecords();
  disk.edit(first, flip(48 + RECORD_BYTES + 50));
  await using journal = await open(disk);
  const expected = { code: "journal_corrupt", message: /0\.seg is damaged at byte 148/ };
  assert.equal((await journal.readSome({ fromIndex: 0 })).length, 1);
  await assert.rejects(journal.readSome({ fromIndex: 1 }), expected);
  assert.equal((await journal.readSome({ fromIndex: 3 })).length, 2);
  await assert.rejects(checkJournal(disk, dir), expected);
});

test("a frame that holds a copy of a record does not pass for one", async () => {
  let copy: Uint8Array = FRAME;
  const disk = await fiveRecords();
  disk.edit(second, (content) => {
    copy = Buffer.from(content);
    return content;
  });
  const other = new MemoryDisk();
  const journal = await Journal.open({ dir, disk: other, randomSalt: () => 78 });
  await journal.append({ type: "batch", receivedMs: 1, frame: copy });
  await journal.close();
  other.edit(first, flip(60));
  await using again = await Journal.open({ dir, disk: other });
  assert.equal(again.durableEnd.index, 0);
});
