import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { constants, zstdCompressSync } from "node:zlib";
import { SeededRandom } from "../std/seeded-random.ts";
import type { Entry } from "./entry.ts";
import { FormatError, type FormatErrorCode } from "./format-error.ts";
import { ENTRIES_PER_BATCH_MAX, LINE_BYTES_MAX, RAW_BYTES_MAX } from "./limits.ts";
import {
  checkEntries,
  compressPayload,
  decodeEntries,
  decompressPayload,
  encodeEntries,
  forEachEntry,
} from "./payload.ts";
import { randomEntries } from "./random-entry.ts";

const refused = (code: FormatErrorCode): { name: string; code: string } => ({
  name: "FormatError",
  code,
});

test("any batch comes back from its payload", () => {
  const random = new SeededRandom(81);
  for (let round = 0; round < 60; round++) {
    const seqFirst = random.pick([0, 1, random.integer(0, 1_000_000), 9_007_199_254_730_000]);
    const entries = randomEntries(random, { count: random.integer(0, 200), seqFirst });
    const raw = Buffer.from(encodeEntries(entries, seqFirst));
    const back = decompressPayload(compressPayload(raw), raw.length);
    assert.deepEqual(back, raw);
    assert.deepEqual(decodeEntries(back, { seqFirst, entryCount: entries.length }), entries);
    assert.deepEqual(compressPayload(raw.toString()), compressPayload(raw), "text or bytes");
  }
});

test("entries are numbered from the first, and their times follow each other", () => {
  const entries: Entry[] = [1_000, 1_500, 1_400, 1_400].map((atMs) => ({ kind: "tick", atMs }));
  const text = encodeEntries(entries, 7);
  assert.equal(text, '["tick",1000,{}]\n["tick",500,{}]\n["tick",-100,{}]\n["tick",0,{}]\n');
  const seen: [seq: number, atMs: number][] = [];
  forEachEntry(Buffer.from(text), { seqFirst: 7, entryCount: 4 }, (entry, seq) =>
    seen.push([seq, entry.atMs]),
  );
  assert.deepEqual(seen, [
    [7, 1_000],
    [8, 1_500],
    [9, 1_400],
    [10, 1_400],
  ]);
});

test("nothing compresses to nothing, and only to that", () => {
  assert.equal(compressPayload("").length, 0);
  assert.equal(compressPayload(new Uint8Array()).length, 0);
  assert.equal(encodeEntries([], 5), "");
  assert.equal(decompressPayload(Buffer.alloc(0), 0).length, 0);
  assert.deepEqual(decodeEntries(Buffer.alloc(0), { seqFirst: 5, entryCount: 0 }), []);
  assert.throws(() => decompressPayload(zstdCompressSync(""), 0), refused("bad_payload"));
  assert.throws(() => decompressPayload(Buffer.alloc(0), 1), refused("bad_payload"));
});

