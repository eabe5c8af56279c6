import assert from "node:assert/strict";
import { it } from "node:test";
import { newSecret, secretFits, secretHash } from "./secret.ts";

it("a secret fits its own hash alone, as text and as bytes", () => {
  const secret = newSecret();
  assert.equal(Buffer.from(secret, "base64url").length, 32);
  assert.ok(secretFits(secret, secretHash(secret)));
  assert.ok(secretFits(Buffer.from(secret), secretHash(secret)));
  for (const wrong of [
    newSecret(),
    secret.slice(1),
    secret.toUpperCase(),
    secretHash(secret),
    "",
  ]) {
    assert.ok(!secretFits(wrong, secretHash(secret)), wrong);
  }
});
