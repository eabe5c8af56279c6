import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SeededRandom } from "../std/seeded-random.ts";
import {
  type BatchHeader,
  chainHash,
  decodeFrame,
  decodeHeader,
  encodeFrame,
  encodeHeader,
  FLAG,
  genesisHash,
  HEADER_BYTES,
  signHeader,
  verifyHeader,
} from "./batch.ts";
import { FormatError, type FormatErrorCode } from "./format-error.ts";
import { domainHash, privateKeyFromSeed, publicKeyFromRaw, rawPublicKey } from "./identity.ts";
import { ENTRIES_PER_BATCH_MAX, PAYLOAD_BYTES_MAX, RAW_BYTES_MAX, TIME_MS_END } from "./limits.ts";

const MAX = Number.MAX_SAFE_INTEGER;
const key = privateKeyFromSeed(Buffer.alloc(32, 1));
const publicKey = publicKeyFromRaw(rawPublicKey(key));

const HEADER: BatchHeader = {
  flags: 0,
  nodeId: Buffer.alloc(16, 0x11),
  keyId: Buffer.alloc(4, 0x22),
  epoch: 1,
  entryCount: 2,
  batchNo: 3,
  seqFirst: 4,
  firstAtMs: 5,
  lastAtMs: 6,
  closedAtMs: 7,
  completeToMs: 8,
  bootAtMs: 9,
  payloadBytes: 10,
  rawBytes: 11,
  payloadHash: Buffer.alloc(32, 0x33),
  entriesRoot: Buffer.alloc(32, 0x44),
  prevHash: Buffer.alloc(32, 0x55),
  seenSize: 12,
  seenRoot: Buffer.alloc(32, 0x66),
};
const EMPTY: BatchHeader = {
  ...HEADER,
  entryCount: 0,
  payloadBytes: 0,
  rawBytes: 0,
  firstAtMs: 7,
  lastAtMs: 7,
};

const u64 = (value: number): string => value.toString(16).padStart(16, "0");

/** Values as plain bytes, so that Buffers and views compare. */
function plain(header: BatchHeader): Record<string, unknown> {
  const entries = Object.entries(header) as [string, unknown][];
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
    ]),
  );
}

