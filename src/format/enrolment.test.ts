import assert from "node:assert/strict";
import { createHash, verify } from "node:crypto";
import { test } from "node:test";
import { SeededRandom } from "../std/seeded-random.ts";
import {
  type EnrolmentProof,
  formatEnrolmentKey,
  isNodeName,
  parseEnrolmentKey,
  signEnrolment,
  signHeadRequest,
  verifyEnrolment,
  verifyHeadRequest,
} from "./enrolment.ts";
import { privateKeyFromSeed, publicKeyFromRaw, rawPublicKey } from "./identity.ts";

const refused = { name: "FormatError", code: "bad_key" };
const key = privateKeyFromSeed(Buffer.alloc(32, 5));
const publicKey = rawPublicKey(key);
const verifier = publicKeyFromRaw(publicKey);
const otherVerifier = publicKeyFromRaw(rawPublicKey(privateKeyFromSeed(Buffer.alloc(32, 6))));

const ID = "AAECAwQF";
const SECRET = Buffer.alloc(24, 0xfb).toString("base64url");
const FINGERPRINT = Buffer.alloc(32, 0x0c).toString("base64url");

test("a key's text and its parts give each other", () => {
  const random = new SeededRandom(41);
  for (let round = 0; round < 200; round++) {
    const fingerprint = random.chance() ? { fingerprint: random.bytes(32) } : {};
    const parts = { id: random.bytes(6), secret: random.bytes(24), ...fingerprint };
    const text = formatEnrolmentKey(parts);
    assert.match(text, /^tsk1\.[\w-]{8}\.[\w-]{32}(?:\.[\w-]{43})?$/);
    assert.deepEqual(parseEnrolmentKey(text), parts);
    assert.deepEqual(parseEnrolmentKey(` \t${text}\r\n`), parts, "as it comes out of a file");
  }
});

test("any other text is refused, and never shown", () => {
  const texts = [
    "",
    "tsk1",
    "tsk1.",
    "tsk1..",
    `tsk1.${ID}`,
    `tsk1.${ID}.`,
    `tsk2.${ID}.${SECRET}`,
    `TSK1.${ID}.${SECRET}`,
    `${ID}.${SECRET}`,
    `tsk1.${ID}A.${SECRET}`,
    `tsk1.${ID.slice(1)}.${SECRET}`,
    `tsk1.${ID}.${SECRET.slice(1)}`,
    `tsk1.${ID}.${SECRET}A`,
    `tsk1.${ID}.${SECRET}.`,
    `tsk1.${ID}.${SECRET}.${FINGERPRINT.slice(1)}`,
    `tsk1.${ID}.${SECRET}.${FINGERPRINT}A`,
    `tsk1.${ID}.${SECRET}.${FINGERPRINT}.`,
    `tsk1.${ID}.${SECRET}.${FINGERPRINT}.more`,
    `tsk1.${ID}.${SECRET.replaceAll("-", "+")}`,
    `tsk1.${ID}.${SECRET}=`,
    `tsk1.${ID} .${SECRET}`,
    `tsk1.${ID}.!${SECRET}`,
    `tsk1.${ID}.${SECRET.slice(0, 31)}\n`,
    `tsk1.${ID}.${SECRET}.${FINGERPRINT.slice(0, 42)}B`,
  ];
  for (const text of texts) {
    assert.throws(() => parseEnrolmentKey(text), refused, text);
    assert.throws(
      () => parseEnrolmentKey(text),
      (error: Error) => !error.message.includes(SECRET.slice(2, 20)),
    );
  }
});

test("node names are DNS labels with dots and underscores inside", () => {
  const cases: readonly (readonly [name: string, expected: boolean])[] = [
    ["a", true],
    ["7", true],
    ["Web-1.example_site", true],
    ["a".repeat(63), true],
    ["a".repeat(64), false],
    ["", false],
    ["-a", false],
    ["a-", false],
    [".a", false],
    ["a.", false],
    ["_a", false],
    ["a b", false],
    ["a/b", false],
    ["a\n", false],
    ["\na", false],
    ["é", false],
    ["a\u0000b", false],
    ["a".repeat(1_000_000), false],
  ];
  for (const [name, expected] of cases) {
    assert.equal(isNodeName(name), expected, JSON.stringify(name.slice(0, 40)));
  }
});

const PROOF: EnrolmentProof = { publicKey, secret: Buffer.alloc(24, 7), name: "web-1" };

test("an enrolment signs key, hashed secret and name", () => {
  const signature = signEnrolment(PROOF, key);
  const secretHash = createHash("sha256").update(PROOF.secret).digest();
  const message = Buffer.concat([
    Buffer.from("tallystick/enrol/v1\n"),
    publicKey,
    secretHash,
    Buffer.from("web-1"),
  ]);
  assert.equal(verify(null, message, verifier, signature), true);
  assert.equal(verifyEnrolment(PROOF, signature, verifier), true);
});

test("an enrolment holds for nothing else than was signed", () => {
  const signature = signEnrolment(PROOF, key);
  const others: readonly Partial<EnrolmentProof>[] = [
    { name: "web-2" },
    { name: "web-1 " },
    { name: "" },
    { secret: Buffer.alloc(24, 8) },
    { secret: Buffer.alloc(23, 7) },
    { secret: Buffer.alloc(0) },
    { publicKey: Buffer.alloc(32) },
    { publicKey: Buffer.alloc(0) },
  ];
  for (const change of others) {
    assert.equal(verifyEnrolment({ ...PROOF, ...change }, signature, verifier), false);
  }
  assert.equal(verifyEnrolment(PROOF, signature, otherVerifier), false);
  assert.equal(verifyEnrolment(PROOF, signature.subarray(1), verifier), false);
});

test("nothing is signed that no server would take", () => {
  const others: readonly Partial<EnrolmentProof>[] = [
    { name: "" },
    { name: "a b" },
    { secret: Buffer.alloc(25) },
    { publicKey: Buffer.alloc(33) },
  ];
  for (const change of others) {
    assert.throws(() => signEnrolment({ ...PROOF, ...change }, key), refused);
  }
});

test("a head request holds for one node and one nonce", () => {
  const request = { nodeId: Buffer.alloc(16, 1), nonce: Buffer.alloc(16, 2) };
  const signature = signHeadRequest(request, key);
  const message = Buffer.concat([
    Buffer.from("tallystick/head-request/v1\n"),
    request.nodeId,
    request.nonce,
  ]);
  assert.equal(verify(null, message, verifier, signature), true);
  assert.equal(verifyHeadRequest(request, signature, verifier), true);
  assert.equal(verifyHeadRequest(request, signature, otherVerifier), false);
  const others = [
    { ...request, nodeId: Buffer.alloc(16) },
    { ...request, nonce: Buffer.alloc(16) },
    { nodeId: Buffer.alloc(16, 1).subarray(1), nonce: Buffer.from(`\u0001${"\u0002".repeat(16)}`) },
  ];
  for (const other of others) assert.equal(verifyHeadRequest(other, signature, verifier), false);
  assert.throws(() => signHeadRequest({ ...request, nonce: Buffer.alloc(15) }, key), refused);
  assert.throws(() => signHeadRequest({ ...request, nodeId: Buffer.alloc(17) }, key), refused);
});
