import assert from "node:assert/strict";
import { beforeEach, it } from "node:test";
import { ManualClock } from "../../std/clock.ts";
import { CHALLENGE_MS_MAX } from "../limits.ts";
import { Challenges } from "./challenges.ts";

let clock: ManualClock;
let challenges: Challenges<number>;
beforeEach(() => {
  clock = new ManualClock();
  challenges = new Challenges({ clock, max: 4, perAskerMax: 2 });
});

it("tells once what it was for", () => {
  const one = challenges.begin("a", 1);
  const two = challenges.begin("a", 2);
  assert.match(one, /^[A-Za-z0-9_-]{43}$/);
  assert.notEqual(one, two);
  assert.equal(challenges.use(two), 2);
  assert.equal(challenges.use(two), undefined);
  assert.equal(challenges.use(one), 1);
  assert.equal(challenges.use("unknown"), undefined);
});

it("is good for five minutes", () => {
  const [one, two] = [challenges.begin("a", 1), challenges.begin("a", 2)];
  clock.advance(CHALLENGE_MS_MAX - 1);
  assert.equal(challenges.use(one), 1);
  clock.advance(1);
  assert.equal(challenges.use(two), undefined);
  assert.equal(challenges.size, 0);
});

it("takes from who asks too often their own, and no other's", () => {
  const other = challenges.begin("b", 0);
  const own = [1, 2, 3, 4, 5].map((value) => challenges.begin("a", value));
  assert.equal(challenges.size, 3);
  assert.deepEqual(
    own.map((each) => challenges.use(each)),
    [undefined, undefined, undefined, 4, 5],
  );
  assert.equal(challenges.use(other), 0);
});

it("is bounded in all", () => {
  const all = ["a", "b", "c", "d", "e", "f"].map((asker, at) => challenges.begin(asker, at));
  assert.equal(challenges.size, 4);
  assert.deepEqual(
    all.map((each) => challenges.use(each)),
    [undefined, undefined, 2, 3, 4, 5],
  );
});
