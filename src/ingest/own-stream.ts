/**
 * The server's own stream: what the server knows and concludes, as entries of a node like any
 * other, signed by the server's key and chained in the same journal. Its ticks are the time by
 * which absences are decided.
 *
 * Appends that come together share a batch: one batch is in flight at a time, and what comes
 * meanwhile is the next one.
 */
import { createHash } from "node:crypto";
import {
  chainHash,
  encodeFrame,
  encodeHeader,
  FLAG,
  type BatchHeader,
  signHeader,
} from "../format/batch.ts";
import type { Entry } from "../format/entry.ts";
import { decodeLine, encodeLine } from "../format/entry-line.ts";
import { FormatError } from "../format/format-error.ts";
import { LINE_BYTES_MAX } from "../format/limits.ts";
import { compressPayload, encodeEntries } from "../format/payload.ts";
import type { Clock, Timer } from "../std/clock.ts";
import { type ChainState, emptyChain } from "./chain.ts";
import type { ChainWriter } from "./chain-writer.ts";
import { IngestError } from "./errors.ts";
import type { AppendOptions } from "./journal-port.ts";
import {
  OWN_ENTRIES_PER_BATCH,
  OWN_ENTRIES_WAITING_MAX,
  OWN_RAW_BYTES_MAX,
  TICK_EVERY_MS,
} from "./limits.ts";
import type { ServerKey } from "./server-key.ts";

export interface OwnStreamOptions {
  readonly key: ServerKey;
  readonly writer: ChainWriter;
  readonly clock: Clock;
  /** When this process started, Unix ms. */
  readonly bootAtMs?: number;
  /** Default 5,000. */
  readonly tickEveryMs?: number;
}

interface Waiting {
  readonly entries: readonly Entry[];
  readonly bytes: number;
  readonly mayUseReserve: boolean;
  readonly resolve: (written: { index: number }) => void;
  readonly reject: (error: unknown) => void;
}

export class OwnStream {
  readonly #options: OwnStreamOptions;
  readonly #nodeId: string;
  readonly #bootAtMs: number;
  #waiting: Waiting[] = [];
  #waitingEntries = 0;
  #pump: Promise<void> | undefined;
  #timer: Timer | undefined;
  #closed = false;

  /** Its chain is what the writer recovered from the journal. Ticks from here on. */
  constructor(options: OwnStreamOptions) {
    this.#options = options;
    this.#nodeId = options.key.nodeId.toString("hex");
    this.#bootAtMs = options.bootAtMs ?? options.clock.nowMs();
    this.#tick();
  }

  /** Hex. */
  get nodeId(): string {
    return this.#nodeId;
  }