describe("compression refused", () => {
  const raw = Buffer.from('["tick",0,{}]\n');
  const frame = compressPayload(raw);
  const withParam = (param: number, value: number, input: Uint8Array = raw): Buffer =>
    zstdCompressSync(input, { params: { [param]: value } });
  const badChecksum = withParam(constants.ZSTD_c_checksumFlag, 1);
  badChecksum[badChecksum.length - 1] = (badChecksum.at(-1) ?? 0) ^ 1;
  /** Descriptor without content size, window of 32 MiB and more, one raw block. */
  const wideWindow = (byte: number): Buffer =>
    Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, byte, 0x71, 0, 0]), raw]);

  const cases: readonly (readonly [string, Buffer, number, FormatErrorCode?])[] = [
    ["less than announced", frame, raw.length + 1],
    ["more than announced", frame, raw.length - 1],
    ["one byte announced", frame, 1],
    ["more announced than allowed", frame, RAW_BYTES_MAX + 1, "payload_too_large"],
    ["plain text", raw, raw.length],
    ["cut", frame.subarray(0, -1), raw.length],
    ["a byte more", Buffer.concat([frame, Buffer.alloc(1)]), raw.length],
    ["two frames that add up", Buffer.concat([frame, frame]), raw.length * 2],
    ["two frames, one announced", Buffer.concat([frame, frame]), raw.length],
    ["a frame and an empty one", Buffer.concat([frame, zstdCompressSync("")]), raw.length],
    [
      "a skippable frame first",
      Buffer.concat([Buffer.from("502a4d1800000000", "hex"), frame]),
      raw.length,
    ],
    ["a wrong checksum", badChecksum, raw.length],
    [
      "a frame that says another size",
      Buffer.concat([frame.subarray(0, 5), Buffer.from([3]), frame.subarray(6)]),
      raw.length,
    ],
    ["a window of 32 MiB", wideWindow(0x78), raw.length],
    ["a window of 128 MiB", wideWindow(0x88), raw.length],
    ["a window of 3 TiB", wideWindow(0xff), raw.length],
  ];
  for (const [name, payload, rawBytes, code = "bad_payload"] of cases) {
    test(name, () => assert.throws(() => decompressPayload(payload, rawBytes), refused(code)));
  }

  test("a window of 16 MiB is the largest that passes", () => {
    const widest = Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x70, 0x71, 0, 0]), raw]);
    assert.deepEqual(decompressPayload(widest, raw.length), raw);
  });

  test("other encoders' choices pass", () => {
    const random = new SeededRandom(82);
    const input = Buffer.from(encodeEntries(randomEntries(random, { count: 500 }), 0));
    const { ZSTD_c_checksumFlag, ZSTD_c_contentSizeFlag, ZSTD_c_compressionLevel } = constants;
    for (const [param, value] of [
      [ZSTD_c_checksumFlag, 1],
      [ZSTD_c_contentSizeFlag, 0],
      [ZSTD_c_compressionLevel, 12],
    ] as const) {
      assert.deepEqual(decompressPayload(withParam(param, value, input), input.length), input);
    }
  });

  test("a bomb costs what its header announces, not what it holds", () => {
    const bomb = zstdCompressSync(Buffer.alloc(200_000_000));
    assert.ok(bomb.length < 10_000);
    const before = process.memoryUsage().rss;
    for (const rawBytes of [1, 1_000, 100_000]) {
      for (let round = 0; round < 20; round++) {
        assert.throws(() => decompressPayload(bomb, rawBytes), refused("bad_payload"));
      }
    }
    const grownBytes = process.memoryUsage().rss - before;
    assert.ok(grownBytes < 100_000_000, `grew by ${grownBytes} bytes`);
  });
});

const logLine = (text: string, more = ""): string =>
  `["log",0,{"severity":9,"body":"${text}","attributes":{"a":"${more}"}}]\n`;

