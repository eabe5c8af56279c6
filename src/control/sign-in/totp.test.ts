import assert from "node:assert/strict";
import { it } from "node:test";
import { newRecoveryCodes, newTotpSecret, recoveryHash, totpStep, totpUri } from "./totp.ts";

/** RFC 6238, appendix B: the secret `12345678901234567890`, last six digits of the codes. */
const SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const vectors: [seconds: number, code: string][] = [
  [59, "287082"],
  [1_111_111_109, "081804"],
  [1_111_111_111, "050471"],
  [1_234_567_890, "005924"],
  [2_000_000_000, "279037"],
  [20_000_000_000, "353130"],
];
for (const [seconds, code] of vectors) {
  it(`the code at ${seconds} s is ${code}, a step before and after too`, () => {
    const step = Math.floor(seconds / 30);
    for (const ofS of [-30, 0, 30]) {
      assert.equal(totpStep(SECRET, code, (seconds + ofS) * 1_000), step);
    }
    assert.equal(totpStep(SECRET, code, (seconds + 61) * 1_000), undefined);
    assert.equal(totpStep(SECRET, code, (seconds - 61) * 1_000), undefined);
  });
}

it("makes secrets of 160 bits, and names whose and what for", () => {
  const secret = newTotpSecret();
  assert.match(secret, /^[A-Z2-7]{32}$/);
  assert.notEqual(newTotpSecret(), secret);
  const uri = new URL(totpUri(secret, "ada"));
  assert.equal(uri.protocol, "otpauth:");
  assert.equal(decodeURIComponent(uri.pathname), "/Tallystick:ada");
  assert.equal(uri.searchParams.get("secret"), secret);
});

it("makes ten recovery codes, and knows them however they are typed", () => {
  const { codes, hashes } = newRecoveryCodes();
  assert.equal(new Set(codes).size, 10);
  for (const [at, code] of codes.entries()) {
    assert.match(code, /^[a-z2-7]{4}(?:-[a-z2-7]{4}){3}$/);
    assert.equal(recoveryHash(code.toUpperCase().replaceAll("-", " ")), hashes[at]);
  }
});
