import assert from "node:assert/strict";
import { test } from "node:test";
import { killUnderLoad } from "./kill.ts";

test("server, store and agent killed under load: nothing acknowledged is missing or twice", async () => {
  const { failures, connections, deaths } = await killUnderLoad({ kills: 4, seed: 7 });
  assert.deepEqual(failures, []);
  assert.equal(deaths.length, 4);
  assert.ok(connections > 100);
});
