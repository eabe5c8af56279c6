/**
 * Sending: one batch after the other, each until the server has signed for it. The loop never gives
 * up and never hurries: failures back off with jitter, a server's wish to wait is obeyed, and what
 * the server refuses for good is declared lost instead of being sent for ever.
 *
 * Nothing is sealed before the server has said where our chain ends (recovery.ts); until then
 * entries pile up in the spool.
 */
import type { KeyObject } from "node:crypto";
import { FLAG } from "../../format/batch.ts";
import { openReceipt, type Receipt } from "../../format/receipt.ts";
import type { Timer } from "../../std/clock.ts";
import { backOffMs } from "../../std/retry.ts";
import { positionAfter } from "../chain/chain-position.ts";
import { crashPoint } from "../../std/crash-point.ts";
import type { EntryStream } from "../spool/entry-stream.ts";
import { requestHead } from "./head-request.ts";
import type { Identity } from "../identity.ts";
import {
  HEARTBEAT_MS,
  RETRY_AFTER_MS_MAX,
  RETRY_FIRST_MS,
  RETRY_LAST_MS,
  REVOKED_RETRY_MS,
  STOP_ANSWER_MS_MAX,
  STOP_RETRY_MS_MAX,
  STUCK_RETRY_MS,
} from "../limits.ts";
import { rechain, type RechainOptions, type Refusal } from "../chain/rechain.ts";
import { afterRefusal } from "../chain/refusals.ts";
import type { SealedFrame } from "../chain/sealed-log.ts";
import type { Answer, Uplink } from "./uplink.ts";

const BACK_OFF = { firstDelayMs: RETRY_FIRST_MS, delayMsMax: RETRY_LAST_MS };

export interface ShipperOptions extends RechainOptions {
  /** In [0, 1). */
  readonly random: () => number;
  readonly identity: Identity;
  readonly serverKey: KeyObject;
  readonly stream: EntryStream;
  readonly uplink: Pick<Uplink, "post">;
  /** The node's key was revoked: what is recorded from now on will never be taken. */
  readonly onRevoked: () => void;
  /** The server takes this node after all. */
  readonly onTakenBack: () => void;
}

export interface ShipperStatus {
  /** `recovering` until the server's head is known; `halted` when the key was revoked. */
  readonly state: "recovering" | "sending" | "waiting" | "halted";
  readonly lastError: string;
  readonly failures: number;
  readonly lastReceiptMs: number;
}

/** Milliseconds to wait before the next step; `idle`: until there is something to do. */
type Next = number | "idle" | "end";

export class Shipper {
  readonly #options: ShipperOptions;
  readonly #abort = new AbortController();
  readonly #recovered = Promise.withResolvers<void>();
  #state: ShipperStatus["state"] = "recovering";
  #isRecovered = false;
  #lastError = "";
  #failures = 0;
  #refusal: Refusal | undefined;
  #lastShippedMs: number;
  #lastReceiptMs: number;
  #stopping = false;
  /** While stopping: ends the run where no answer comes. */
  #patience: Timer | undefined;
  #done: Promise<void> | undefined;
  /** Ends the present pause; `#isIdle` says whether a nudge may. */
  #wake: (() => void) | undefined;
  #isIdle = false;

  constructor(options: ShipperOptions) {
    this.#options = options;
    this.#lastShippedMs = options.clock.monotonicMs();
    this.#lastReceiptMs = options.receipts.last?.receivedMs ?? 0;
  }

