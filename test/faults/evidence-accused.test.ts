/** Two witnesses contradict one node: the file of the accusation holds a contradiction of each, in full. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { verifyEvidence } from "../../src/evidence/verify.ts";
import { World } from "./world.ts";

test("the evidence of an accusation is that of its witnesses", async () => {
  await using world = await World.open();
  const liar = await world.node("liar");
  const witnesses = [await world.node("witness-1"), await world.node("witness-2")];
  await world.pass(20_000);
  for (const from of witnesses) {
    world.talk({ from, to: liar, forgottenBy: "responder" });
    world.talk({ from: liar, to: from, forgottenBy: "initiator" });
  }
  await world.pass(120_000);
  const found = await world.findings((some) => some.some(({ kind }) => kind === "accused"));
  const accused = found.find(({ kind }) => kind === "accused");
  assert.ok(accused !== undefined);
  assert.equal(accused.node, "liar");
  const text = await world.api.text("GET", `/api/v1/findings/${accused.id}/evidence`);
  const checks = verifyEvidence(text);
  const of = (outcome: string): string[] =>
    checks.flatMap((check) => (check.outcome === outcome ? [check.subject] : []));
  assert.deepEqual(of("fails"), []);
  assert.deepEqual(of("open"), ["server key", "independence", "journal"]);
  for (const subject of ["witness-1: witness", "witness-2: witness"]) {
    assert.ok(of("holds").includes(subject), subject);
  }
  assert.equal(
    of("holds").filter((subject) => /^contradiction [12]: liar: no entry$/.test(subject)).length,
    2,
  );
  assert.match(text, /^Contradiction 2: Both ledgers\n +WITNESS-\d +LIAR$/m);
});
