import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { SeededRandom } from "../std/seeded-random.ts";
import { FormatError } from "./format-error.ts";
import { checkSingleFrame } from "./zstd-frame.ts";

const hello = zstdCompressSync("hello\n");
const HELLO_HEX = "28b52ffd200631000068656c6c6f0a";
const SKIPPABLE = Buffer.from("502a4d180300000061626300".slice(0, 22), "hex");

test("the frames that encoders write are whole", () => {
  const random = new SeededRandom(51);
  const inputs = [
    Buffer.alloc(0),
    Buffer.from("a"),
    Buffer.alloc(255),
    Buffer.alloc(256),
    Buffer.alloc(65_792),
    Buffer.alloc(3_000_000, "[1,2]\n"),
    random.bytes(300_000),
  ];
  const { ZSTD_c_checksumFlag, ZSTD_c_contentSizeFlag, ZSTD_c_compressionLevel } = constants;
  for (const input of inputs) {
    for (const checksum of [0, 1]) {
      for (const size of [0, 1]) {
        for (const level of [-5, 1, 3]) {
          const params = {
            [ZSTD_c_checksumFlag]: checksum,
            [ZSTD_c_contentSizeFlag]: size,
            [ZSTD_c_compressionLevel]: level,
          };
          checkSingleFrame(zstdCompressSync(input.subarray(0, 150_000), { params }));
        }
      }
    }
  }
});

describe("refused", () => {
  const cases: readonly (readonly [name: string, payload: Buffer])[] = [
    ["nothing", Buffer.alloc(0)],
    ["less than a magic number", hello.subarray(0, 3)],
    ["a magic number alone", hello.subarray(0, 4)],
    ["a descriptor alone", hello.subarray(0, 5)],
    ["plain text", Buffer.from('["tick",0,{}]\n')],
    ["gzip", Buffer.from("1f8b0800000000000003", "hex")],
    ["two frames", Buffer.concat([hello, hello])],
    ["an empty second frame", Buffer.concat([hello, zstdCompressSync("")])],
    ["a byte after the frame", Buffer.concat([hello, Buffer.alloc(1)])],
    ["a newline after the frame", Buffer.concat([hello, Buffer.from("\n")])],
    ["a skippable frame alone", SKIPPABLE],
    ["a skippable frame first", Buffer.concat([SKIPPABLE, hello])],
    ["a skippable frame last", Buffer.concat([hello, SKIPPABLE])],
    ["an older zstd's frame", Buffer.from(`27${HELLO_HEX.slice(2)}`, "hex")],
    ["a dictionary of one byte", Buffer.from("28b52ffd21070631000068656c6c6f0a", "hex")],
    ["a dictionary of four bytes", Buffer.from("28b52ffd23070000000631000068656c6c6f0a", "hex")],
    ["a block of the reserved type", Buffer.from("28b52ffd200637000068656c6c6f0a", "hex")],
    ["a last block that never comes", Buffer.from("28b52ffd200630000068656c6c6f0a", "hex")],
    ["a block longer than the rest", Buffer.from("28b52ffd2006f9ffff68656c6c6f0a", "hex")],
    ["a missing checksum", Buffer.from("28b52ffd240631000068656c6c6f0a", "hex")],
  ];
  for (const [name, payload] of cases) {
    test(name, () => {
      assert.throws(() => checkSingleFrame(payload), { name: "FormatError", code: "bad_payload" });
    });
  }

  test("a frame cut anywhere", () => {
    const params = { [constants.ZSTD_c_checksumFlag]: 1 };
    for (const frame of [hello, zstdCompressSync(Buffer.alloc(5_000, "abc"), { params })]) {
      for (let length = 0; length < frame.length; length++) {
        const cut = frame.subarray(0, length);
        assert.throws(() => checkSingleFrame(cut), FormatError, String(length));
      }
    }
  });
});

test("a frame in the middle of a buffer is read at its own place", () => {
  const shifted = Buffer.concat([Buffer.alloc(9, 0xff), hello]);
  checkSingleFrame(new Uint8Array(shifted.buffer, shifted.byteOffset + 9, hello.length));
});

test("whatever passes and can be decompressed is used to its last byte", () => {
  const random = new SeededRandom(52);
  let passed = 0;
  for (let round = 0; round < 4_000; round++) {
    const frame = zstdCompressSync(Buffer.from("line of text\n".repeat(random.integer(1, 60))));
    frame[random.integer(4, frame.length - 1)] = random.uint32() & 0xff;
    try {
      checkSingleFrame(frame);
      zstdDecompressSync(frame, { maxOutputLength: 10_000 });
    } catch {
      continue;
    }
    passed++;
    assert.throws(() => zstdDecompressSync(frame.subarray(0, -1), { maxOutputLength: 10_000 }));
  }
  assert.ok(passed > 100, String(passed));
});
