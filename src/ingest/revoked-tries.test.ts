import assert from "node:assert/strict";
import { it } from "node:test";
import { RevokedTries } from "./revoked-tries.ts";

const MINUTE_MS = 60_000;
const limits = { revokedTriesMax: 10, revokedGraceMs: 10 * MINUTE_MS };

/** Every so often, so many times: which try is the first too many, from 1; 0 for none. */
const senders: [title: string, everyMs: number, count: number, firstTooMany: number][] = [
  ["an agent that stops at the answer", 0, 1, 0],
  ["batches that were under way", 10, 50, 0],
  ["many within the grace", MINUTE_MS / 10, 101, 0],
  ["many, and longer", MINUTE_MS / 10, 102, 102],
  ["few over a long time", 10 * MINUTE_MS, 10, 0],
  ["one every ten minutes", 10 * MINUTE_MS, 30, 11],
  ["one every 29 minutes", 29 * MINUTE_MS, 30, 11],
  ["an agent that asks once an hour, or a little sooner", 55 * MINUTE_MS, 1_000, 0],
];
for (const [title, everyMs, count, firstTooMany] of senders) {
  it(`${title}: ${firstTooMany === 0 ? "no finding" : `from try ${firstTooMany} on`}`, () => {
    const tries = new RevokedTries(limits);
    const answers = Array.from({ length: count }, (_, n) => tries.isTooMany("a", n * everyMs));
    assert.equal(answers.indexOf(true) + 1, firstTooMany);
    assert.equal(tries.isTooMany("b", count * everyMs), false);
  });
}
