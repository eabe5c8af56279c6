/** A run that observes and sends: a class, because it lives and has parts that must end in order. */
import { FLAG } from "../format/batch.ts";
import type { Entry } from "../format/entry.ts";
import type { Timer } from "../std/clock.ts";
import { wait } from "../std/retry.ts";
import type { EmitEntry } from "./agent-options.ts";
import type { RollbackCause } from "./chain/recovery.ts";
import type { SealedLog } from "./chain/sealed-log.ts";
import { type Delivery, openDelivery } from "./delivery.ts";
import { rememberMachine } from "./identity.ts";
import { HEAD_WAIT_MS_MAX, STATUS_MS, STOP_FLUSH_MS_MAX } from "./limits.ts";
import { type Membership, openUplink, pinOf } from "./membership.ts";
import { HostSettings } from "./observe/host-settings.ts";
import { RunningObservation } from "./observation.ts";
import { OwnUplink } from "./own-uplink.ts";
import { aborted, type Running } from "./running.ts";
import {
  endOptOut,
  loadOptOut,
  type OptOutRecord,
  optOutEntry,
  restoreChain,
} from "./ship/opt-out.ts";
import type { Uplink } from "./ship/uplink.ts";
import { type AgentStatus, readStatus, writeStatus } from "./status.ts";
import { Unanswered } from "./unanswered.ts";
import { yieldToHost } from "./yield-to-host.ts";

/** Runs until the signal; resolves when everything is on disk. */
export async function runNode(running: Running, membership: Membership): Promise<void> {
  const run = new NodeRun(running, membership);
  await run.start();
  await aborted(running.signal);
  await run.stop(String(running.signal.reason));
}

class NodeRun {
  readonly #running: Running;
  readonly #membership: Membership;
  readonly #uplink: Uplink;
  readonly #delivery: Delivery;
  #observation: RunningObservation;
  readonly #ownUplink: OwnUplink;
  readonly #unanswered: Unanswered;
  readonly #optOut: OptOutRecord | undefined;
  readonly #emit: EmitEntry;
  readonly #startedMs: number;
  /** When the run before this one last showed that it lived; 0 when unknown. */
  readonly #lastAliveMs: number;
  /** First number of the epoch that this run began because its state was an older one; else -1. */
  #stateEpochSeq = -1;
  #events = "all";
  #gaps = 0;
  #timer: Timer | undefined;
  /** Beginning to observe and resting follow each other; a start comes first. */
  readonly #started = Promise.withResolvers<void>();
  #changing: Promise<void> = this.#started.promise;
  #isResting = false;

