/**
 * What the journal does on this disk: appends by many at once, each waiting for its own
 * acknowledgement, then everything read back. `node bench/journal.ts [DIR]` prints it.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Journal } from "../src/journal/journal.ts";

export interface JournalFigure {
  readonly frameBytes: number;
  readonly appenders: number;
  readonly acksPerSecond: number;
  readonly mbPerSecond: number;
  readonly ackP50Ms: number;
  readonly ackP99Ms: number;
  readonly readMbPerSecond: number;
  /** The same bytes written in 8 MiB pieces with a fdatasync each: what the disk itself gives. */
  readonly bareDiskMbPerSecond: number;
}

const CASES = [
  { frameBytes: 300, appenders: 1, records: 2_000 },
  { frameBytes: 300, appenders: 64, records: 200_000 },
  { frameBytes: 300, appenders: 1_024, records: 400_000 },
  { frameBytes: 64 * 1024, appenders: 64, records: 16_000 },
];

/** All cases one after the other, in a new directory under `parent` that is removed again. */
export async function benchJournal(parent = tmpdir()): Promise<JournalFigure[]> {
  const figures: JournalFigure[] = [];
  for (const one of CASES) {
    const dir = await mkdtemp(join(parent, "tallystick-bench-journal-"));
    try {
      figures.push(await measure(dir, one));
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }
  return figures;
}

async function measure(
  dir: string,
  { frameBytes, appenders, records }: (typeof CASES)[number],
): Promise<JournalFigure> {
  const bareDiskMbPerSecond = await bareDisk(join(dir, "bare"), frameBytes * records);
  await using journal = await Journal.open({ dir: join(dir, "journal"), freeBytesMin: 0 });
  const frame = randomBytes(frameBytes);
  const latenciesMs: number[] = [];
  let left = records;
  const appendUntilDone = async () => {
    while (left > 0) {
      left--;
      const startedAtMs = performance.now();
      await journal.append({ type: "batch", receivedMs: Date.now(), frame });
      latenciesMs.push(performance.now() - startedAtMs);
    }
  };
  const seconds = await timed(async () => {
    await Promise.all(Array.from({ length: appenders }, appendUntilDone));
  });
  const readSeconds = await timed(() => readAll(journal, records));
  latenciesMs.sort((a, b) => a - b);
  const mb = (frameBytes * records) / 1e6;
  return {
    frameBytes,
    appenders,
    acksPerSecond: Math.round(records / seconds),
    mbPerSecond: Math.round(mb / seconds),
    ackP50Ms: round(latenciesMs[Math.floor(records * 0.5)]),
    ackP99Ms: round(latenciesMs[Math.floor(records * 0.99)]),
    readMbPerSecond: Math.round(mb / readSeconds),
    bareDiskMbPerSecond,
  };
}

async function readAll(journal: Journal, records: number): Promise<void> {
  for (let next = 0; next < records;) {
    next += (await journal.readSome({ fromIndex: next })).length;
  }
}

async function bareDisk(path: string, bytes: number): Promise<number> {
  const piece = randomBytes(Math.min(8 * 1024 * 1024, bytes));
  await using file = await open(path, "w");
  const seconds = await timed(async () => {
    for (let written = 0; written < bytes; written += piece.length) {
      await file.write(piece);
      await file.datasync();
    }
  });
  await rm(path);
  return Math.round(bytes / 1e6 / seconds);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return (performance.now() - startedAtMs) / 1000;
}

function round(ms = 0): number {
  return Math.round(ms * 100) / 100;
}

if (import.meta.main) console.table(await benchJournal(process.argv[2]));