describe("header", () => {
  test("every field stands where docs/formats.md says", () => {
    const hex = encodeHeader(HEADER).toString("hex");
    const parts = [
      "01010000",
      "11".repeat(16),
      "22".repeat(4),
      "00000001",
      "00000002",
      ...[3, 4, 5, 6, 7, 8, 9].map(u64),
      "0000000a",
      "0000000b",
      "33".repeat(32),
      "44".repeat(32),
      "55".repeat(32),
      u64(12),
      "66".repeat(32),
    ];
    assert.equal(hex, parts.join(""));
    assert.equal(hex.length, HEADER_BYTES * 2);
  });

  const accepted: readonly (readonly [name: string, change: Partial<BatchHeader>])[] = [
    ["all flags, known and unknown, but heartbeat", { flags: 0xfffe }],
    ["the last epoch", { epoch: 0xffff_ffff }],
    ["most entries", { entryCount: ENTRIES_PER_BATCH_MAX }],
    ["largest payload", { payloadBytes: PAYLOAD_BYTES_MAX }],
    ["largest text", { rawBytes: RAW_BYTES_MAX }],
    ["the last seq", { seqFirst: MAX - 2 }],
    ["the last batch", { batchNo: MAX }],
    ["the last checkpoint", { seenSize: MAX }],
    ["one moment", { firstAtMs: 6, lastAtMs: 6 }],
    ["the last moment", { lastAtMs: TIME_MS_END - 1, closedAtMs: TIME_MS_END - 1 }],
    ["entries from after the closing, by a clock that was set", { closedAtMs: 0 }],
    ["a heartbeat", { ...EMPTY, flags: FLAG.heartbeat }],
    ["nothing, and a stop", { ...EMPTY, flags: FLAG.stop }],
  ];
  for (const [name, change] of accepted) {
    test(`accepted: ${name}`, () => {
      const header = { ...HEADER, ...change };
      assert.deepEqual(plain(decodeHeader(encodeHeader(header))), plain(header));
    });
  }

  type Refused = readonly [name: string, change: Partial<BatchHeader>, code?: FormatErrorCode];
  const refused: readonly Refused[] = [
    ["flags of three bytes", { flags: 0x1_0000 }],
    ["negative flags", { flags: -1 }],
    ["an epoch past u32", { epoch: 0x1_0000_0000 }],
    ["a negative epoch", { epoch: -1 }],
    ["half an entry", { entryCount: 1.5 }],
    ["too many entries", { entryCount: ENTRIES_PER_BATCH_MAX + 1 }],
    ["too large a payload", { payloadBytes: PAYLOAD_BYTES_MAX + 1 }, "payload_too_large"],
    ["too large a text", { rawBytes: RAW_BYTES_MAX + 1 }, "payload_too_large"],
    ["a negative payload", { payloadBytes: -1 }],
    ["an inexact batch number", { batchNo: MAX + 1 }],
    ["a negative batch number", { batchNo: -1 }],
    ["numbers that run out within the batch", { seqFirst: MAX - 1 }],
    ["a negative seq", { seqFirst: -1 }],
    ["no number", { bootAtMs: Number.NaN }],
    ["the year 10000", { lastAtMs: TIME_MS_END }],
    ["closed in the year 10000", { closedAtMs: TIME_MS_END }],
    ["complete to the year 10000", { completeToMs: TIME_MS_END }],
    ["booted in the year 10000", { bootAtMs: TIME_MS_END }],
    ["first after last", { firstAtMs: 7 }],
    ["a time before 1970", { firstAtMs: -1 }],
    ["an inexact checkpoint", { seenSize: MAX + 1 }],
    ["a short node id", { nodeId: Buffer.alloc(15) }],
    ["a long node id", { nodeId: Buffer.alloc(17) }],
    ["a short key id", { keyId: Buffer.alloc(3) }],
    ["a short payload hash", { payloadHash: Buffer.alloc(31) }],
    ["a long root", { entriesRoot: Buffer.alloc(33) }],
    ["no previous hash", { prevHash: Buffer.alloc(0) }],
    ["a short checkpoint", { seenRoot: Buffer.alloc(31) }],
    ["a heartbeat with entries", { flags: FLAG.heartbeat }],
    ["entries without text", { rawBytes: 0 }],
    ["entries without payload", { payloadBytes: 0 }],
    ["text without entries", { ...EMPTY, rawBytes: 1 }],
    ["a payload without entries", { ...EMPTY, payloadBytes: 9 }],
    ["no entries, yet a first time", { ...EMPTY, firstAtMs: 6 }],
    ["no entries, yet a last time", { ...EMPTY, lastAtMs: 8 }],
  ];
  for (const [name, change, code = "bad_header"] of refused) {
    test(`refused: ${name}`, () => {
      assert.throws(() => encodeHeader({ ...HEADER, ...change }), { name: "FormatError", code });
    });
  }

  const patches: readonly (readonly [
    name: string,
    at: number,
    hex: string,
    code?: FormatErrorCode,
  ])[] = [
    ["another version", 0, "02"],
    ["another type", 1, "02"],
    ["65,537 entries", 28, "00010001"],
    ["an inexact batch number", 32, "0020000000000000"],
    ["a seq of all ones", 40, "ffffffffffffffff"],
    ["first time in the year 10000", 48, "0000e677d21fdc00"],
    ["first after last", 48, "0000000000000007"],
    ["an inexact last time", 56, "7fffffffffffffff"],
    ["an inexact closing time", 64, "7fffffffffffffff"],
    ["an inexact watermark", 72, "7fffffffffffffff"],
    ["an inexact boot time", 80, "7fffffffffffffff"],
    ["4 GiB of payload", 88, "ffffffff", "payload_too_large"],
    ["4 GiB of text", 92, "ffffffff", "payload_too_large"],
    ["an inexact checkpoint", 192, "0020000000000001"],
    ["a heartbeat with entries", 2, "0001"],
    ["no entries, but bytes", 28, "00000000"],
  ];
  for (const [name, at, hex, code = "bad_header"] of patches) {
    test(`bytes refused: ${name}`, () => {
      const bytes = encodeHeader(HEADER);
      bytes.set(Buffer.from(hex, "hex"), at);
      assert.throws(() => decodeHeader(bytes), { name: "FormatError", code });
    });
  }

  test("cut at any byte it is refused; what follows is not looked at", () => {
    const bytes = encodeHeader(HEADER);
    for (let length = 0; length < HEADER_BYTES; length++) {
      const cut = bytes.subarray(0, length);
      assert.throws(() => decodeHeader(cut), { code: "bad_header" }, String(length));
    }
    const longer = Buffer.concat([bytes, Buffer.alloc(7, 0xff)]);
    assert.deepEqual(plain(decodeHeader(longer)), plain(HEADER));
  });

  test("a header in the middle of a buffer is read at its own place", () => {
    const shifted = Buffer.concat([Buffer.alloc(13, 0xee), encodeHeader(HEADER)]);
    const view = new Uint8Array(shifted.buffer, shifted.byteOffset + 13, HEADER_BYTES);
    assert.deepEqual(plain(decodeHeader(view)), plain(HEADER));
  });
});

