import assert from "node:assert/strict";
import { test } from "node:test";
import { CRASH_POINTS, parseCrashAt } from "./crash-point.ts";

test("each name is there once", () => {
  assert.equal(new Set(CRASH_POINTS).size, CRASH_POINTS.length);
});

test("a point can be armed for its first or a later pass", () => {
  const [name] = CRASH_POINTS;
  assert.deepEqual(parseCrashAt(name), { name, passesLeft: 1 });
  assert.deepEqual(parseCrashAt(`${name}#3`), { name, passesLeft: 3 });
  assert.equal(parseCrashAt(undefined), undefined);
  assert.equal(parseCrashAt(""), undefined);
});

for (const wrong of ["nowhere", `${CRASH_POINTS[0]}#0`, `${CRASH_POINTS[0]}#x`]) {
  test(`"${wrong}" is refused`, () => {
    assert.throws(() => parseCrashAt(wrong), /names no crash point/);
  });
}
