/** The reader's life, with a clock that the test holds and programs that print what ss would. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { LogEntry } from "../../format/entry.ts";
import { ManualClock } from "../../std/clock.ts";
import { SOCKET_CONFIRM_MS, SOCKET_RESTART_MAX_MS, SOCKET_RESTART_MIN_MS } from "./limits.ts";
import type { SocketEnd } from "./socket-line.ts";
import { SocketSource } from "./socket-source.ts";

const LINE =
  "UNCONN 0      0      10.0.0.1:40000 10.0.0.2:443 bytes_sent:5 bytes_acked:7 bytes_received:9 segs_out:4";

interface Rig {
  readonly clock: ManualClock;
  readonly source: SocketSource;
  readonly ends: SocketEnd[];
  readonly logged: LogEntry[];
  /** Waits for a process, while the clock stands still. */
  readonly until: (condition: () => boolean) => Promise<void>;
  /** Lets the reader poll meanwhile. */
  readonly untilRead: (condition: () => boolean) => Promise<void>;
}

function rig(t: TestContext, ...command: readonly string[]): Rig {
  const clock = new ManualClock();
  const ends: SocketEnd[] = [];
  const logged: LogEntry[] = [];
  const source = new SocketSource({
    clock,
    emit: (entry) => logged.push(entry),
    onSocketEnd: (end) => ends.push(end),
    command,
  });
  t.after(() => source.stop());
  const wait = async (condition: () => boolean, stepMs: number): Promise<void> => {
    for (let round = 0; round < 2000 && !condition(); round++) {
      await setTimeout(5);
      if (stepMs > 0) clock.advance(stepMs);
    }
    assert.ok(condition());
  };
  const until = (condition: () => boolean): Promise<void> => wait(condition, 0);
  const untilRead = (condition: () => boolean): Promise<void> => wait(condition, 100);
  return { clock, source, ends, logged, until, untilRead };
}

test("what is printed is read, whole lines alone", async (t) => {
  const { clock, source, ends, logged, untilRead } = rig(
    t,
    "sh",
    "-c",
    `printf '%s\\n' '${LINE}'; printf '${LINE.slice(0, 50)}'; sleep 0.1; printf '%s\\nnoise\\n' '${LINE.slice(50)}'; exec sleep 60`,
  );
  source.start();
  await untilRead(() => ends.length === 2);
  clock.advance(SOCKET_CONFIRM_MS);
  assert.deepEqual(ends[1], {
    initiatorIp: "10.0.0.1",
    initiatorPort: 40_000,
    responderIp: "10.0.0.2",
    responderPort: 443,
    payload: { initiatorBytes: 5, responderBytes: 8 },
  });
  assert.deepEqual(
    logged.map(({ severity, body }) => [severity, body]),
    [[9, "payload bytes of ended TCP connections are read"]],
  );
});

test("a reader that ends is started again, later each time; the same reason is said once", async (t) => {
  const { clock, source, ends, logged, until } = rig(
    t,
    "sh",
    "-c",
    `echo '${LINE}'; echo 'no room' >&2; exit 1`,
  );
  source.start();
  for (let time = 1, delayMs = SOCKET_RESTART_MIN_MS; time < 9; time++) {
    await until(() => source.pid === undefined);
    assert.equal(ends.length, time);
    clock.advance(delayMs - 1);
    assert.equal(source.pid, undefined);
    clock.advance(1);
    assert.notEqual(source.pid, undefined);
    delayMs = Math.min(SOCKET_RESTART_MAX_MS, delayMs * 2);
  }
  assert.deepEqual(
    logged.map(({ severity, body }) => [severity, body]),
    [
      [
        13,
        "the reader of payload bytes ended, and is started again in 1 s: exit status 1: no room",
      ],
    ],
  );
});

test("one that ran for long is started again soon, and that is said each time", async (t) => {
  const { clock, source, logged, until } = rig(t, "sh", "-c", "exec sleep 60");
  source.start();
  for (let time = 1; time <= 2; time++) {
    clock.advance(SOCKET_RESTART_MAX_MS);
    assert.equal(logged.length, 2 * time - 1);
    process.kill(source.pid ?? -1, "SIGKILL");
    await until(() => logged.length === 2 * time);
    assert.match(logged.at(-1)?.body ?? "", /again in 1 s: signal SIGKILL/);
    clock.advance(SOCKET_RESTART_MIN_MS);
  }
});

test("a program that is not there is not asked for again", async (t) => {
  const { clock, source, logged, until } = rig(t, "stdbuf", "-oL", "no-such-program-here");
  source.start();
  await until(() => logged.length === 1);
  assert.match(logged[0]?.body ?? "", /^payload bytes are not read: exit status 127/);
  clock.advance(10 * SOCKET_RESTART_MAX_MS);
  source.start();
  assert.equal(source.pid, undefined);
  assert.equal(logged.length, 1);
});

test("under load it is paused, and goes on afterwards", async (t) => {
  const { clock, source, ends, logged, untilRead } = rig(
    t,
    "sh",
    "-c",
    `echo '${LINE}'; exec sleep 60`,
  );
  source.pause();
  source.start();
  source.start();
  await untilRead(() => ends.length === 1);
  clock.advance(SOCKET_CONFIRM_MS);
  source.pause();
  source.pause();
  assert.equal(source.pid, undefined);
  clock.advance(SOCKET_RESTART_MAX_MS);
  assert.equal(source.pid, undefined);
  source.start();
  await untilRead(() => ends.length === 2);
  clock.advance(SOCKET_CONFIRM_MS);
  source.stop();
  source.start();
  clock.advance(SOCKET_RESTART_MAX_MS);
  assert.equal(source.pid, undefined);
  assert.deepEqual(
    logged.map(({ body }) => body.slice(0, 30)),
    [
      "payload bytes of ended TCP con",
      "payload bytes are not read whi",
      "payload bytes of ended TCP con",
    ],
  );
});

test("paused while it waits to be started again, it stays so", async (t) => {
  const { clock, source, logged, until } = rig(t, "sh", "-c", "exit 1");
  source.start();
  await until(() => logged.length === 1);
  source.pause();
  clock.advance(10 * SOCKET_RESTART_MAX_MS);
  assert.equal(source.pid, undefined);
});
