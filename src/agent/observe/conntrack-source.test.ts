/** What is said of a reader that ends, with a clock that the test holds and a program that says nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { DegradedEntry, GapEntry, LogEntry } from "../../format/entry.ts";
import { ManualClock } from "../../std/clock.ts";
import { AddressScope } from "./address-scope.ts";
import { ConntrackSource } from "./conntrack-source.ts";
import { Fence } from "./fence.ts";
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
