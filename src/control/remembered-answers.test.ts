import assert from "node:assert/strict";
import { it } from "node:test";
import { ManualClock } from "../std/clock.ts";
import { openDatabase } from "./database.ts";
import { applyEffect } from "./effect.ts";
import { ANSWERS_KEPT_MAX, ANSWERS_KEPT_MS } from "./limits.ts";
import { RememberedAnswers } from "./remembered-answers.ts";

const request = (key: string, fingerprint = "f") => ({ principal: "user u1", key, fingerprint });
const ANSWER = { status: 201, body: "{}" };

function world() {
  const database = openDatabase(":memory:");
  const clock = new ManualClock();
  const answers = new RememberedAnswers(database, clock);
  const change = (key: string, about: string) => {
    for (const effect of answers.change(request(key), about)) applyEffect(database, effect);
  };
  return { clock, answers, change, database };
}

it("knows that a change was made before it knows the answer", () => {
  const { answers, change } = world();
  assert.equal(answers.get(request("k")), undefined);
  change("k", "key.create 1");
  assert.deepEqual(answers.get(request("k")), { fingerprint: "f", about: "key.create 1" });
  answers.answered(request("k"), ANSWER);
  const known = { fingerprint: "f", about: "key.create 1", answer: ANSWER };
  assert.deepEqual(answers.get(request("k")), known);
  assert.equal(answers.get({ ...request("k"), principal: "user u2" }), undefined);
});

it("forgets after a day, and lets the key stand for something else then", () => {
  const { answers, change, clock } = world();
  change("k", "key.create 1");
  answers.answered(request("k"), ANSWER);
  clock.advance(ANSWERS_KEPT_MS - 1);
  assert.deepEqual(answers.get(request("k"))?.answer, ANSWER);
  clock.advance(1);
  assert.equal(answers.get(request("k")), undefined);
  change("k", "key.create 2");
  assert.deepEqual(answers.get(request("k")), { fingerprint: "f", about: "key.create 2" });
});

it("keeps so many, and of more the newest", () => {
  const { answers, database } = world();
  const more = 5;
  database.exec("BEGIN");
  for (let at = 0; at < ANSWERS_KEPT_MAX + more; at++) answers.answered(request(`k${at}`), ANSWER);
  database.exec("COMMIT");
  assert.equal(answers.get(request(`k${more - 1}`)), undefined);
  assert.deepEqual(answers.get(request(`k${more}`))?.answer, ANSWER);
  const row = database.prepare("SELECT count(*) AS kept FROM remembered_answers").get();
  assert.equal(row?.["kept"], ANSWERS_KEPT_MAX);
});
