/**
 * Up to when what waits for a node is looked at. It advances with the node's watermark, but in steps: when a node was
 * away for half a day and is there again, is revoked, or opts out, millions of halves have waited for it, and they
 * are judged over some ticks instead of at one.
 */
import { ACCOUNT_WAIT_MS, OFFLINE_PATIENCE_MS, WAKE_STEP_MS } from "../limits.ts";
import type { NodeState } from "../node/node-memory.ts";
import type { NodeStream } from "../node/node-stream.ts";

/** The times that a tick wakes, on the server's clock. */
interface Wake {
  readonly fromMs: number;
  readonly toMs: number;
}

/** By the node's own account, or when patience ends. */
function wantedMs(state: NodeState, watermarkServerMs: number, nowMs: number): number {
  // Nothing of what was before an opt-out can follow it.
  if (state === "opted_out") return nowMs;
  const isGone = state === "revoked" || state === "server";
  const patienceMs = isGone ? ACCOUNT_WAIT_MS : OFFLINE_PATIENCE_MS;
  return Math.max(watermarkServerMs, nowMs - patienceMs);
}

/** As of the server's last tick, `nowMs`. */
export function wakeLimitMs({ memory, watermarkServerMs }: NodeStream, nowMs: number): number {
  const limitMs = wantedMs(memory.state, watermarkServerMs, nowMs);
  return memory.pacedMs === null ? limitMs : Math.min(limitMs, memory.pacedMs);
}

/** What a tick at `nowMs`, after one at `tickMs`, is going to wake of what waits for a node. */
export function wakeOf(stream: NodeStream, tickMs: number, nowMs: number): Wake {
  const { memory, clock } = stream;
  const toMs = wantedMs(memory.state, stream.watermarkServerMs, nowMs);
  // It is heard for the first time: nothing waited for it.
  if (memory.sealedToMs === 0 || tickMs === 0) return { fromMs: toMs, toMs };
  const sealedMs = clock.toServerMs(memory.sealedToMs, memory.bootAtMs);
  const fromMs = memory.pacedMs ?? wantedMs(memory.wokenAs, sealedMs, tickMs);
  return { fromMs, toMs: Math.min(toMs, fromMs + WAKE_STEP_MS) };
}

/** As of the server's last tick, `nowMs`: up to when what waits for a node that left is looked at. */
export function farewellLimitMs({ memory }: NodeStream, nowMs: number): number {
  return memory.farewellMs ?? nowMs;
}

/** What the tick is going to wake of what waits for a node that left; undefined where it did not. */
export function farewellOf(stream: NodeStream, tickMs: number, nowMs: number): Wake | undefined {
  const { memory, clock } = stream;
  const absence = memory.absences.find(({ toMs, fromMs }) => toMs === null && fromMs > 0);
  if (absence === undefined) return undefined;
  const beganMs = clock.toServerMs(absence.fromMs, memory.bootAtMs);
  const fromMs = memory.wasAway ? (memory.farewellMs ?? tickMs) : Math.min(beganMs, nowMs);
  return { fromMs, toMs: Math.min(nowMs, fromMs + WAKE_STEP_MS) };
}

/** At each tick, before anything is decided. */
export function pace(stream: NodeStream, tickMs: number, nowMs: number): void {
  const { memory } = stream;
  const farewell = farewellOf(stream, tickMs, nowMs);
  const farewellMs = farewell === undefined || farewell.toMs >= nowMs ? null : farewell.toMs;
  const wasAway = farewell !== undefined;
  if (memory.farewellMs !== farewellMs || memory.wasAway !== wasAway) stream.changed = true;
  memory.farewellMs = farewellMs;
  memory.wasAway = wasAway;
  const { toMs } = wakeOf(stream, tickMs, nowMs);
  const isBehind = toMs < wantedMs(memory.state, stream.watermarkServerMs, nowMs);
  const pacedMs = isBehind ? toMs : null;
  if (memory.pacedMs !== pacedMs || memory.wokenAs !== memory.state) stream.changed = true;
  memory.pacedMs = pacedMs;
  memory.wokenAs = memory.state;
}
