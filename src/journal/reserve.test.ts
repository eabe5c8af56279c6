import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../std/seeded-random.ts";
import { MemoryDisk } from "../std/memory-disk.ts";
import { Journal } from "./journal.ts";
import { Reserve } from "./reserve.ts";
import { ManualClock } from "../std/clock.ts";

const path = "/data/reserve";
const random = new SeededRandom(5);

async function opened(disk: MemoryDisk): Promise<Reserve> {
  await disk.mkdir("/data");
  return Reserve.open({ disk, path, bytesMax: 1_000, stepBytes: 300 });
}

async function filled(disk: MemoryDisk): Promise<Reserve> {
  const reserve = await opened(disk);
  while (await reserve.take());
  return reserve;
}

describe("a reserve", () => {
  it("takes room by steps, no more than it may, and has it after a restart", async () => {
    const disk = new MemoryDisk();
    const reserve = await opened(disk);
    const held: number[] = [];
    while (await reserve.take()) held.push(reserve.heldBytes);
    assert.deepEqual(held, [300, 600, 900, 1_000]);
    const again = await opened(disk.powerCut("synced", () => random.fraction()));
    assert.deepEqual([again.heldBytes, again.isWhole], [1_000, true]);
  });

  it("gives room back until nothing is left", async () => {
    const disk = new MemoryDisk();
    disk.capacityBytes = 1_000;
    const reserve = await filled(disk);
    const free: number[] = [await disk.freeBytes()];
    while (await reserve.giveBack()) free.push(await disk.freeBytes());
    assert.deepEqual(free, [0, 300, 600, 900, 1_000]);
    assert.equal(await reserve.giveBack(), false);
  });

  it("takes nothing where there is no room, and leaves the rest to others", async () => {
    const disk = new MemoryDisk();
    disk.capacityBytes = 700;
    const reserve = await filled(disk);
    assert.equal(reserve.heldBytes, 600);
    assert.equal(await disk.freeBytes(), 100);
  });
});

const record = (text: string) =>
  ({ type: "batch", receivedMs: 1, frame: Buffer.from(text.padEnd(100)) }) as const;

async function texts(journal: Journal): Promise<string[]> {
  const found: string[] = [];
  for await (const { frame } of journal.read(0)) found.push(Buffer.from(frame).toString().trim());
  return found;
}

async function world(capacityBytes: number, segmentBytesMax = 1_000_000) {
  const disk = new MemoryDisk();
  disk.capacityBytes = 1_000;
  const reserve = await filled(disk);
  disk.capacityBytes = capacityBytes;
  const options = { dir: "/data/journal", disk, clock: new ManualClock(), segmentBytesMax };
  const giveBack = () => reserve.giveBack();
  const journal = await Journal.open({ ...options, giveBack, freeBytesMin: 300 });
  return { disk, reserve, journal, options };
}

describe("a journal on a full disk", () => {
  it("refuses what is ordinary, and writes what may use the reserve, while there is room", async () => {
    const { journal, reserve } = await world(1_000 + 299);
    await assert.rejects(journal.append(record("a")), { code: "journal_full" });
    assert.deepEqual(await journal.append(record("b"), { mayUseReserve: true }), { index: 0 });
    assert.equal(journal.isFull, true);
    assert.equal(reserve.heldBytes, 1_000);
  });

  it("gives back steps of the reserve as they are needed, refuses when all is used, and goes on with room", async () => {
    const { disk, journal, reserve, options } = await world(1_048);
    const written: string[] = [];
    const held: number[] = [];
    for (let n = 0; ; n++) {
      const text = `entry ${n}`;
      const done = await journal.append(record(text), { mayUseReserve: true }).then(
        () => true,
        (error: { code: string }) => {
          assert.equal(error.code, "journal_full");
          return false;
        },
      );
      if (!done) break;
      written.push(text);
      held.push(reserve.heldBytes);
    }
    // 1,000 bytes are room for seven records of 136.
    assert.equal(written.length, 7);
    assert.deepEqual(held, [700, 700, 400, 400, 100, 100, 0]);
    disk.capacityBytes = 10_000;
    await journal.append(record("later"), { mayUseReserve: true });
    assert.deepEqual(await texts(journal), [...written, "later"]);
    await journal.close();
    const again = await Journal.open(options);
    assert.deepEqual(again.recovery, { tornBytes: 0, removedSegment: false });
    assert.deepEqual(await texts(again), [...written, "later"]);
  });

  it("of one group writes those that may use the reserve, in order", async () => {
    const { journal } = await world(1_048);
    const results = await Promise.allSettled([
      journal.append(record("a")),
      journal.append(record("b"), { mayUseReserve: true }),
      journal.append(record("c")),
      journal.append(record("d"), { mayUseReserve: true }),
    ]);
    assert.deepEqual(
      results.map((result) =>
        result.status === "fulfilled"
          ? result.value.index
          : (result.reason as { code: string }).code,
      ),
      ["journal_full", 0, "journal_full", 1],
    );
    assert.deepEqual(await texts(journal), ["b", "d"]);
  });

  it("that filled up unnoticed takes back a half-written group, and no failure comes of it", async () => {
    const { disk, journal, options } = await world(5_000);
    await journal.append(record("a"));
    disk.capacityBytes = 5_000 - (await disk.freeBytes()) + 50;
    await assert.rejects(journal.append(record("b")), { code: "journal_full" });
    disk.capacityBytes = 5_000;
    await journal.append(record("c"), { mayUseReserve: true });
    await journal.close();
    const again = await Journal.open(options);
    assert.equal(again.recovery.tornBytes, 0);
    assert.deepEqual(await texts(again), ["a", "c"]);
  });

  it("begins no segment that it has no room for, and begins it later", async () => {
    const { disk, journal, options } = await world(5_000, 200);
    await journal.append(record("a"));
    // Not even for the header of 48 bytes.
    disk.capacityBytes = 5_000 - (await disk.freeBytes()) + 20;
    await assert.rejects(journal.append(record("b")), { code: "journal_full" });
    assert.deepEqual(
      (await disk.readdir("/data/journal")).filter((name) => name.endsWith(".seg")),
      ["00000000000000000000.seg"],
    );
    await journal.append(record("c"), { mayUseReserve: true });
    await journal.close();
    const again = await Journal.open(options);
    assert.deepEqual(await texts(again), ["a", "c"]);
  });

  it("loses nothing that it acknowledged, wherever the power fails", async () => {
    for (let cut = 0; cut < 60; cut++) {
      const { disk, journal, options } = await world(1_048);
      const acked: string[] = [];
      const refused: string[] = [];
      let steps = 0;
      let after: MemoryDisk | undefined;
      disk.fault = () => {
        if (steps++ !== cut) return "none";
        after = disk.powerCut("prefix", () => random.fraction());
        return "not-persisted";
      };
      for (let n = 0; n < 9; n++) {
        const text = `entry ${n}`;
        await journal.append(record(text), { mayUseReserve: true }).then(
          () => acked.push(text),
          (error: { code: string }) => {
            if (error.code === "journal_full") refused.push(text);
          },
        );
      }
      const found = await texts(
        await Journal.open({
          ...options,
          disk: after ?? disk.powerCut("synced", () => random.fraction()),
        }),
      );
      assert.deepEqual(found.slice(0, acked.length), acked, `cut ${cut}`);
      assert.ok(refused.every((text) => !found.includes(text)));
    }
  });
});