  constructor(running: Running, membership: Membership) {
    const { paths, clock, log, hooks, options } = running;
    this.#running = running;
    this.#membership = membership;
    this.#startedMs = clock.nowMs();
    this.#uplink = openUplink(options, pinOf(membership.enrolment));
    this.#optOut = loadOptOut(paths);
    this.#delivery = this.#openDelivery();
    const sealedMs = this.#delivery.chain.last?.header.closedAtMs ?? 0;
    this.#lastAliveMs = Math.max(readStatus(paths)?.updatedMs ?? 0, sealedMs);
    this.#ownUplink = new OwnUplink((address, port) => this.#uplink.isServer(address, port));
    this.#unanswered = new Unanswered(log);
    const emit: EmitEntry = (entry) => this.#number(entry);
    this.#emit = hooks.interceptEmit?.(emit) ?? emit;
    log.attach((entry) => void this.#number(entry));
    this.#observation = this.#newObservation();
  }

  async start(): Promise<void> {
    const { log, options, hooks, clock } = this.#running;
    const { shipper } = this.#delivery;
    await this.#endOptOut();
    const host = await this.#prepareHost();
    this.#emitStart(host);
    log.info(`agent ${options.version} started`, {
      version: options.version,
      runtime: process.version,
    });
    shipper.start();
    // With the head known, halves of the run before are taken up in the right epoch from the start.
    await Promise.race([shipper.recovered, wait(HEAD_WAIT_MS_MAX, clock)]);
    this.#declareRestart();
    // A run that is killed at once has lived too: its successor must not count back to the one before.
    writeStatus(this.#running.paths, this.#status());
    if (shipper.status.state !== "halted") await this.#observe(host);
    this.#started.resolve();
    await this.#changing;
    this.#tick();
    const { node, name } = this.#membership.enrolment;
    hooks.onReady?.({ node, name, optedOut: false });
  }

  async stop(reason: string): Promise<void> {
    const { log, paths, hooks } = this.#running;
    this.#timer?.cancel();
    await this.#changing;
    if (this.#isResting) log.info(`agent stops: ${reason}`);
    else await this.#endStream(reason, `agent stops: ${reason}`);
    await this.#delivery.stop(hooks.stopFlushMsMax ?? STOP_FLUSH_MS_MAX);
    this.#uplink.close();
    writeStatus(paths, { ...this.#status(), state: "stopped" });
  }

  /** The stream ends on purpose: what the node sees from here on is not recorded. */
  async #endStream(reason: string, said: string): Promise<void> {
    const { log, clock } = this.#running;
    const { stream } = this.#delivery;
    await this.#observation.stop();
    log.info(said);
    log.attach(undefined);
    stream.closeBody();
    stream.emit({ kind: "stop", atMs: clock.nowMs(), reason: reason.slice(0, 256) });
    stream.closeBody(FLAG.stop);
  }

  /** With a revoked key the agent records nothing that nobody would take; what is unsent stays. */
  #rest(): void {
    this.#change(async () => {
      if (this.#isResting) return;
      this.#isResting = true;
      await this.#endStream("revoked", "nothing is observed while the key is revoked");
    });
  }

  /** The server takes the node again: as after a stop and a start. */
  #resume(): void {
    this.#change(async () => {
      if (!this.#isResting) return;
      const { log } = this.#running;
      log.attach((entry) => void this.#number(entry));
      this.#observation = this.#newObservation();
      const host = await this.#prepareHost();
      this.#emitStart(host);
      log.info("the server takes this node again");
      await this.#observe(host);
      this.#isResting = false;
    });
  }

  #change(call: () => Promise<void>): void {
    this.#changing = this.#changing.then(call).catch((error: unknown) => {
      this.#running.log.error(`what is observed could not be changed: ${String(error)}`);
    });
  }

  #newObservation(): RunningObservation {
    const { paths, clock, random, log, options } = this.#running;
    return new RunningObservation({
      clock,
      random,
      prepareHost: () => this.#prepareHost(),
      networks: options.networks,
      emit: (entry) => {
        if (entry.kind === "log") log.echo(entry);
        return this.#emit(entry);
      },
      liveFile: paths.live,
      nextSeq: () => this.#delivery.stream.nextSeq,
      epoch: () => this.#delivery.chain.position.epoch,
    });
  }

  async #observe(host: HostSettings): Promise<void> {
    if (!this.#running.options.sources.includes("conntrack")) return;
    await this.#observation.start(host, (seq) => this.#delivery.entriesSince(seq));
  }

  #openDelivery(): Delivery {
    const { options, machine, paths } = this.#running;
    const { identity, enrolment, remembered } = this.#membership;
    const optOut = this.#optOut;
    return openDelivery({
      ...this.#running,
      identity,
      enrolment,
      sameMachine: remembered === undefined || remembered.machineId === machine.machineId,
      spoolBytesMax: options.spoolBytesMax,
      uplink: this.#uplink,
      completeToMs: () => this.#observation?.completeToMs ?? 0,
      onEpoch: (seq: number, cause: RollbackCause) => {
        if (cause === "state") this.#stateEpochSeq = seq;
        if (cause === "clone") rememberMachine(paths.identity, machine);
        this.#observation.beginEpoch(seq);
      },
      onRevoked: () => this.#rest(),
      onTakenBack: () => this.#resume(),
      ...(optOut === undefined ? {} : { prepare: (log: SealedLog) => restoreChain(log, optOut) }),
    });
  }

  #prepareHost(): Promise<HostSettings> {
    return HostSettings.prepare({ enableTracking: this.#running.options.enableTracking });
  }

  /** The one way in: numbers an entry, and looks at what passes. */
  #number(entry: Entry): number {
    const isOwn = this.#ownUplink.concerns(entry);
    const seq = this.#delivery.stream.emit(entry, isOwn);
    if (isOwn && entry.kind === "open") this.#ownUplink.opened(seq);
    if (entry.kind === "gap") this.#gaps++;
    if (entry.kind === "degraded") this.#events = entry.events;
    this.#unanswered.see(entry, seq);
    return seq;
  }

  /** `resume` is the first entry after a refusal, and the refusal itself goes before it if it was never sent. */
  async #endOptOut(): Promise<void> {
    const optOut = this.#optOut;
    if (optOut === undefined) return;
    const { stream } = this.#delivery;
    const { paths, clock, log } = this.#running;
    if (!optOut.sent && optOut.frame === undefined) {
      stream.emit(optOutEntry(optOut));
      stream.closeBody(FLAG.optOut);
    }
    stream.emit({ kind: "resume", atMs: clock.nowMs() });
    stream.closeBody();
    await stream.queue.sync();
    endOptOut(paths);
    log.info("logging is no longer refused");
  }

  #emitStart({ facts }: HostSettings): void {
    const { clock, options, machine } = this.#running;
    const priority = yieldToHost();
    this.#number({
      kind: "start",
      atMs: clock.nowMs(),
      facts: {
        ...facts,
        ...machine,
        version: options.version,
        runtime: process.version,
        sources: options.sources.join(","),
        ...(priority === undefined ? {} : { priority }),
      },
    });
  }

  /** Nobody listened since the run before this one died, and what it had numbered last is gone. */
  #declareRestart(): void {
    const { stream, isEmptied } = this.#delivery;
    const { hole } = stream;
    // Of a spool that was removed, or came back from a copy, the new epoch's own gap says all that
    // can be said; and the numbers before an epoch's first are no hole in it.
    if (hole === undefined || isEmptied || hole.seqs[0] <= this.#stateEpochSeq) return;
    const nowMs = this.#running.clock.nowMs();
    const fromMs = Math.max(hole.fromMs, this.#lastAliveMs);
    this.#number({
      kind: "gap",
      atMs: nowMs,
      cause: hole.clean && this.#optOut === undefined ? "lost" : "restart",
      count: null,
      fromMs: fromMs === 0 ? nowMs : Math.min(fromMs, nowMs),
      toMs: nowMs,
      seqs: hole.seqs,
    });
  }

  #tick(): void {
    this.#delivery.checkSpool();
    writeStatus(this.#running.paths, this.#status());
    this.#timer = this.#running.clock.after(STATUS_MS, () => this.#tick());
  }

  #status(): AgentStatus {
    const { options, clock } = this.#running;
    const { stream, chain, shipper } = this.#delivery;
    const { node, name } = this.#membership.enrolment;
    const { state: uplink, lastError, lastReceiptMs } = shipper.status;
    return {
      version: options.version,
      pid: process.pid,
      node,
      name,
      server: options.server,
      state: this.#isResting ? "revoked" : "observing",
      uplink,
      epoch: chain.position.epoch,
      batches: chain.position.batches,
      nextSeq: stream.nextSeq,
      spoolBytes: stream.queue.bytes,
      unsentEntries: stream.queue.entries,
      oldestUnsentMs: stream.queue.oldestAtMs ?? 0,
      lastReceiptMs,
      droppedEntries: stream.droppedEntries,
      gaps: this.#gaps,
      events: this.#events,
      liveHalves: this.#observation.liveHalves,
      completeToMs: this.#observation.completeToMs,
      lastError,
      startedMs: this.#startedMs,
      updatedMs: clock.nowMs(),
    };
  }
}
