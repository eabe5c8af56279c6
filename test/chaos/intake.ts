/**
 * The server of the lab, in process: the real admission, chains, incidents and own stream over a
 * journal that keeps heads and hands each record to the comparison, which is a thread of its own. Time is
 * that of the arrivals.
 */
import { createHash } from "node:crypto";
import { HEAD_BYTES, Admission } from "../../src/ingest/admit.ts";
import { ChainWriter } from "../../src/ingest/chain-writer.ts";
import { Incidents } from "../../src/ingest/incidents.ts";
import type { JournalPort, JournalRecord } from "../../src/ingest/journal-port.ts";
import { TICK_EVERY_MS } from "../../src/ingest/limits.ts";
import type { KnownNode } from "../../src/ingest/node-directory.ts";
import { OwnStream } from "../../src/ingest/own-stream.ts";
import { serverKeyFromSeed } from "../../src/ingest/server-key.ts";
import { keyIdOf, publicKeyFromRaw } from "../../src/format/identity.ts";
import type { EnrolledEntry, FindingEntry, RulingEntry } from "../../src/format/entry.ts";
import type { FindingDraft } from "../../src/reconcile/finding/findings.ts";
import { ManualClock } from "../../src/std/clock.ts";
import { MemoryDisk } from "../../src/std/memory-disk.ts";
import type { Compared, Concluded } from "./compare.ts";
import { Comparison } from "./comparison.ts";
import { KIND } from "./finding-names.ts";
import { START_MS } from "./mesh/mesh-node.ts";

/** A node as it enrols. */
export interface Member {
  readonly id: string;
  readonly name: string;
  readonly publicKey: Uint8Array;
}

export interface IntakeOptions {
  readonly seed: number;
  /** Each change of a finding, whoever concluded it, at its journal time. */
  readonly onFinding: (finding: FindingDraft, atMs: number) => void;
}

/** A frame and when it comes, Unix ms. */
export interface Incoming {
  readonly frame: Uint8Array;
  readonly atMs: number;
}

/** Findings written at once, at most: the own stream bounds what waits. */
const FINDINGS_AT_ONCE = 2_000;

export class Intake {
  readonly #options: IntakeOptions;
  readonly #comparison: Comparison;
  readonly #clock = new ManualClock(START_MS - TICK_EVERY_MS);
  readonly #known = new Map<string, KnownNode>();
  readonly #journal = new HeadJournal((record) => this.#comparison.take(record));
  readonly #own: OwnStream;
  readonly #incidents: Incidents;
  readonly #admission: Admission;
  #tickDueMs: number;

  static async open(options: IntakeOptions): Promise<Intake> {
    const disk = new MemoryDisk();
    await disk.mkdir("/lab");
    const journal = new LateJournal();
    const writer = await ChainWriter.open({
      journal,
      snapshot: { disk, path: "/lab/heads" },
      snapshotEveryRecords: Number.MAX_SAFE_INTEGER,
      onFatal: (error) => {
        throw error;
      },
    });
    return new Intake(options, writer, journal);
  }

