/** A run that refuses: at most one signed entry leaves the node, nothing is observed, the process stays. */
import { publicKeyFromRaw } from "../format/identity.ts";
import { STOP_FLUSH_MS_MAX } from "./limits.ts";
import { type Membership, openUplink, pinOf } from "./membership.ts";
import { aborted, type Running } from "./running.ts";
import { beginOptOut, deliverOptOut } from "./ship/opt-out.ts";
import { type AgentStatus, writeStatus } from "./status.ts";

/** A node that never enrolled sends nothing at all, not even that it refuses. */
export async function runOptedOut(
  running: Running,
  origin: string,
  membership: Membership | undefined,
): Promise<void> {
  const { log, hooks, options, signal } = running;
  const node = membership?.enrolment.node ?? "";
  const name = membership?.enrolment.name ?? options.name;
  log.info(`logging is refused (${origin}): nothing is observed, kept or sent`);
  const delivery = membership === undefined ? undefined : deliver(running, origin, membership);
  writeStatus(running.paths, optedOutStatus(running, { node, name }));
  hooks.onReady?.({ node, name, optedOut: true });
  await delivery;
  await aborted(signal);
  writeStatus(running.paths, { ...optedOutStatus(running, { node, name }), state: "stopped" });
}

async function deliver(running: Running, origin: string, membership: Membership): Promise<void> {
  const { paths, clock, options, machine } = running;
  const { identity, enrolment, remembered } = membership;
  const record = beginOptOut(paths, { identity, origin, nowMs: clock.nowMs() });
  if (record.sent) return;
  const uplink = openUplink(options, pinOf(enrolment));
  const flush = flushSignal(running);
  try {
    await deliverOptOut(record, {
      ...running,
      identity,
      serverKey: publicKeyFromRaw(Buffer.from(enrolment.serverKey, "base64url")),
      sameMachine: remembered === undefined || remembered.machineId === machine.machineId,
      uplink,
      signal: flush,
    });
  } finally {
    uplink.close();
  }
}

/** Ends the delivery a bounded time after the run was asked to end. */
function flushSignal({ signal, clock, hooks }: Running): AbortSignal {
  const controller = new AbortController();
  const end = (): void => controller.abort(signal.reason);
  const delayMs = hooks.stopFlushMsMax ?? STOP_FLUSH_MS_MAX;
  signal.addEventListener("abort", () => void clock.after(delayMs, end), { once: true });
  return controller.signal;
}

function optedOutStatus(
  { options, clock }: Running,
  who: { readonly node: string; readonly name: string },
): AgentStatus {
  const nowMs = clock.nowMs();
  return {
    ...who,
    version: options.version,
    pid: process.pid,
    server: options.server,
    state: "opted-out",
    uplink: "none",
    epoch: 0,
    batches: 0,
    nextSeq: 0,
    spoolBytes: 0,
    unsentEntries: 0,
    oldestUnsentMs: 0,
    lastReceiptMs: 0,
    droppedEntries: 0,
    gaps: 0,
    events: "none",
    liveHalves: 0,
    completeToMs: 0,
    lastError: "",
    startedMs: nowMs,
    updatedMs: nowMs,
  };
}
