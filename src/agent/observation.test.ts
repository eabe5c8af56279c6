/** What is observed across epochs where observing cannot begin for a while, with a clock that the test holds. */
import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Entry } from "../format/entry.ts";
import { ManualClock } from "../std/clock.ts";
import { RunningObservation } from "./observation.ts";
import { HostSettings } from "./observe/host-settings.ts";

interface Rig {
  readonly clock: ManualClock;
  readonly observation: RunningObservation;
  readonly entries: Entry[];
  /** Attempts to observe that fail from now on. */
  failing: number;
  /** Observations that run. */
  running: number;
  readonly start: () => Promise<void>;
  /** Lets time pass, and what it brings happen, until it holds. */
  readonly until: (holds: () => boolean) => Promise<void>;
}

const prepareHost = (): Promise<HostSettings> => HostSettings.prepare({ enableTracking: false });

function rig(live?: string): Rig {
  const clock = new ManualClock();
  const entries: Entry[] = [];
  const liveFile = join(mkdtempSync(join(tmpdir(), "tallystick-observation-")), "live.json");
  if (live !== undefined) writeFileSync(liveFile, live);
  const observation = new RunningObservation({
    clock,
    random: () => 1,
    prepareHost,
    networks: [],
    emit: (entry) => entries.push(entry),
    liveFile,
    nextSeq: () => 0,
    epoch: () => 0,
    observe: () => {
      if (made.failing-- > 0) return Promise.reject(new Error("EADDRNOTAVAIL"));
      made.running++;
      return Promise.resolve({
        completeToMs: () => 7,
        snapshot: () => [],
        liveHalves: () => 0,
        readerPid: () => undefined,
        socketReaderPid: () => undefined,
        stop: () => Promise.resolve(void made.running--),
      });
    },
  });
  const made: Rig = {
    clock,
    observation,
    entries,
    failing: 0,
    running: 0,
    start: async () => observation.start(await prepareHost(), () => []),
    until: async (holds) => {
      while (!holds()) {
        await setImmediate();
        clock.advance(100);
      }
    },
  };
  return made;
}

const kinds = (entries: readonly Entry[]): string[] => entries.map(({ kind }) => kind);

test("a new epoch whose observation cannot begin is tried again, and what nobody saw is a gap", async () => {
  const it = rig();
  await it.start();
  const fromMs = it.clock.nowMs();
  it.failing = 3;
  it.observation.beginEpoch(10);
  await it.until(() => it.entries.some(({ kind }) => kind === "gap"));
  assert.deepEqual([it.running, kinds(it.entries)], [1, ["log", "gap"]]);
  const toMs = it.clock.nowMs();
  const gap = it.entries.at(-1);
  assert.partialDeepStrictEqual(gap, { kind: "gap", cause: "restart", count: null, fromMs });
  assert.ok(gap?.kind === "gap" && gap.toMs > fromMs && gap.toMs <= toMs);
  await it.observation.stop();
  assert.equal(it.running, 0);
});

test("so is the first one, and a start does not wait for it", async () => {
  const it = rig();
  it.failing = 2;
  await it.start();
  assert.deepEqual([it.running, it.observation.completeToMs], [0, 0]);
  await it.until(() => it.running === 1);
  assert.equal(it.observation.completeToMs, 7);
  await it.observation.stop();
  assert.deepEqual(kinds(it.entries), ["log", "gap"]);
});

test("a stop ends the attempts, and says what nobody saw until then", async () => {
  const it = rig();
  await it.start();
  it.failing = Infinity;
  it.observation.beginEpoch(10);
  await it.until(() => it.entries.length > 0);
  await it.observation.stop();
  assert.deepEqual([it.running, kinds(it.entries)], [0, ["log", "gap"]]);
});

test("a checkpoint that a power cut emptied or cut is none", async () => {
  for (const live of ["", '{"epoch":0,"halves":[']) {
    const it = rig(live);
    await it.start();
    assert.equal(it.running, 1);
    await it.observation.stop();
  }
});
