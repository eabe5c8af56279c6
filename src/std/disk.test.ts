/** What the `Disk` contract says, asked of both disks. */
import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isMissing, type Disk } from "./disk.ts";
import { MemoryDisk } from "./memory-disk.ts";
import { dropBytes, nodeDisk } from "./node-disk.ts";

const disks: { name: string; make: () => Disk }[] = [
  { name: "the machine's disk", make: nodeDisk },
  { name: "the disk in memory", make: () => new MemoryDisk() },
];

/** A new directory that is removed after `use`. */
async function inDirectory(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "tallystick-disk-"));
  try {
    await use(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

async function contentOf(disk: Disk, path: string): Promise<string> {
  const file = await disk.open(path, "read");
  const bytes = Buffer.alloc(100);
  const count = await file.pread(bytes, 0);
  await file.close();
  return bytes.toString("utf8", 0, count);
}

function bytesOf(...texts: string[]): Buffer[] {
  return texts.map((text) => Buffer.from(text));
}

for (const { name, make } of disks) {
  test(`${name}: files grow, are overwritten, cut and opened again`, () =>
    inDirectory(async (parent) => {
      const disk = make();
      const dir = join(parent, "a");
      await disk.mkdir(dir);
      await disk.mkdir(dir);
      const path = join(dir, "file");
      const file = await disk.open(path, "create");
      await file.append(bytesOf("one", "", "two"));
      await file.append(bytesOf("three"));
      await file.overwrite(Buffer.from("TWO"), 3);
      await file.syncData();
      assert.equal(await file.sizeBytes(), 11);
      await file.truncate(8);
      await file.append(bytesOf("!"));
      await file.close();
      const again = await disk.open(path, "append");
      await again.append(bytesOf("?"));
      await again.close();
      assert.equal(await contentOf(disk, path), "oneTWOth!?");
      await disk.syncDirectory(dir);
    }));

  test(`${name}: names are created once, listed, renamed, removed`, () =>
    inDirectory(async (parent) => {
      const disk = make();
      const dir = join(parent, "a");
      await disk.mkdir(dir);
      for (const file of ["b", "a"]) await (await disk.open(join(dir, file), "create")).close();
      await assert.rejects(disk.open(join(dir, "a"), "create"), { code: "EEXIST" });
      assert.deepEqual(await disk.readdir(dir), ["a", "b"]);
      await disk.rename(join(dir, "a"), join(dir, "b"));
      await disk.remove(join(dir, "nothing"));
      assert.deepEqual(await disk.readdir(dir), ["b"]);
      await disk.remove(join(dir, "b"));
      await assert.rejects(disk.open(join(dir, "b"), "append"), isMissing);
      await assert.rejects(disk.readdir(join(dir, "nowhere")), isMissing);
      assert.ok((await disk.freeBytes(dir)) > 0);
    }));

  test(`${name}: a lock has one holder, and can be taken again`, () =>
    inDirectory(async (parent) => {
      const disk = make();
      const path = join(parent, "lock");
      const lock = await disk.lock(path);
      assert.ok(lock);
      assert.equal(await disk.lock(path), undefined);
      await lock.release();
      const next = await disk.lock(path);
      assert.ok(next);
      await next.release();
    }));
}

test("the machine's files and directories are the owner's alone", () =>
  inDirectory(async (parent) => {
    const disk = nodeDisk();
    const dir = join(parent, "a", "b");
    await disk.mkdir(dir);
    await (await disk.open(join(dir, "file"), "create")).close();
    await (await disk.lock(join(dir, "lock")))?.release();
    const modes: Record<string, number> = {
      "": 0o700,
      file: 0o600,
      lock: 0o600,
      "lock.pid": 0o600,
    };
    for (const [name, mode] of Object.entries(modes)) {
      assert.equal((await stat(join(dir, name))).mode & 0o777, mode, name);
    }
  }));

const drops = [
  { count: 0, rest: ["ab", "c", "def"] },
  { count: 1, rest: ["b", "c", "def"] },
  { count: 2, rest: ["c", "def"] },
  { count: 4, rest: ["ef"] },
  { count: 6, rest: [] },
];

for (const { count, rest } of drops) {
  test(`a write that took ${count} of 6 bytes goes on after them`, () => {
    const left = dropBytes(bytesOf("ab", "c", "def"), count);
    assert.deepEqual(
      left.map((chunk) => Buffer.from(chunk).toString()),
      rest,
    );
  });
}
