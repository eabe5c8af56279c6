import assert from "node:assert/strict";
import { type KeyObject, sign } from "node:crypto";
import { describe, test } from "node:test";
import { SeededRandom } from "../std/seeded-random.ts";
import { FormatError } from "./format-error.ts";
import { privateKeyFromSeed, publicKeyFromRaw, rawPublicKey } from "./identity.ts";
import {
  type Head,
  openHead,
  openReceipt,
  type Receipt,
  signHead,
  signReceipt,
} from "./receipt.ts";

const MAX = Number.MAX_SAFE_INTEGER;
const key = privateKeyFromSeed(Buffer.alloc(32, 3));
const publicKey = publicKeyFromRaw(rawPublicKey(key));
const otherKey = publicKeyFromRaw(rawPublicKey(privateKeyFromSeed(Buffer.alloc(32, 4))));
const nonce = Buffer.alloc(16, 0x33);
const refused = { name: "FormatError", code: "bad_receipt" };

const RECEIPT: Receipt = {
  nodeId: Buffer.alloc(16, 0x11),
  epoch: 1,
  batchNo: 2,
  head: Buffer.alloc(32, 0x22),
  index: 3,
  receivedMs: 4,
};
const HEAD: Head = {
  nodeId: Buffer.alloc(16, 0x11),
  epoch: 1,
  batches: 2,
  head: Buffer.alloc(32, 0x22),
  nextSeq: 3,
  nonce,
};
const COMMON = `${"11".repeat(16)}000000010000000000000002${"22".repeat(32)}`;

/** The same body, signed whatever it says. */
function resigned(body: Buffer, domain: string, by: KeyObject = key): Buffer {
  return Buffer.concat([body, sign(null, Buffer.concat([Buffer.from(domain), body]), by)]);
}

/** What both structures promise. */
interface Subject {
  readonly name: string;
  readonly bodyBytes: number;
  readonly bodyHex: string;
  readonly domain: string;
  readonly bytes: Buffer;
  readonly value: Receipt | Head;
  readonly open: (bytes: Uint8Array, by?: KeyObject) => Receipt | Head;
}

const SUBJECTS: readonly Subject[] = [
  {
    name: "receipt",
    bodyBytes: 80,
    bodyHex: `01020000${COMMON}00000000000000030000000000000004`,
    domain: "tallystick/receipt/v1\n",
    bytes: signReceipt(RECEIPT, key),
    value: RECEIPT,
    open: (bytes, by = publicKey) => openReceipt(bytes, by),
  },
  {
    name: "head",
    bodyBytes: 88,
    bodyHex: `01030000${COMMON}0000000000000003${"33".repeat(16)}`,
    domain: "tallystick/head/v1\n",
    bytes: signHead(HEAD, key),
    value: HEAD,
    open: (bytes, by = publicKey) => openHead(bytes, by, nonce),
  },
];

for (const { name, bodyBytes, bodyHex, domain, bytes, value, open } of SUBJECTS) {
  describe(name, () => {
    test("every field stands where docs/formats.md says, and comes back", () => {
      assert.equal(bytes.length, bodyBytes + 64);
      assert.equal(bytes.toString("hex", 0, bodyBytes), bodyHex);
      assert.deepEqual(open(bytes), value);
      assert.deepEqual(open(resigned(bytes.subarray(0, bodyBytes), domain)), value);
    });

    test("one changed bit anywhere is refused", () => {
      for (let at = 0; at < bytes.length; at++) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ 1;
        assert.throws(() => open(changed), refused, String(at));
      }
    });

    test("another length, key or purpose is refused", () => {
      assert.throws(() => open(bytes.subarray(1)), refused);
      for (let length = 0; length < bytes.length; length += 5) {
        assert.throws(() => open(bytes.subarray(0, length)), refused, String(length));
      }
      assert.throws(() => open(Buffer.concat([bytes, Buffer.alloc(1)])), refused);
      assert.throws(() => open(bytes, otherKey), refused);
      const body = bytes.subarray(0, bodyBytes);
      assert.throws(() => open(resigned(body, "tallystick/batch/v1\n")), refused);
    });

    const signedButWrong: readonly (readonly [what: string, at: number, hex: string])[] = [
      ["another version", 0, "02"],
      ["another type", 1, "01"],
      ["reserved bytes", 2, "0001"],
      ["an inexact batch number", 24, "0020000000000000"],
      ["an inexact number at its end", 64, "ffffffffffffffff"],
    ];
    for (const [what, at, hex] of signedButWrong) {
      test(`well signed, yet refused: ${what}`, () => {
        const body = Buffer.from(bytes.subarray(0, bodyBytes));
        body.set(Buffer.from(hex, "hex"), at);
        assert.throws(() => open(resigned(body, domain)), refused);
      });
    }

    test("what was read does not change with the buffer it came in", () => {
      const mine = Buffer.from(bytes);
      const read = open(mine);
      mine.fill(0);
      assert.deepEqual(read, value);
    });

    test("random bytes are refused", () => {
      const random = new SeededRandom(31);
      for (let round = 0; round < 300; round++) {
        const garbage = random.bytes(random.pick([bodyBytes + 64, random.integer(4, 200)]));
        if (random.chance()) garbage.set(bytes.subarray(0, 4));
        assert.throws(() => open(garbage), FormatError);
      }
    });
  });
}

test("a head answers the nonce that was asked with, and no other", () => {
  const bytes = signHead(HEAD, key);
  for (const other of [Buffer.alloc(16), Buffer.alloc(0), Buffer.alloc(17, 0x33)]) {
    assert.throws(() => openHead(bytes, publicKey, other), refused);
  }
});

test("a receipt is no head and a head no receipt", () => {
  assert.throws(() => openHead(signReceipt(RECEIPT, key), publicKey, nonce), refused);
  assert.throws(() => openReceipt(signHead(HEAD, key), publicKey), refused);
});

test("values outside their fields are refused before they are signed", () => {
  const receipts: readonly Partial<Receipt>[] = [
    { nodeId: Buffer.alloc(15) },
    { nodeId: Buffer.alloc(17) },
    { head: Buffer.alloc(31) },
    { head: Buffer.alloc(33) },
    { epoch: -1 },
    { epoch: 0x1_0000_0000 },
    { batchNo: -1 },
    { batchNo: MAX + 1 },
    { index: -1 },
    { index: 0.5 },
    { receivedMs: Number.NaN },
  ];
  for (const change of receipts) {
    assert.throws(() => signReceipt({ ...RECEIPT, ...change }, key), refused);
  }
  const heads: readonly Partial<Head>[] = [
    { nodeId: Buffer.alloc(0) },
    { head: Buffer.alloc(16) },
    { epoch: 1.5 },
    { batches: -1 },
    { nextSeq: MAX + 1 },
    { nonce: Buffer.alloc(15) },
    { nonce: Buffer.alloc(17) },
  ];
  for (const change of heads) assert.throws(() => signHead({ ...HEAD, ...change }, key), refused);
});

test("the largest values come back", () => {
  const receipt = { ...RECEIPT, epoch: 0xffff_ffff, batchNo: MAX, index: MAX, receivedMs: MAX };
  assert.deepEqual(openReceipt(signReceipt(receipt, key), publicKey), receipt);
  const head = { ...HEAD, epoch: 0xffff_ffff, batches: MAX, nextSeq: MAX };
  assert.deepEqual(openHead(signHead(head, key), publicKey, nonce), head);
});
