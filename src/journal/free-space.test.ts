import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../std/clock.ts";
import { MemoryDisk } from "../std/memory-disk.ts";
import { FreeSpace } from "./free-space.ts";
import { FREE_CHECK_BYTES, FREE_CHECK_MS } from "./limits.ts";

test("it is asked for after some bytes, and while there is none after some time", async () => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const space = new FreeSpace({ disk, dir: "/d", clock, freeBytesMin: 1000 });
  await space.check(1);
  assert.equal(space.enough, true);
  disk.freeBytesLeft = 999;
  await space.check(FREE_CHECK_BYTES - 1);
  assert.equal(space.enough, true);
  await space.check(1);
  assert.equal(space.enough, false);
  disk.freeBytesLeft = 1000;
  await space.check(1);
  assert.equal(space.enough, false);
  clock.advance(FREE_CHECK_MS);
  await space.check(1);
  assert.equal(space.enough, true);
});