describe("lines refused", () => {
  const tick = '["tick",0,{}]\n';
  const cases: readonly (readonly [
    name: string,
    text: string | Buffer,
    entryCount: number,
    code: FormatErrorCode,
  ])[] = [
    ["no newline at the end", tick.trim(), 1, "bad_payload"],
    ["no newline at the end of the last", tick + tick.trim(), 2, "bad_payload"],
    ["fewer than announced", tick, 2, "bad_payload"],
    ["none, one announced", "", 1, "bad_payload"],
    ["more than announced", tick + tick, 1, "bad_payload"],
    ["one, none announced", tick, 0, "bad_payload"],
    ["a blank line", `${tick}\n${tick}`, 3, "bad_entry"],
    ["a blank line at the end", `${tick}\n`, 2, "bad_entry"],
    ["a blank line more than announced", `${tick}\n`, 1, "bad_payload"],
    ["a newline alone", "\n", 1, "bad_entry"],
    ["carriage returns", '["tick",0,{}]\r\n', 1, "bad_entry"],
    ["a byte order mark", `\ufeff${tick}`, 1, "bad_entry"],
    ["a NUL", '["tick",0,{}]\u0000\n', 1, "bad_entry"],
    ["a NUL within a text", '["stop",0,{"reason":"\u0000"}]\n', 1, "bad_entry"],
    ["two entries in one line", `${tick.trim()}${tick}`, 1, "bad_entry"],
    ["an entry over two lines", '["tick",\n0,{}]\n', 2, "bad_entry"],
    ["Latin-1", Buffer.from('["stop",0,{"reason":"é"}]\n', "latin1"), 1, "bad_payload"],
    ["a surrogate in UTF-8", Buffer.from("225b0aeda0800a", "hex"), 2, "bad_payload"],
    ["overlong UTF-8", Buffer.from("c0800a", "hex"), 1, "bad_payload"],
    ["UTF-16", Buffer.from(tick, "utf16le"), 1, "bad_entry"],
    ["time that goes below zero", '["tick",1,{}]\n["tick",-2,{}]\n', 2, "bad_entry"],
    ["an open that lies before the stream", '["close",9,1,0,"SF",0]\n', 1, "bad_entry"],
  ];
  for (const [name, text, entryCount, code] of cases) {
    test(name, () => {
      assert.throws(
        () => decodeEntries(Buffer.from(text), { seqFirst: 0, entryCount }),
        refused(code),
      );
    });
  }

  test("the line that is wrong is named", () => {
    const raw = Buffer.from(`${tick}${tick}nonsense\n`);
    assert.throws(() => decodeEntries(raw, { seqFirst: 0, entryCount: 3 }), {
      message: /^line 3: /,
    });
  });

  test("a line is bounded in bytes, not in characters", () => {
    const emptyBytes = logLine("").length - 1;
    const fits = LINE_BYTES_MAX - emptyBytes;
    const one = { seqFirst: 0, entryCount: 1 };
    const check = (text: string, ok: boolean): void => {
      const raw = Buffer.from(text);
      if (ok) assert.equal(decodeEntries(raw, one).length, 1);
      else assert.throws(() => decodeEntries(raw, one), refused("bad_entry"));
    };
    check(logLine("x".repeat(50_000), "x".repeat(fits - 50_000)), true);
    check(logLine("x".repeat(50_000), "x".repeat(fits - 49_999)), false);
    check(logLine("é".repeat(Math.floor(fits / 2))), true);
    check(logLine("é".repeat(Math.floor(fits / 2) + 1)), false);
    check(logLine("語".repeat(Math.floor(fits / 3))), true);
    check(logLine("語".repeat(Math.floor(fits / 3) + 1)), false);
  });
});

test("a full batch is read whole", () => {
  const entries: Entry[] = Array.from({ length: ENTRIES_PER_BATCH_MAX }, (_, atMs) => ({
    kind: "tick",
    atMs,
  }));
  const raw = Buffer.from(encodeEntries(entries, 0));
  let last = -1;
  forEachEntry(raw, { seqFirst: 0, entryCount: entries.length }, (_, seq) => (last = seq));
  assert.equal(last, ENTRIES_PER_BATCH_MAX - 1);
});

for (const read of [forEachEntry, checkEntries]) {
  for (const line of ['["tick",0,{}]\n', '["open",0,"i",6,"10.0.0.1",1,"10.0.0.2",2]\n']) {
    test(`what the reader throws passes through ${read.name}: ${line.trim()}`, () => {
      const thrown = new Error("mine");
      const each = (): never => {
        throw thrown;
      };
      assert.throws(
        () => read(Buffer.from(line), { seqFirst: 0, entryCount: 1 }, each),
        (error) => error === thrown,
      );
    });
  }
}

test("a payload may be read while another is", () => {
  const random = new SeededRandom(85);
  const entries = randomEntries(random, { count: 50, seqFirst: 1 });
  const raw = Buffer.from(encodeEntries(entries, 1));
  const expected = { seqFirst: 1, entryCount: entries.length };
  const seen: Entry[] = [];
  forEachEntry(raw, expected, (entry) => {
    assert.deepEqual(decodeEntries(raw, expected), entries);
    seen.push(entry);
  });
  assert.deepEqual(seen, entries);
});

