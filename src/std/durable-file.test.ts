import assert from "node:assert/strict";
import { test } from "node:test";
import { readFile, replaceFile } from "./durable-file.ts";
import { MemoryDisk, type DiskOperation, type Fault, type Survival } from "./memory-disk.ts";

const path = "/d/file";
const half = () => 0.49;

async function diskWithOld(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await disk.mkdir("/d");
  await replaceFile(disk, path, "old");
  return disk;
}

async function textOf(disk: MemoryDisk): Promise<string | undefined> {
  return (await readFile(disk, path))?.toString();
}

test("a file that is not there reads as undefined", async () => {
  assert.equal(await readFile(new MemoryDisk(), path), undefined);
});

test("what was replaced survives a power cut", async () => {
  const disk = await diskWithOld();
  await replaceFile(disk, path, Buffer.from("new"));
  assert.equal(await textOf(disk), "new");
  assert.equal(await textOf(disk.powerCut("synced", half)), "new");
});

const operations: DiskOperation[] = [
  "remove",
  "create",
  "append",
  "syncData",
  "rename",
  "syncDirectory",
];
const faults: Fault[] = ["not-persisted", "partly", "persisted"];
const survivals: Survival[] = ["synced", "prefix", "torn"];

for (const operation of operations) {
  for (const fault of faults) {
    test(`${operation} fails ${fault}: old or new content, and the next try works`, async () => {
      for (const survival of survivals) {
        const disk = await diskWithOld();
        disk.fault = (asked) => (asked === operation ? fault : "none");
        await assert.rejects(replaceFile(disk, path, "new"));
        disk.fault = () => "none";
        assert.match((await textOf(disk)) ?? "", /^(old|new)$/);
        const after = disk.powerCut(survival, half);
        assert.match((await textOf(after)) ?? "", /^(old|new)$/);
        await replaceFile(after, path, "newer");
        assert.equal(await textOf(after), "newer");
      }
    });
  }
}
