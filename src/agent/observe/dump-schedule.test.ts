/** When the table is read, with a clock that the test holds, marks that it reads, and a program that prints an empty table. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { ManualClock } from "../../std/clock.ts";
import { DumpSchedule } from "./dump-schedule.ts";
import type { Mark } from "./fence.ts";
import { DUMP_INTERVAL_MS, LOSS_AGAIN_MS, LOSS_QUIET_MS } from "./limits.ts";

const TICK_MS = 250;

class Rig {
  readonly clock = new ManualClock();
  /** When dumps began. */
  readonly begunMs: number[] = [];
  #ended = 0;
  #marks: Mark[] = [];
  readonly schedule = new DumpSchedule({
    clock: this.clock,
    tracker: {
      beginDump: () => void this.begunMs.push(this.clock.nowMs()),
      dumpEntry: () => undefined,
      endDump: () => void this.#ended++,
      abandonDump: () => void this.#ended++,
    },
    fence: {
      provoke: () => {
        const mark = { number: this.#marks.length, sentAtMs: this.clock.nowMs() };
        this.#marks.push(mark);
        return mark;
      },
    },
    command: ["sh", "-c", "exit 0"],
    warn: assert.fail,
  });

  /** Lets time pass as the source does: ticks, and every mark read. A dump takes no time on this clock. */
  async pass(durationMs: number): Promise<void> {
    const endMs = this.clock.nowMs() + durationMs;
    while (this.clock.nowMs() < endMs) {
      this.tick();
      await this.finish();
      this.clock.advance(TICK_MS);
    }
  }

  tick(): void {
    this.schedule.tick({ mayStart: true, marksCome: true });
  }

  /** Reads the table to its end, and the mark behind it. */
  async finish(): Promise<void> {
    while (this.#ended < this.begunMs.length) {
      await setTimeout(1);
      for (const mark of this.#marks) this.schedule.markRead(mark);
    }
  }
}

test("the table is read at the start and every five minutes", async () => {
  const rig = new Rig();
  const startMs = rig.clock.nowMs();
  await rig.pass(2 * DUMP_INTERVAL_MS + 1000);
  assert.deepEqual(
    rig.begunMs.map((atMs) => atMs - startMs),
    [0, DUMP_INTERVAL_MS, 2 * DUMP_INTERVAL_MS],
  );
});

test("losses are followed by one dump, five seconds after the last", async () => {
  const rig = new Rig();
  await rig.pass(1000);
  for (let at = 0; at < 12; at++) {
    rig.schedule.eventsLost();
    await rig.pass(1000);
  }
  assert.equal(rig.begunMs.length, 1, "none while events are lost");
  const lastLossMs = rig.clock.nowMs() - 1000;
  await rig.pass(LOSS_AGAIN_MS);
  assert.deepEqual(rig.begunMs.slice(1), [lastLossMs + LOSS_QUIET_MS]);
});

test("a loss that a dump brought on asks for one more, a minute later, and not for a row of them", async () => {
  const rig = new Rig();
  await rig.pass(1000);
  rig.schedule.eventsLost();
  const firstMs = rig.clock.nowMs() + LOSS_QUIET_MS;
  rig.clock.advance(LOSS_QUIET_MS);
  rig.tick();
  // The kernel drops events while the table is read, and again before the mark behind it is read.
  rig.schedule.eventsLost();
  rig.schedule.eventsLost();
  await rig.finish();
  await rig.pass(LOSS_AGAIN_MS + 4 * LOSS_QUIET_MS);
  assert.deepEqual(rig.begunMs.slice(1), [firstMs, firstMs + LOSS_AGAIN_MS]);
});

test("a loss soon after one that a dump brought on does not shorten that one's minute", async () => {
  const rig = new Rig();
  await rig.pass(1000);
  rig.schedule.eventsLost();
  rig.clock.advance(LOSS_QUIET_MS);
  rig.tick();
  rig.schedule.eventsLost();
  const dumpedMs = rig.clock.nowMs();
  await rig.finish();
  await rig.pass(2000);
  rig.schedule.eventsLost();
  await rig.pass(LOSS_AGAIN_MS + LOSS_QUIET_MS);
  assert.deepEqual(rig.begunMs.slice(2), [dumpedMs + LOSS_AGAIN_MS]);
});

test("a stop ends the reading, and what reads: nothing is heard of it afterwards", async () => {
  const read = Promise.withResolvers<number>();
  const heard: string[] = [];
  const schedule = new DumpSchedule({
    clock: new ManualClock(),
    tracker: {
      beginDump: () => undefined,
      // The program names itself by the entry's id, and then goes on for as long as it may.
      dumpEntry: ({ id }) => read.resolve(id),
      endDump: () => void heard.push("ended"),
      abandonDump: () => void heard.push("abandoned"),
    },
    fence: { provoke: assert.fail },
    command: ["sh", "-c", `echo "${ENTRY} id=$$"; exec sleep 60`],
    warn: (body) => heard.push(body),
  });
  schedule.tick({ mayStart: true, marksCome: true });
  const pid = await read.promise;
  schedule.stop();
  while (isRunning(pid)) await setTimeout(1);
  schedule.tick({ mayStart: true, marksCome: true });
  assert.deepEqual(heard, ["abandoned"]);
});

const ENTRY =
  "ipv4 2 udp 17 29 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=9 src=10.0.0.2 dst=10.0.0.1 sport=9 dport=1 use=1";

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
