import assert from "node:assert/strict";
import { test } from "node:test";
import type { DiskFile } from "./disk.ts";
import { readFile } from "./durable-file.ts";
import { MemoryDisk, type Survival } from "./memory-disk.ts";

const half = () => 0.49;

async function newFile(disk: MemoryDisk, synced: string): Promise<DiskFile> {
  await disk.mkdir("/d");
  const file = await disk.open("/d/file", "create");
  await file.append([Buffer.from(synced)]);
  await file.syncData();
  await disk.syncDirectory("/d");
  return file;
}

async function textOf(disk: MemoryDisk): Promise<string | undefined> {
  return (await readFile(disk, "/d/file"))?.toString();
}

test("a power cut takes what was not synced, and the old disk is gone", async () => {
  const disk = new MemoryDisk();
  const file = await newFile(disk, "kept");
  await file.append([Buffer.from("lost")]);
  const after = disk.powerCut("synced", half);
  assert.equal(await textOf(after), "kept");
  await assert.rejects(file.syncData(), /power/);
});

test("a name is lost with its directory's sync", async () => {
  const disk = new MemoryDisk();
  await disk.mkdir("/d");
  const file = await disk.open("/d/file", "create");
  await file.append([Buffer.from("x")]);
  await file.syncData();
  assert.equal(await textOf(disk.powerCut("synced", half)), undefined);
});

for (const survival of ["prefix", "torn"] satisfies Survival[]) {
  test(`${survival}: synced bytes are always whole`, async () => {
    let seed = 1;
    const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
    const images = new Set<string>();
    for (let run = 0; run < 50; run++) {
      const disk = new MemoryDisk();
      const file = await newFile(disk, "kept");
      await file.append([Buffer.alloc(1000, "n")]);
      const text = (await textOf(disk.powerCut(survival, random))) ?? "";
      assert.match(text, /^kept[n\0]{0,1000}$/);
      images.add(text);
    }
    assert.ok(images.size > 10);
  });
}

const faults = [
  { fault: "not-persisted", seen: "a" },
  { fault: "partly", seen: "abb" },
  { fault: "persisted", seen: "abbbb" },
] as const;

for (const { fault, seen } of faults) {
  test(`an append that fails ${fault} leaves ${seen}`, async () => {
    const disk = new MemoryDisk();
    const file = await newFile(disk, "a");
    disk.fault = (operation) => (operation === "append" ? fault : "none");
    await assert.rejects(file.append([Buffer.from("bbbb")]), { code: "EIO" });
    assert.equal(await textOf(disk), seen);
  });
}

test("bytes whose sync failed are passed over by the next one unless written again", async () => {
  for (const writeAgain of [false, true]) {
    const disk = new MemoryDisk();
    const file = await newFile(disk, "a");
    await file.append([Buffer.from("bb")]);
    disk.fault = (operation) => (operation === "syncData" ? "not-persisted" : "none");
    await assert.rejects(file.syncData());
    disk.fault = () => "none";
    if (writeAgain) await file.overwrite(Buffer.from("bb"), 1);
    await file.syncData();
    assert.equal(await textOf(disk), "abb");
    assert.equal(await textOf(disk.powerCut("synced", half)), writeAgain ? "abb" : "a\0\0");
  }
});
