/** Refusing: one signed entry, then silence, on the wire and on disk. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FLAG } from "../../src/format/batch.ts";
import { optOutOrigin } from "../../src/agent/agent-options.ts";
import { loadOptOut } from "../../src/agent/ship/opt-out.ts";
import { statePaths } from "../../src/agent/state-directory.ts";
import { startAgent } from "./run.ts";
import { World } from "./world.ts";

const kinds = (world: World, node: string): string[] => world.entries(node).map(({ kind }) => kind);

test("a node that never enrolled sends nothing, not even an enrolment", async () => {
  await using world = await World.open();
  const agent = await startAgent(world, { optOutOrigin: "flag" });
  await agent.stop();
  assert.equal(agent.node, "");
  assert.equal(world.journal.records.length, 0);
  assert.ok(!existsSync(join(agent.state, "identity")));
});

test("one signed opt_out, nothing on disk, and resume is the first entry afterwards", async () => {
  await using world = await World.open();
  const before = await startAgent(world);
  before.say("before");
  await before.stop();
  const count = world.arrived(before.node).length;

  const refusing = await startAgent(world, { optOutOrigin: "flag" });
  await world.until(() => world.arrived(before.node).length > count);
  await refusing.stop();
  const last = world.arrived(before.node).at(-1);
  assert.equal(last?.header.flags, FLAG.optOut);
  assert.deepEqual(
    last.entries.map(({ entry }) => entry.kind),
    ["opt_out"],
  );
  assert.ok(!existsSync(join(refusing.state, "spool")));

  const still = await startAgent(world, { optOutOrigin: "TS_NO_LOGS_NO_SUPPORT" });
  await still.stop();
  assert.equal(world.arrived(before.node).length, count + 1);

  const resumed = await startAgent(world);
  resumed.say("after");
  await resumed.stop();
  const next = world.arrived(before.node)[count + 1];
  assert.equal(next?.entries[0]?.entry.kind, "resume");
  assert.equal(next.header.epoch, 0);
  assert.ok(!existsSync(statePaths(resumed.state).optOut));
});

test("only the refusal waits on disk while the server is away; what was spooled is gone", async () => {
  await using world = await World.open();
  const first = await startAgent(world);
  await first.stop();
  const count = world.arrived(first.node).length;
  await world.stop();
  const unsent = await startAgent(world);
  unsent.say("never sent");
  await unsent.stop();
  const refusing = await startAgent(world, { optOutOrigin: "flag" });
  assert.deepEqual(readdirSync(refusing.state).sort(), [
    "identity",
    "lock",
    "lock.pid",
    "log",
    "numbering",
    "opt-out.json",
    "receipts",
    "status.json",
  ]);
  await refusing.stop();
  await world.start();
  const again = await startAgent(world, { optOutOrigin: "flag" });
  await world.until(() => world.arrived(first.node).length > count);
  await again.stop();
  assert.ok(loadOptOut(statePaths(again.state))?.sent);
  assert.ok(!JSON.stringify(world.entries(first.node)).includes("never sent"));
  assert.equal(kinds(world, first.node).at(-1), "opt_out");
});

test("a refusal that was taken back before the server heard of it is still said", async () => {
  await using world = await World.open();
  const first = await startAgent(world);
  await first.stop();
  await world.stop();
  const refusing = await startAgent(world, { optOutOrigin: "flag" });
  await refusing.stop();
  await world.start();
  const resumed = await startAgent(world);
  await resumed.stop();
  const said = kinds(world, first.node);
  assert.equal(said[said.indexOf("opt_out") + 1], "resume");
});

test("variables refuse when they are truthy", () => {
  check({}, undefined);
  check({ TS_NO_LOGS_NO_SUPPORT: "true" }, "TS_NO_LOGS_NO_SUPPORT");
  check({ TALLYSTICK_NO_LOGS_NO_SUPPORT: "1" }, "TALLYSTICK_NO_LOGS_NO_SUPPORT");
  for (const no of ["", "0", "false", "no", "off"]) check({ TS_NO_LOGS_NO_SUPPORT: no }, undefined);
  assert.equal(optOutOrigin(true, { TS_NO_LOGS_NO_SUPPORT: "1" }), "flag");
});

function check(env: Record<string, string>, expected: string | undefined): void {
  assert.equal(optOutOrigin(false, env), expected, JSON.stringify(env));
}