  /**
   * Resolves with the journal index of their batch when the entries are durable. All of one call
   * stand in one batch, in order. Rejects with a `FormatError` for what is no entry or longer than
   * one may be, and a `RangeError` for more than a batch takes (nothing was written), with `own_queue_full`, `busy` or `journal_full` (nothing
   * was written, try later), `journal_failed` (unknown, the process ends), or `closed`.
   */
  async append(
    entries: readonly Entry[],
    { mayUseReserve = false }: AppendOptions = {},
  ): Promise<{ readonly index: number }> {
    const bytes = checkedSize(entries);
    if (this.#closed) throw new IngestError("closed", "the server's own stream has ended");
    if (this.#waitingEntries + entries.length > OWN_ENTRIES_WAITING_MAX) {
      throw new IngestError(
        "own_queue_full",
        `${this.#waitingEntries} own entries wait; try later`,
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<{ index: number }>();
    this.#waiting.push({ entries, bytes, mayUseReserve, resolve, reject });
    this.#waitingEntries += entries.length;
    this.#pump ??= this.#run();
    return promise;
  }

  /** Writes what waits and a last batch with the flag `stop`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    await this.#pump;
    // Where it cannot be written, the stream ends as in a crash.
    await this.#writeBatch([], { flags: FLAG.stop, mayUseReserve: true }).catch(() => undefined);
  }

  #tick(): void {
    const { clock, tickEveryMs } = this.#options;
    // A tick that cannot be written is missed, as it would be if the server were down.
    this.append([{ kind: "tick", atMs: clock.nowMs() }]).catch(() => undefined);
    this.#timer = clock.after(tickEveryMs ?? TICK_EVERY_MS, () => {
      if (!this.#closed) this.#tick();
    });
  }

  async #run(): Promise<void> {
    // One turn of the event loop, so that appends that come together share the first batch too.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        const entries = group.flatMap((one) => one.entries);
        const mayUseReserve = group.some((one) => one.mayUseReserve);
        const index = await this.#writeBatch(entries, { flags: 0, mayUseReserve });
        for (const one of group) one.resolve({ index });
      } catch (error) {
        for (const one of group) one.reject(error);
      }
    }
    this.#pump = undefined;
  }

  /** In order; entries that may use the reserve share no batch with those that would use it up. */
  #takeGroup(): Waiting[] {
    const mayUseReserve = this.#waiting[0]?.mayUseReserve;
    let entries = 0;
    let bytes = 0;
    let count = 0;
    for (const one of this.#waiting) {
      entries += one.entries.length;
      bytes += one.bytes;
      const fits = entries <= OWN_ENTRIES_PER_BATCH && bytes <= OWN_RAW_BYTES_MAX;
      if (count > 0 && (!fits || one.mayUseReserve !== mayUseReserve)) break;
      count++;
    }
    const group = this.#waiting.splice(0, count);
    for (const one of group) this.#waitingEntries -= one.entries.length;
    return group;
  }

  async #writeBatch(
    entries: readonly Entry[],
    { flags, mayUseReserve }: { flags: number; mayUseReserve: boolean },
  ): Promise<number> {
    const { key, writer, clock } = this.#options;
    const state = writer.chain(this.#nodeId)?.state ?? emptyChain(key.publicKeyBytes);
    const nowMs = clock.nowMs();
    const raw = Buffer.from(encodeEntries(entries, state.nextSeq));
    const payload = compressPayload(raw);
    const header: BatchHeader = {
      ...this.#headerBase(state, flags),
      ...timesOf(entries, nowMs),
      entryCount: entries.length,
      payloadBytes: payload.length,
      rawBytes: raw.length,
      payloadHash: createHash("sha256").update(payload).digest(),
    };
    const headerBytes = encodeHeader(header);
    const frame = encodeFrame(headerBytes, signHeader(headerBytes, key.privateKey), payload);
    const link = { header, hash: chainHash(headerBytes) };
    const written = await writer.accept(this.#nodeId, link, {
      frame,
      receivedMs: nowMs,
      mayUseReserve,
    });
    if (written.outcome === "durable") return written.place.index;
    throw new IngestError(written.code, `the server's own entries: ${written.detail}`);
  }

  #headerBase(
    state: ChainState,
    flags: number,
  ): Omit<BatchHeader, TimeField | "entryCount" | "payloadBytes" | "rawBytes" | "payloadHash"> {
    const { nodeId, keyId } = this.#options.key;
    return {
      flags: flags | (state.batches === 0 && state.epoch === 0 ? FLAG.epochStart : 0),
      nodeId,
      keyId,
      epoch: state.epoch,
      batchNo: state.batches,
      seqFirst: state.nextSeq,
      bootAtMs: this.#bootAtMs,
      entriesRoot: new Uint8Array(32),
      prevHash: state.head,
      seenSize: 0,
      seenRoot: new Uint8Array(32),
    };
  }
}

type TimeField = "firstAtMs" | "lastAtMs" | "closedAtMs" | "completeToMs";

/** The server observes no connections; what it knows is complete when it writes it. */
function timesOf(entries: readonly Entry[], nowMs: number): Pick<BatchHeader, TimeField> {
  const times = entries.map((entry) => entry.atMs);
  return {
    firstAtMs: times.length === 0 ? nowMs : Math.min(...times),
    lastAtMs: times.length === 0 ? nowMs : Math.max(...times),
    closedAtMs: nowMs,
    completeToMs: nowMs,
  };
}

/**
 * Bytes of the entries as lines, and a stop for what no batch can hold. Each is read as all readers of the
 * journal will read it: a line there that is no entry would stop them at that place for good.
 */
function checkedSize(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const entry of entries) {
    const position = { seq: Number.MAX_SAFE_INTEGER, previousAtMs: 0 };
    const text = encodeLine(entry, position);
    const line = Buffer.byteLength(text) + 1;
    if (line > LINE_BYTES_MAX) {
      throw new FormatError("bad_entry", `a ${entry.kind} entry has ${line} bytes`);
    }
    decodeLine(text, position);
    bytes += line;
  }
  if (entries.length > OWN_ENTRIES_PER_BATCH || bytes > OWN_RAW_BYTES_MAX) {
    throw new RangeError(
      `one append takes at most ${OWN_ENTRIES_PER_BATCH} entries and ${OWN_RAW_BYTES_MAX} bytes, got ${entries.length} and ${bytes}`,
    );
  }
  return bytes;
}
