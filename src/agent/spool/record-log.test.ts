import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { RecordLog } from "./record-log.ts";

const fresh = (): string => mkdtempSync(join(tmpdir(), "tallystick-records-"));
const open = (directory: string, segmentBytesMax = 100): RecordLog =>
  RecordLog.open({ directory, prefix: "x", segmentBytesMax });

function texts(log: RecordLog): string[] {
  const all: string[] = [];
  for (let record = log.read(log.start); record !== undefined; record = log.read(record.next)) {
    all.push(`${record.type}:${record.body.toString()}`);
  }
  return all;
}

test("records come back in order, across segments and processes", async () => {
  const directory = fresh();
  const log = open(directory);
  const expected = Array.from({ length: 40 }, (_, at) => `1:record ${at}`);
  for (let at = 0; at < 40; at++) log.append(1, Buffer.from("record "), Buffer.from(String(at)));
  await log.sync();
  assert.ok(log.segments.length > 3);
  assert.deepEqual(texts(log), expected);
  log.close();
  assert.deepEqual(texts(open(directory)), expected);
});

test("wherever a crash cuts the last write, the records before it stay, and writing goes on", () => {
  const directory = fresh();
  const log = open(directory, 10_000);
  log.append(1, Buffer.from("one"));
  const { offset } = log.append(2, Buffer.from("two"));
  log.close();
  const whole = readFileSync(join(directory, "x-0"));
  const start = offset - 12;
  for (let cut = start; cut < offset; cut++) {
    writeFileSync(join(directory, "x-0"), whole);
    truncateSync(join(directory, "x-0"), cut);
    const again = open(directory, 10_000);
    again.append(3, Buffer.from("three"));
    assert.deepEqual(texts(again), ["1:one", "3:three"], `cut at ${cut}`);
    again.close();
  }
});

test("rubbish at the end is cut", () => {
  const directory = fresh();
  const log = open(directory, 10_000);
  log.append(1, Buffer.from("one"));
  log.close();
  appendFileSync(join(directory, "x-0"), Buffer.alloc(64));
  assert.deepEqual(texts(open(directory, 10_000)), ["1:one"]);
});

test("a dropped segment is gone, also when it is the one being written", () => {
  const log = open(fresh());
  log.append(1, Buffer.alloc(80));
  log.append(1, Buffer.from("kept"));
  log.drop(0);
  assert.deepEqual(texts(log), ["1:kept"]);
  log.drop(1);
  assert.deepEqual(texts(log), []);
  log.append(1, Buffer.from("next"));
  assert.deepEqual(texts(log), ["1:next"]);
});

test("it notices that its files were removed", () => {
  const directory = fresh();
  const log = open(directory);
  log.append(1, Buffer.from("one"));
  assert.ok(!log.isGone());
  rmSync(directory, { recursive: true });
  assert.ok(log.isGone());
});

test("a record that the disk took only a part of is none, and those around it stay", () => {
  const directory = fresh();
  // 8 blocks of 512 or 1024 bytes: the write that crosses the bound is cut short, the next one fails.
  const program = `
    import { RecordLog } from ${JSON.stringify(new URL("record-log.ts", import.meta.url).href)};
    const [directory] = process.argv.slice(1);
    const log = RecordLog.open({ directory, prefix: "x", segmentBytesMax: 100_000 });
    let whole = 0;
    const fill = (bytes) => {
      try {
        for (;;) whole += log.append(1, Buffer.alloc(bytes, "x")) && 1;
      } catch (error) {
        if (error.code !== "EFBIG") throw error;
      }
    };
    fill(1_000);
    fill(10);
    console.log(whole);`;
  const node = [process.execPath, "--input-type=module", "-e", program, directory];
  const limited = ["-c", 'trap "" XFSZ; ulimit -f 8; exec "$@"', "sh", ...node];
  const whole = Number(execFileSync("/bin/sh", limited, { encoding: "utf8" }));
  assert.ok(whole > 4);
  assert.equal(texts(open(directory, 100_000)).length, whole);
});
