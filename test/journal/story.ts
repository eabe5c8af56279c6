/** What the stories about killed journal writers share. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Journal } from "../../src/journal/journal.ts";

/** Small, so that segments are begun all the time. */
export const SEGMENT_BYTES_MAX = 2_000;
/** A segment at once: a buffer of the usual size for each of them is most of a check's time. */
const READ_BYTES = 2 * SEGMENT_BYTES_MAX;

/** What record `index` holds, in whichever life of the writer it was appended. */
export function textOf(index: number): string {
  return `record ${index} ${"x".repeat((index * 37) % 300)}`;
}

/** A journal directory that is removed after `use`. */
export async function withDirectory(use: (dir: string) => Promise<void>): Promise<void> {
  const parent = await mkdtemp(join(tmpdir(), "tallystick-journal-"));
  try {
    await use(join(parent, "journal"));
  } finally {
    await rm(parent, { recursive: true });
  }
}

export interface Life {
  /** How it ended; null: by itself. */
  readonly signal: string | null;
  readonly ackedIndices: readonly number[];
}

export interface LifeOptions {
  readonly dir: string;
  readonly records: number;
  /** See src/std/crash-point.ts. */
  readonly crashAt?: string;
  /** Killed from outside so long after its first acknowledgement. */
  readonly killAfterMs?: number;
}

/** Runs a writer until it ends. */
export async function live(options: LifeOptions): Promise<Life> {
  const script = join(import.meta.dirname, "writer.ts");
  const child = spawn(process.execPath, [script, options.dir, String(options.records)], {
    env: { ...process.env, TALLYSTICK_CRASH_AT: options.crashAt },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { killAfterMs } = options;
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    if (output === "" && killAfterMs !== undefined)
      setTimeout(() => child.kill("SIGKILL"), killAfterMs);
    output += chunk;
  });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  const { code, signal } = await ended;
  assert.ok(signal !== null || code === 0, `the writer exited with ${code}`);
  return { signal, ackedIndices: output.split("\n").slice(0, -1).map(Number) };
}

/** Opens the journal: every acknowledged record is there, and each record is the one of its index. */
export async function checkKept(dir: string, acked: ReadonlySet<number>): Promise<number> {
  await using journal = await Journal.open({
    dir,
    segmentBytesMax: SEGMENT_BYTES_MAX,
    freeBytesMin: 0,
  });
  let next = 0;
  while (next < journal.durableEnd.index) {
    for (const { index, frame } of await journal.readSome({
      fromIndex: next,
      bytesMax: READ_BYTES,
    })) {
      assert.equal(index, next++);
      assert.equal(Buffer.from(frame).toString(), textOf(index));
    }
  }
  assert.equal(next, journal.durableEnd.index);
  for (const index of acked) assert.ok(index < next, `acknowledged record ${index} is lost`);
  return next;
}