function randomHeader(random: SeededRandom): BatchHeader {
  const entryCount = random.integer(1, ENTRIES_PER_BATCH_MAX);
  const time = (): number => random.integer(0, TIME_MS_END - 1);
  const [firstAtMs, lastAtMs] = [time(), time()].sort((a, b) => a - b) as [number, number];
  return {
    flags: random.integer(0, 0xffff) & ~FLAG.heartbeat,
    nodeId: random.bytes(16),
    keyId: random.bytes(4),
    epoch: random.uint32(),
    entryCount,
    batchNo: random.integer(0, MAX - 1),
    seqFirst: random.integer(0, MAX - entryCount),
    firstAtMs,
    lastAtMs,
    closedAtMs: time(),
    completeToMs: time(),
    bootAtMs: time(),
    payloadBytes: random.integer(1, PAYLOAD_BYTES_MAX),
    rawBytes: random.integer(1, RAW_BYTES_MAX),
    payloadHash: random.bytes(32),
    entriesRoot: random.bytes(32),
    prevHash: random.bytes(32),
    seenSize: random.integer(0, MAX - 1),
    seenRoot: random.bytes(32),
  };
}

test("any header comes back from its bytes", () => {
  const random = new SeededRandom(21);
  for (let round = 0; round < 2_000; round++) {
    const header = randomHeader(random);
    assert.deepEqual(plain(decodeHeader(encodeHeader(header))), plain(header));
  }
});

test("any bytes are a header that gives the same bytes, or are refused", () => {
  const random = new SeededRandom(22);
  let accepted = 0;
  for (let round = 0; round < 5_000; round++) {
    const bytes = encodeHeader(randomHeader(random));
    for (let change = random.integer(1, 3); change > 0; change--) {
      bytes[random.integer(0, HEADER_BYTES - 1)] = random.uint32() & 0xff;
    }
    try {
      assert.deepEqual(encodeHeader(decodeHeader(bytes)), bytes);
      accepted++;
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
    }
  }
  assert.ok(accepted > 1_000, String(accepted));
});

describe("chain and signature", () => {
  const bytes = encodeHeader(HEADER);

  test("hashes have domains of their own", () => {
    assert.deepEqual(chainHash(bytes), domainHash("tallystick/chain/v1\n", bytes));
    const raw = rawPublicKey(key);
    assert.deepEqual(genesisHash(raw), domainHash("tallystick/genesis/v1\n", raw));
    assert.notDeepEqual(chainHash(raw), genesisHash(raw));
  });

  test("one changed bit anywhere breaks the signature and the chain", () => {
    const signature = signHeader(bytes, key);
    assert.equal(verifyHeader(bytes, signature, publicKey), true);
    for (let at = 0; at < HEADER_BYTES; at += 7) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.equal(verifyHeader(changed, signature, publicKey), false, String(at));
      assert.notDeepEqual(chainHash(changed), chainHash(bytes));
    }
  });

  test("signatures of another length, key or purpose do not hold", () => {
    const signature = signHeader(bytes, key);
    const otherKey = privateKeyFromSeed(Buffer.alloc(32, 2));
    assert.equal(verifyHeader(bytes, signature.subarray(0, 63), publicKey), false);
    assert.equal(verifyHeader(bytes, Buffer.alloc(0), publicKey), false);
    assert.equal(
      verifyHeader(bytes, Buffer.concat([signature, Buffer.alloc(1)]), publicKey),
      false,
    );
    assert.equal(verifyHeader(bytes, signHeader(bytes, otherKey), publicKey), false);
    assert.equal(verifyHeader(bytes.subarray(1), signature, publicKey), false);
  });
});

describe("frame", () => {
  const headerBytes = encodeHeader(HEADER);
  const signature = signHeader(headerBytes, key);
  const payload = Buffer.from("0123456789");
  const frame = encodeFrame(headerBytes, signature, payload);

  test("its three parts come back", () => {
    const batch = decodeFrame(frame);
    assert.deepEqual(Buffer.from(batch.headerBytes), headerBytes);
    assert.deepEqual(Buffer.from(batch.signature), signature);
    assert.deepEqual(Buffer.from(batch.payload), payload);
    assert.deepEqual(plain(batch.header), plain(HEADER));
  });

  test("cut or lengthened anywhere it is refused", () => {
    for (let length = 0; length < frame.length; length++) {
      const code = length < HEADER_BYTES ? "bad_header" : "bad_payload";
      assert.throws(() => decodeFrame(frame.subarray(0, length)), { code }, String(length));
    }
    assert.throws(() => decodeFrame(Buffer.concat([frame, Buffer.alloc(1)])), {
      code: "bad_payload",
    });
  });

  test("one without entries ends with its signature", () => {
    const bytes = encodeHeader({ ...EMPTY, flags: FLAG.heartbeat });
    const batch = decodeFrame(encodeFrame(bytes, signature, Buffer.alloc(0)));
    assert.equal(batch.payload.length, 0);
  });
});