  get status(): ShipperStatus {
    const [state, lastError] = [this.#state, this.#lastError];
    return { state, lastError, failures: this.#failures, lastReceiptMs: this.#lastReceiptMs };
  }

  /** Resolves when the server's head is known for the first time. */
  get recovered(): Promise<void> {
    return this.#recovered.promise;
  }

  start(): void {
    this.#done = this.#run();
  }

  /** There may be something to send. Waiting after a failure is not cut short by it. */
  nudge(): void {
    if (this.#isIdle) this.#wake?.();
  }

  /**
   * Tries to deliver what there is, for at most `flushMsMax`; what remains is in the spool. A server
   * that is gone is not waited for: without an answer it ends much earlier.
   */
  async stop(flushMsMax: number): Promise<void> {
    this.#stopping = true;
    const timer = this.#options.clock.after(flushMsMax, () => this.#end());
    this.#awaitAnswer();
    // A lookup that times out cannot be called off, and the process would not end before it.
    if (this.#failures > 0 && this.#lastError.startsWith("EAI_AGAIN")) this.#end();
    this.#wake?.();
    await this.#done;
    timer.cancel();
    this.#patience?.cancel();
  }

  #awaitAnswer(): void {
    const waitMs = this.#failures > 0 ? STOP_RETRY_MS_MAX : STOP_ANSWER_MS_MAX;
    this.#patience?.cancel();
    this.#patience = this.#options.clock.after(waitMs, () => this.#end());
  }

  #end(): void {
    this.#abort.abort();
    this.#wake?.();
  }

  async #run(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      const next = await this.#step();
      if (next === "end") return;
      if (this.#stopping && next === "idle") return;
      await this.#pause(next);
    }
  }

  async #step(): Promise<Next> {
    if (this.#state === "halted" && this.#stopping) return "end";
    const { chain, stream, uplink } = this.#options;
    try {
      if (!this.#isRecovered) return await this.#recover();
      if (this.#failures === 0) stream.declareDropped();
      const frame = (await chain.next()) ?? (await this.#heartbeat());
      if (frame === undefined) return "idle";
      const answer = uplink.post("/ingest/v1/batches", frame.frame, this.#abort.signal);
      crashPoint("agent: batch sent");
      return this.#settle(frame, await answer);
    } catch (error) {
      // The disk: nothing leaves that could not be written first.
      this.#checkSpool();
      return this.#later(`the spool cannot be written: ${String(error)}`);
    }
  }

  /** A directory that was removed may be impossible to make again, for now. */
  #checkSpool(): void {
    try {
      this.#options.stream.checkSpool();
      this.#options.chain.checkSpool();
    } catch (error) {
      this.#options.log.error(`the spool cannot be made anew: ${String(error)}`);
    }
  }

  async #heartbeat(): Promise<SealedFrame | undefined> {
    const { chain, stream, clock } = this.#options;
    if (this.#stopping || clock.monotonicMs() - this.#lastShippedMs < HEARTBEAT_MS)
      return undefined;
    stream.closeBody();
    return (await chain.next()) ?? chain.heartbeat();
  }

  #settle(frame: SealedFrame, answer: Answer): Next {
    if (answer.outcome === "ok") return this.#acknowledge(frame, answer.body["receipt"]);
    if (answer.outcome === "refused") return this.#refuse(frame, answer.code, answer.detail);
    return this.#later(answer.reason, answer.retryAfterMs);
  }

  #acknowledge(frame: SealedFrame, receiptText: unknown): Next {
    const { receipts, chain, clock } = this.#options;
    const bytes = Buffer.from(typeof receiptText === "string" ? receiptText : "", "base64url");
    const receipt = this.#verified(frame, bytes);
    if (receipt === undefined) return this.#later("the receipt is not the server's");
    crashPoint("agent: receipt verified");
    receipts.keep(bytes, receipt);
    crashPoint("agent: receipt kept");
    chain.acknowledged();
    this.#lastReceiptMs = receipt.receivedMs;
    this.#lastShippedMs = clock.monotonicMs();
    this.#refusal = undefined;
    this.#reached();
    return 0;
  }

  /** A receipt counts only if it is for this very batch. */
  #verified({ header }: SealedFrame, bytes: Buffer): Receipt | undefined {
    const { serverKey, identity } = this.#options;
    try {
      const receipt = openReceipt(bytes, serverKey);
      const fits =
        receipt.epoch === header.epoch &&
        receipt.batchNo === header.batchNo &&
        Buffer.compare(receipt.nodeId, identity.nodeId) === 0 &&
        Buffer.compare(receipt.head, positionAfter(header).head) === 0;
      return fits ? receipt : undefined;
    } catch {
      return undefined;
    }
  }

  #refuse(frame: SealedFrame, code: string, detail: string): Next {
    const { epoch, batchNo, flags } = frame.header;
    const text = `the server refused batch ${batchNo} of epoch ${epoch}: ${code}`;
    this.#options.log.error(text, { code, detail: detail.slice(0, 500), epoch, batchNo });
    this.#lastError = `${code}: ${detail}`;
    const times = this.#refusal?.frame === frame ? this.#refusal.times + 1 : 1;
    const after = afterRefusal(code);
    this.#refusal = { frame, code, after, times };
    if (after === "halt") return this.#halt();
    // An epoch's first batch is the remedy itself: nothing can replace it.
    const isRemedy = (flags & FLAG.epochStart) !== 0 && (after !== "recover" || times > 1);
    if (after === "wait" || isRemedy) return this.#waitLong();
    this.#isRecovered = false;
    return 0;
  }