  private constructor(options: IntakeOptions, writer: ChainWriter, journal: LateJournal) {
    journal.behind = this.#journal;
    const clock = this.#clock;
    const seed = createHash("sha256").update(`server ${options.seed}`).digest();
    const key = serverKeyFromSeed(seed);
    this.#options = options;
    this.#comparison = new Comparison({ serverId: key.nodeId.toString("hex") });
    this.#tickDueMs = clock.nowMs() + TICK_EVERY_MS;
    this.#own = new OwnStream({ key, writer, clock });
    this.#incidents = new Incidents({
      clock,
      write: (finding: FindingEntry) => {
        options.onFinding(finding, finding.atMs);
        return this.#own.append([finding]);
      },
    });
    this.#admission = new Admission({
      lookup: (id) => this.#known.get(id),
      writer,
      journal,
      serverKey: key.privateKey,
      clock,
      report: this.#incidents.report,
    });
  }

  /** Bytes of all frames so far. */
  get journalBytes(): number {
    return this.#journal.bytes;
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#admission.counts;
  }

  async enrol(members: readonly Member[]): Promise<void> {
    const entries: EnrolledEntry[] = members.map(({ id, name, publicKey }) => {
      const node = {
        publicKey: publicKeyFromRaw(publicKey),
        publicKeyBytes: publicKey,
        keyId: keyIdOf(publicKey),
        state: "active",
      } as const;
      this.#known.set(id, node);
      const key = Buffer.from(publicKey).toString("base64url");
      const atMs = this.#clock.nowMs();
      return { kind: "enrolled", atMs, node: id, name, publicKey: key, enrolmentKey: "AAAAAAAA" };
    });
    for (let from = 0; from < entries.length; from += 1_000) {
      await this.#own.append(entries.slice(from, from + 1_000));
    }
  }

  /** A frame arrives; resolves with the code of its refusal, or nothing. */
  async take({ frame, atMs }: Incoming): Promise<string | undefined> {
    await this.passTo(atMs);
    const sender = this.#admission.authenticate(frame.subarray(0, HEAD_BYTES), "lab");
    if ("outcome" in sender) return sender.code;
    const result = await this.#admission.admit(sender, frame);
    return result.outcome === "refused" ? result.code : undefined;
  }

  /** Time passes, with the server's ticks. */
  async passTo(atMs: number): Promise<void> {
    while (this.#tickDueMs <= atMs) {
      this.#clock.advance(this.#tickDueMs - this.#clock.nowMs());
      this.#tickDueMs += TICK_EVERY_MS;
      // Shares the batch of the tick that waits, and is there when that is.
      await this.#own.append([]);
      await this.#writeFindings(await this.#comparison.tick());
    }
    if (atMs > this.#clock.nowMs()) this.#clock.advance(atMs - this.#clock.nowMs());
  }

  /** Nothing arrives any more: what is under way is compared, and its findings are written. */
  async end(): Promise<Compared> {
    await this.#writeFindings(await this.#comparison.drain());
    await this.#incidents.close();
    await this.#own.close();
    const { concluded, ...compared } = await this.#comparison.end();
    for (const [finding, atMs] of concluded) this.#options.onFinding(finding, atMs);
    return compared;
  }

  /** Ends what runs beside, also after a failure. */
  async stop(): Promise<void> {
    await this.#comparison.stop();
  }

  async #writeFindings(concluded: readonly Concluded[]): Promise<void> {
    for (const [finding, atMs] of concluded) this.#options.onFinding(finding, atMs);
    const drafts = concluded.map(([finding]) => finding);
    const atMs = this.#clock.nowMs();
    for (let from = 0; from < drafts.length; from += FINDINGS_AT_ONCE) {
      const some = drafts.slice(from, from + FINDINGS_AT_ONCE);
      await this.#own.append(some.map((draft) => ({ ...draft, atMs })));
    }
    const rulings = drafts.filter(isAcknowledged).map(({ id }) => acknowledgement(id, atMs));
    if (rulings.length > 0) await this.#own.append(rulings);
  }
}

/** Somebody looks at every second opt-out, and knows why. */
function isAcknowledged({ finding, state, id }: FindingDraft): boolean {
  return (
    finding === KIND.optedOut && state === "open" && Number.parseInt(id.slice(-1), 16) % 2 === 0
  );
}

function acknowledgement(finding: string, atMs: number): RulingEntry {
  const reason = "its owner asked for it";
  return { kind: "ruling", atMs, finding, ruling: "acknowledged", reason, actor: "lab" };
}

/** Keeps header and signature of each record, as a journal does whose payloads retention dropped. */
class HeadJournal implements JournalPort {
  bytes = 0;
  readonly #records: JournalRecord[] = [];
  readonly #take: (record: JournalRecord) => void;

  constructor(take: (record: JournalRecord) => void) {
    this.#take = take;
  }

  append(record: Omit<JournalRecord, "index">): Promise<{ readonly index: number }> {
    const index = this.#records.length;
    this.bytes += record.frame.length;
    this.#take({ ...record, index });
    this.#records.push({ ...record, index, frame: record.frame.slice(0, HEAD_BYTES) });
    return Promise.resolve({ index });
  }

  async *read(fromIndex: number): AsyncIterable<JournalRecord> {
    for (let index = fromIndex; index < this.#records.length; index++) {
      const record = this.#records[index];
      if (record !== undefined) yield record;
    }
  }
}

/** The writer recovers from an empty journal before there is somebody to hand records to. */
class LateJournal implements JournalPort {
  behind: JournalPort | undefined;

  append(record: Omit<JournalRecord, "index">): Promise<{ readonly index: number }> {
    if (this.behind === undefined) throw new Error("append before the journal is there");
    return this.behind.append(record);
  }

  async *read(fromIndex: number): AsyncIterable<JournalRecord> {
    if (this.behind !== undefined) yield* this.behind.read(fromIndex);
  }
}
