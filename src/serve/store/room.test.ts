import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { it } from "node:test";
import { Reserve } from "../../journal/reserve.ts";
import { ManualClock } from "../../std/clock.ts";
import { MemoryDisk } from "../../std/memory-disk.ts";
import { Room } from "./room.ts";

const MIB = 1024 * 1024;

async function world(capacityBytes: number) {
  const disk = new MemoryDisk();
  await disk.mkdir("/data");
  disk.capacityBytes = capacityBytes;
  const clock = new ManualClock();
  const reserve = await Reserve.open({
    disk,
    path: "/data/reserve",
    bytesMax: 8 * MIB,
    stepBytes: MIB,
  });
  const room = new Room({ disk, dir: "/data", clock, reserve, freeBytesMin: 10 * MIB });
  room.start();
  const seconds = async (count: number) => {
    for (let second = 0; second < count; second++) {
      clock.advance(1_000);
      for (let turn = 0; turn < 10; turn++) await nextTurn();
    }
  };
  return { disk, reserve, room, seconds };
}

it("takes the reserve by steps, a second apart", async () => {
  const { reserve, room, seconds } = await world(100 * MIB);
  assert.equal(reserve.heldBytes, 0);
  await seconds(3);
  assert.equal(room.heldBytes, 3 * MIB);
  await seconds(20);
  assert.equal(room.heldBytes, 8 * MIB);
  await room.close();
});

it("takes nothing that nodes would be refused for", async () => {
  const { disk, room, seconds } = await world(15 * MIB);
  await seconds(60);
  assert.equal(room.heldBytes, 5 * MIB);
  assert.equal(await disk.freeBytes(), 10 * MIB);
  await room.close();
});

it("makes room for what must be written, no more than it takes, and has it again when there is some", async () => {
  const { disk, room, seconds } = await world(100 * MIB);
  await seconds(20);
  await room.make();
  assert.equal(room.heldBytes, 8 * MIB);
  disk.capacityBytes = 8 * MIB + 100;
  await room.make();
  assert.equal(room.heldBytes, 4 * MIB);
  disk.capacityBytes = 0;
  await room.make();
  assert.equal(room.heldBytes, 0);
  disk.capacityBytes = 100 * MIB;
  await seconds(30);
  assert.equal(room.heldBytes, 8 * MIB);
  await room.close();
});