  async #recover(): Promise<Next> {
    const { log, onTakenBack } = this.#options;
    const answer = await requestHead({ ...this.#options, signal: this.#abort.signal });
    const wasRevoked = this.#state === "halted";
    if (wasRevoked && answer.outcome !== "head") return REVOKED_RETRY_MS;
    if (answer.outcome === "later") return this.#later(answer.reason, answer.retryAfterMs);
    if (answer.outcome === "refused") {
      this.#lastError = `${answer.code}: ${answer.detail}`;
      log.error(`the server does not say where our chain ends: ${answer.code}`, {
        code: answer.code,
      });
      return afterRefusal(answer.code) === "halt" ? this.#halt() : this.#waitLong();
    }
    rechain(this.#options, answer.head, this.#refusal);
    this.#isRecovered = true;
    this.#reached();
    this.#recovered.resolve();
    if (wasRevoked) onTakenBack();
    return 0;
  }

  #reached(): void {
    if (this.#failures > 0) {
      this.#options.log.info("the server answers again", { attempts: this.#failures });
    }
    this.#failures = 0;
    this.#state = "sending";
    this.#lastError = "";
    if (this.#stopping) this.#awaitAnswer();
  }

  /** Trouble that passes by itself. Logged when it begins, not at every attempt. */
  #later(reason: string, retryAfterMs?: number): Next {
    if (this.#abort.signal.aborted) return "end";
    const { log, random } = this.#options;
    this.#failures++;
    this.#lastError = reason;
    this.#state = "waiting";
    if (this.#failures === 1) log.warn(`entries wait, nothing can be sent: ${reason}`);
    // Once more after a first failure: a connection that was kept may have ended in the meantime.
    if (this.#stopping && this.#failures > 1) return "end";
    const delayMs = backOffMs(this.#failures, BACK_OFF, random);
    return Math.max(delayMs, Math.min(retryAfterMs ?? 0, RETRY_AFTER_MS_MAX));
  }

  /** Trouble that somebody has to end. */
  #waitLong(): Next {
    this.#failures++;
    this.#state = "waiting";
    return this.#stopping ? "end" : STUCK_RETRY_MS;
  }

  /** Nothing is sent any more; the loop stays, so that nobody starts it again and again. */
  #halt(): Next {
    const { log, onRevoked } = this.#options;
    this.#state = "halted";
    this.#isRecovered = false;
    this.#refusal = undefined;
    log.error(
      "the node's key was revoked; nothing is recorded or sent any more, enrol anew with another --state",
    );
    onRevoked();
    this.#recovered.resolve();
    return this.#stopping ? "end" : REVOKED_RETRY_MS;
  }

  /** Idle ends by a nudge or when a heartbeat is due; a back-off only by its time or the end of the run. */
  async #pause(next: number | "idle"): Promise<void> {
    if (next === 0) return;
    const { clock } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const heartbeatInMs = HEARTBEAT_MS - (clock.monotonicMs() - this.#lastShippedMs);
    const timer = clock.after(next === "idle" ? Math.max(heartbeatInMs, 1) : next, resolve);
    this.#isIdle = next === "idle";
    this.#wake = resolve;
    await promise;
    this.#isIdle = false;
    this.#wake = undefined;
    timer.cancel();
  }
}