function open(at: number): Entry {
  const initiatorIp = `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`;
  const tuple = {
    protocol: 6,
    initiatorIp,
    initiatorPort: 1,
    responderIp: "::",
    responderPort: 2,
  };
  return { kind: "open", atMs: at, role: "initiator", tuple, pickup: false };
}

test("more addresses than are kept", () => {
  for (let round = 0; round < 3; round++) {
    const entries = Array.from({ length: 60_000 }, (_, at) => open(round * 60_000 + at));
    const raw = Buffer.from(encodeEntries(entries, 0));
    const back = decodeEntries(raw, { seqFirst: 0, entryCount: entries.length });
    assert.deepEqual(back.at(0), entries[0]);
    assert.deepEqual(back.at(-1), entries.at(-1));
  }
});

function message(run: () => void): string {
  try {
    run();
  } catch (error) {
    return String(error);
  }
  return "";
}

test("checking sees what reading sees, and refuses with the same words", () => {
  const random = new SeededRandom(86);
  for (let round = 0; round < 500; round++) {
    const entries = randomEntries(random, { count: random.integer(1, 20), seqFirst: 3 });
    const raw = Buffer.from(encodeEntries(entries, 3));
    if (random.chance()) raw[random.integer(0, raw.length - 1)] = random.uint32() & 0x7f;
    const expected = { seqFirst: 3, entryCount: entries.length };
    const read: [kind: string, atMs: number][] = [];
    const checked: [kind: string, atMs: number][] = [];
    assert.equal(
      message(() => checkEntries(raw, expected, (kind, atMs) => checked.push([kind, atMs]))),
      message(() => forEachEntry(raw, expected, ({ kind, atMs }) => read.push([kind, atMs]))),
    );
    assert.deepEqual(checked, read);
  }
});

test("changed bytes are refused with a FormatError, or are what they say", () => {
  const random = new SeededRandom(83);
  for (let round = 0; round < 1_500; round++) {
    const entries = randomEntries(random, { count: random.integer(1, 20) });
    const raw = Buffer.from(encodeEntries(entries, 0));
    const bytes = random.chance() ? compressPayload(raw) : raw;
    for (let change = random.integer(1, 3); change > 0; change--) {
      bytes[random.integer(0, bytes.length - 1)] = random.uint32() & 0xff;
    }
    const expected = { seqFirst: 0, entryCount: entries.length };
    try {
      const text = bytes === raw ? raw : decompressPayload(bytes, raw.length);
      assert.equal(encodeEntries(decodeEntries(text, expected), 0), text.toString());
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
    }
  }
});

test("a payload that ends where zlib's own chunks do is one frame", () => {
  const random = new SeededRandom(85);
  // Random bytes do not compress, so that some of these become 16, 32 and 64 KiB exactly.
  for (const chunkBytes of [16_384, 32_768, 65_536]) {
    const lengths = new Set<number>();
    for (let rawBytes = chunkBytes - 24; rawBytes <= chunkBytes; rawBytes++) {
      const raw = random.bytes(rawBytes);
      const payload = compressPayload(raw);
      lengths.add(payload.length);
      assert.deepEqual(decompressPayload(payload, rawBytes), Buffer.from(raw));
    }
    assert.ok(lengths.has(chunkBytes));
  }
});

test("random bytes are no payload", () => {
  const random = new SeededRandom(84);
  for (let round = 0; round < 1_500; round++) {
    const bytes = random.bytes(random.integer(0, 300));
    if (random.chance(0.7) && bytes.length > 4) bytes.set([0x28, 0xb5, 0x2f, 0xfd]);
    assert.throws(() => decompressPayload(bytes, random.integer(1, 1_000)), FormatError);
    assert.throws(() => decodeEntries(bytes, { seqFirst: 0, entryCount: 1 }), FormatError);
  }
});
