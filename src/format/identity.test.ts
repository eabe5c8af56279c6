import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { test } from "node:test";
import {
  domainHash,
  keyIdOf,
  nodeIdOf,
  privateKeyFromSeed,
  publicKeyFromRaw,
  rawPublicKey,
} from "./identity.ts";

const refused = { name: "FormatError", code: "bad_key" };

/** RFC 8032 §7.1, tests 1 to 3. */
const RFC_8032: readonly (readonly [seed: string, publicKey: string])[] = [
  [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  ],
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
  ],
  [
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
  ],
];

test("a seed gives the key pair that RFC 8032 says", () => {
  for (const [seed, publicKey] of RFC_8032) {
    const key = privateKeyFromSeed(Buffer.from(seed, "hex"));
    assert.equal(rawPublicKey(key).toString("hex"), publicKey);
    assert.equal(rawPublicKey(createPublicKey(key)).toString("hex"), publicKey);
    assert.equal(rawPublicKey(publicKeyFromRaw(rawPublicKey(key))).toString("hex"), publicKey);
  }
});

test("seeds and public keys have 32 bytes", () => {
  for (const length of [0, 16, 31, 33, 64]) {
    assert.throws(() => privateKeyFromSeed(Buffer.alloc(length)), refused, String(length));
    assert.throws(() => publicKeyFromRaw(Buffer.alloc(length)), refused, String(length));
  }
});

test("ids are cut hashes with a domain of their own", () => {
  const publicKey = Buffer.alloc(32, 7);
  const hash = (domain: string): string =>
    createHash("sha256").update(domain).update(publicKey).digest("hex");
  assert.equal(nodeIdOf(publicKey).toString("hex"), hash("tallystick/node/v1\n").slice(0, 32));
  assert.equal(keyIdOf(publicKey).toString("hex"), hash("tallystick/key/v1\n").slice(0, 8));
});

test("a domain hash is over the concatenation of its parts", () => {
  const whole = domainHash("d\n", Buffer.from("abc"));
  assert.deepEqual(domainHash("d\n", Buffer.from("a"), Buffer.alloc(0), Buffer.from("bc")), whole);
  assert.deepEqual(domainHash("d\nabc"), whole);
  assert.notDeepEqual(domainHash("e\n", Buffer.from("abc")), whole);
});

/** For these, a signature that anybody can write would hold for a share of all messages. */
const SMALL_ORDER = [
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
];

test("a public key of small order verifies nothing", () => {
  const signature = Buffer.alloc(64);
  signature[0] = 1;
  for (const hex of SMALL_ORDER) {
    const key = publicKeyFromRaw(Buffer.from(hex, "hex"));
    for (let round = 0; round < 32; round++) {
      assert.equal(verify(null, Buffer.from(`message ${round}`), key, signature), false, hex);
    }
  }
});
