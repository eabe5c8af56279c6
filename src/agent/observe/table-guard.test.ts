import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../std/clock.ts";
import { TableGuard } from "./table-guard.ts";

test("takes the rule away when the table is four fifths full and puts it back with a gap", async () => {
  const clock = new ManualClock(1000);
  const said: object[] = [];
  let fill = 0.5;
  let isActive = true;
  const guard = new TableGuard({
    clock,
    emit: (entry) => said.push(entry),
    rule: {
      get isActive() {
        return isActive;
      },
      add: async () => void (isActive = true),
      remove: async () => void (isActive = false),
    },
    tableFill: () => fill,
  });
  guard.start();
  const second = async (now: number): Promise<void> => {
    fill = now;
    clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
  };
  await second(0.79);
  assert.deepEqual([isActive, said], [true, []]);
  await second(0.8);
  await second(0.61);
  assert.deepEqual([isActive, said.length], [false, 1]);
  await second(0.59);
  assert.deepEqual(said, [
    {
      kind: "degraded",
      events: "none",
      reason: "the kernel's connection table is 80 % full",
      atMs: 3000,
    },
    { kind: "gap", cause: "pressure", count: null, fromMs: 3000, toMs: 5000, atMs: 5000 },
    {
      kind: "degraded",
      events: "all",
      reason: "the kernel's connection table is 59 % full again",
      atMs: 5000,
    },
  ]);
  assert.equal(isActive, true);
  guard.stop();
});
