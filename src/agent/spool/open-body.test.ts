/** What a killed agent finds again, where the disk refused a part of it meanwhile. */
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Entry } from "../../format/entry.ts";
import { decodeEntries, decompressPayload } from "../../format/payload.ts";
import { OpenBody, recoverOpenBody } from "./open-body.ts";

const MOMENT = { closedAtMs: 0, completeToMs: 0, bootAtMs: 0 };

function log(body: string): Entry {
  return { kind: "log", atMs: 1000, severity: 9, body, attributes: {} };
}

/** Takes `takes` bytes of each write and refuses the rest, while there is such a bound. */
class Disk {
  takes: number | undefined;
  readonly write = (fd: number, text: string): void => {
    appendFileSync(fd, text.slice(0, this.takes));
    if (this.takes !== undefined) throw new Error("ENOSPC");
  };
}

function rig(): { path: string; disk: Disk; body: OpenBody; add: (text: string) => void } {
  const path = join(mkdtempSync(join(tmpdir(), "tallystick-open-")), "open");
  const disk = new Disk();
  const body = new OpenBody(path, disk.write);
  let seq = 0;
  const add = (text: string): void => {
    body.add(log(text), seq++);
    try {
      body.write();
    } catch {
      // As the stream does.
    }
  };
  return { path, disk, body, add };
}

function found(path: string): string[] {
  const body = recoverOpenBody(path, MOMENT);
  if (body === undefined) return [];
  const { payload, rawBytes, seqFirst, count } = body;
  assert.equal(seqFirst, 0);
  const raw = decompressPayload(payload, rawBytes);
  return decodeEntries(raw, { seqFirst, entryCount: count }).map((entry) =>
    entry.kind === "log" ? entry.body : entry.kind,
  );
}

test("what the disk refused is written before what follows, and once", () => {
  for (const takes of [0, 1, 2, 10]) {
    const { path, disk, add } = rig();
    add("a");
    disk.takes = takes;
    add("b");
    assert.deepEqual(found(path), ["a"], `${takes} bytes taken`);
    add("c");
    disk.takes = undefined;
    add("d");
    assert.deepEqual(found(path), ["a", "b", "c", "d"], `${takes} bytes taken`);
  }
});

test("the first line, too", () => {
  for (const takes of [0, 1, 2, 10]) {
    const { path, disk, add } = rig();
    disk.takes = takes;
    add("a");
    disk.takes = undefined;
    add("b");
    assert.deepEqual(found(path), ["a", "b"], `${takes} bytes taken`);
  }
});

test("a body that is safe elsewhere takes nothing of the next one with it", () => {
  const { path, disk, body } = rig();
  body.add(log("a"), 0);
  disk.takes = 3;
  assert.throws(() => body.write());
  body.close(MOMENT, 0);
  body.clear();
  disk.takes = undefined;
  body.add(log("b"), 0);
  body.write();
  assert.deepEqual(found(path), ["b"]);
});

test("a file that was removed is made anew with all lines; where it cannot be, the old one is kept", () => {
  const { path, body, add } = rig();
  add("a");
  const directory = join(path, "..");
  renameSync(directory, `${directory}-away`);
  assert.throws(() => body.reopen(), { code: "ENOENT" });
  add("b");
  renameSync(`${directory}-away`, directory);
  assert.deepEqual(found(path), ["a", "b"]);
  body.reopen();
  body.write();
  assert.deepEqual(found(path), ["a", "b"]);
});
