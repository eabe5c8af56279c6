/** What is said of a reader that ends, with a clock that the test holds and a program that says nothing. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { clearImmediate, setImmediate as soon } from "node:timers";
import { setImmediate, setTimeout } from "node:timers/promises";
import type { DegradedEntry, GapEntry, LogEntry } from "../../format/entry.ts";
import { ManualClock, type Timer } from "../../std/clock.ts";
import { AddressScope } from "./address-scope.ts";
import { ConntrackSource } from "./conntrack-source.ts";
import { Fence, type Mark } from "./fence.ts";
import { HANDOVER_DELIVERED_MAX } from "./limits.ts";
import { Tracker } from "./tracker.ts";

test("where no mark ever came, an outage is as long as the reader was away, not as the agent's life", async () => {
  const clock = new ManualClock();
  const fence = await Fence.open(clock);
  const entries: (GapEntry | DegradedEntry | LogEntry)[] = [];
  const tracker = new Tracker({
    clock,
    emit: () => 0,
    scope: new AddressScope([]),
    udpTimeouts: { unassuredMs: 30_000, assuredMs: 120_000 },
  });
  const source = new ConntrackSource({
    clock,
    emit: (entry) => entries.push(entry),
    tracker,
    fence,
    command: ["sh", "-c", "exec sleep 60"],
    enlargeBuffer: () => () => undefined,
  });
  source.start();
  for (let second = 0; second < 120; second++) clock.advance(1000);
  assert.equal(source.completeToMs(), 0);
  const endedMs = clock.nowMs();
  process.kill(source.readerPid ?? -1, "SIGKILL");
  const hasEnded = (): boolean =>
    entries.some((entry) => entry.kind === "log" && entry.body.includes("reader ended"));
  while (!hasEnded()) await setTimeout(5);
  clock.advance(50);
  source.stop();
  fence.close();
  const gaps = entries.filter((entry) => entry.kind === "gap");
  assert.equal(gaps.length, 1);
  assert.partialDeepStrictEqual(gaps, [{ cause: "restart", count: null, toMs: endedMs + 50 }]);
  assert.ok((gaps[0]?.fromMs ?? 0) >= endedMs - 1000);
});

/** Looks for what can be read come at once: the reader's pace is not that of the clock. */
class ReadingClock extends ManualClock {
  override after(delayMs: number, call: () => void): Timer {
    if (delayMs >= 100) return super.after(delayMs, call);
    const look = soon(call);
    return { cancel: () => clearImmediate(look) };
  }
}

/** More than this in a second is overload, see pressure.ts. */
const OVERLOAD = 36_000;

interface Rig {
  readonly clock: ManualClock;
  readonly logged: string[];
  /** Events that were read. */
  readonly read: () => number;
  /** Readers that were started. */
  readonly readers: () => number;
  /** Whether the events that are read count as marks. */
  marksCome: boolean;
  /** A second of overload. */
  readonly overload: () => Promise<void>;
}

/** Readers that print one event without end: `u` a change of state, `n` a beginning. */
function rig(t: TestContext, event: "u" | "n"): Rig {
  const clock = new ReadingClock();
  const logged: string[] = [];
  let [readers, read, marks] = [0, 0, 0];
  const type = event === "u" ? "UPDATE" : "NEW";
  const line = `[1.0]\t[${type}] ipv4 2 udp 17 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=9 src=10.0.0.2 dst=10.0.0.1 sport=9 dport=1 id=1`;
  const provoke = (): Mark => ({ number: ++marks, sentAtMs: clock.nowMs() });
  const source = new ConntrackSource({
    clock,
    emit: (entry) => (entry.kind === "log" ? logged.push(entry.body) : 0),
    tracker: {
      event: () => undefined,
      tick: () => undefined,
      beginDump: () => undefined,
      dumpEntry: () => undefined,
      endDump: () => undefined,
      abandonDump: () => undefined,
    },
    fence: {
      provoke,
      markOf: () => {
        read++;
        return made.marksCome && read % 1000 === 0 ? provoke() : undefined;
      },
      settle: () => undefined,
      forgetAll: () => undefined,
      lagMs: () => 0,
      sendError: undefined,
    },
    command: ["sh", "-c", `case "$*" in *-L*) ;; *) exec yes "${line}" ;; esac`, "sh"],
    enlargeBuffer: () => {
      readers++;
      return () => undefined;
    },
  });
  const made: Rig = {
    clock,
    logged,
    read: () => read,
    readers: () => readers,
    marksCome: false,
    overload: async () => {
      const before = read;
      await until(() => read - before >= OVERLOAD);
      clock.advance(1000);
    },
  };
  t.after(() => source.stop());
  source.start();
  return made;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setImmediate();
}

const hasGivenUp = ({ logged }: Rig): boolean =>
  logged.some((body) => body.includes("could not be changed"));

test("where no mark was ever read, the reader is not changed: nothing would end the change", async (t) => {
  const { overload, readers } = rig(t, "u");
  for (let second = 0; second < 3; second++) await overload();
  assert.equal(readers(), 1);
});

test("a change whose mark is lost is given up after half a minute, and tried again when marks are read", async (t) => {
  const it = rig(t, "u");
  const { clock, overload, readers } = it;
  it.marksCome = true;
  await overload();
  it.marksCome = false;
  assert.equal(readers(), 2);
  clock.advance(29_000);
  assert.ok(!hasGivenUp(it));
  clock.advance(1000);
  assert.ok(hasGivenUp(it));
  clock.advance(10_000);
  assert.equal(readers(), 2);
  it.marksCome = true;
  await overload();
  clock.advance(1000);
  assert.equal(readers(), 3);
});

test("what is remembered during a change is bounded", async (t) => {
  const it = rig(t, "n");
  const { overload, readers, read } = it;
  it.marksCome = true;
  await overload();
  it.marksCome = false;
  assert.equal(readers(), 2);
  const enough = read() + 3 * HANDOVER_DELIVERED_MAX;
  await until(() => hasGivenUp(it) || read() >= enough);
  assert.ok(hasGivenUp(it));
});
