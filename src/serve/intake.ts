/**
 * Everything between the network and the disk: control, journal, chains, the server's own stream.
 * It works without a store, and it is what the process lives for: when one of these fails, the
 * process ends, and the next start reads from the journal what is true.
 */
import { join } from "node:path";
import { Control } from "../control/control.ts";
import { ControlError } from "../control/control-error.ts";
import type { AuditEntry, Entry, FindingEntry, ServerEntry } from "../format/entry.ts";
import { FormatError } from "../format/format-error.ts";
import { Admission } from "../ingest/admit.ts";
import { ChainWriter } from "../ingest/chain-writer.ts";
import { IngestError } from "../ingest/errors.ts";
import { Incidents } from "../ingest/incidents.ts";
import type { KnownNode } from "../ingest/node-directory.ts";
import { OwnStream } from "../ingest/own-stream.ts";
import { loadServerKey, type ServerKey } from "../ingest/server-key.ts";
import { Journal } from "../journal/journal.ts";
import { Reserve } from "../journal/reserve.ts";
import type { Clock } from "../std/clock.ts";
import type { Disk } from "../std/disk.ts";
import { controlEntries } from "./control-history.ts";
import { Room } from "./store/room.ts";

export interface IntakeOptions {
  readonly dataDir: string;
  readonly disk: Disk;
  readonly clock: Clock;
  /** One past the last record whose rows are in the store, where that is on the same disk; undefined while nobody knows. */
  readonly committed: () => number | undefined;
  /** Called for whatever the process must end for; may come more than once. */
  readonly onFatal: (error: Error) => void;
}

/**
 * What the store takes for a byte of the journal before it settles: rows of connections take up to three, and
 * each merge leaves what it was made from for eight minutes.
 */
const STORE_BYTES_PER_BYTE = 4;
/** A store that is made anew is no reason to let nodes wait for hours: it waits itself where there is no room. */
const STORE_BYTES_MAX = 1024 ** 3;
/** How long a full disk or queue is waited for before the entry is tried again. */
const RETRY_MS = 1_000;
/** Findings of one append: about 1 KB each, well below what one batch may hold. */
const FINDINGS_PER_APPEND = 500;

export class Intake {
  readonly control: Control;
  readonly journal: Journal;
  readonly room: Room;
  readonly writer: ChainWriter;
  readonly serverKey: ServerKey;
  readonly own: OwnStream;
  readonly incidents: Incidents;
  readonly admission: Admission;
  readonly #clock: Clock;

  /** Recovers from whatever the last process left. Throws the errors of its parts. */
  static async open(options: IntakeOptions): Promise<Intake> {
    const { dataDir, disk, clock, onFatal } = options;
    const reserve = await Reserve.open({ disk, path: join(dataDir, "reserve") });
    const room = new Room({ disk, dir: dataDir, clock, reserve });
    await room.make();
    // Late: control is opened first, because its file is the lock of the directory.
    let intake: Intake | undefined;
    const control = Control.open({
      file: join(dataDir, "state.sqlite"),
      clock,
      append: (entries) => appendControl(intake?.own, entries),
      makeRoom: () => room.make(),
      chainEnd: async (id) => (await intake?.admission.settled(id)) ?? { epoch: 0, batches: 0 },
      onFatal,
    });
    try {
      const dir = join(dataDir, "journal");
      const giveBack = () => reserve.giveBack();
      const neededBytes = () =>
        bytesForStore(intake?.journal, options.committed()) + reserve.missingBytes;
      const space = { giveBack, neededBytes };
      const journal = await Journal.open({ dir, disk, clock, ...space, onFailure: onFatal });
      intake = await Intake.#recover(options, { control, journal, room });
      return intake;
    } catch (error) {
      await control.close();
      await room.close();
      throw error;
    }
  }

  static async #recover(
    options: IntakeOptions,
    { control, journal, room }: Pick<Intake, "control" | "journal" | "room">,
  ): Promise<Intake> {
    const { dataDir, disk, onFatal } = options;
    try {
      const end = journal.durableEnd.index;
      const serverKey = await loadServerKey(disk, dataDir, end === 0);
      const snapshot = { disk, path: join(dataDir, "heads") };
      const writer = await ChainWriter.open({ journal, snapshot, onFatal });
      await control.replay(controlEntries(journal, control.appliedIndex, serverKey.nodeId), end);
      return new Intake(options, { control, journal, room, serverKey, writer });
    } catch (error) {
      await journal.close();
      throw error;
    }
  }

  private constructor(
    { clock }: IntakeOptions,
    parts: Pick<Intake, "control" | "journal" | "room" | "serverKey" | "writer">,
  ) {
    this.#clock = clock;
    this.control = parts.control;
    this.journal = parts.journal;
    this.room = parts.room;
    this.room.start();
    this.writer = parts.writer;
    this.serverKey = parts.serverKey;
    this.own = new OwnStream({ key: parts.serverKey, writer: parts.writer, clock });
    const write = (finding: FindingEntry) => this.own.append([finding]);
    this.incidents = new Incidents({ write, clock });
    this.admission = new Admission({
      lookup: this.lookup,
      writer: parts.writer,
      journal: parts.journal,
      serverKey: parts.serverKey.privateKey,
      clock,
      report: this.incidents.report,
    });
  }

  /** Who may send. */
  readonly lookup = (nodeId: string): KnownNode | undefined => this.control.nodes.get(nodeId);

  /** Resolves when they are durable, however long the disk is full. Rejects when the stream has ended. */
  async appendFindings(findings: readonly Omit<FindingEntry, "atMs">[]): Promise<void> {
    const atMs = this.#clock.nowMs();
    for (let at = 0; at < findings.length; at += FINDINGS_PER_APPEND) {
      const some = findings.slice(at, at + FINDINGS_PER_APPEND);
      await this.#append(some.map((finding) => ({ ...finding, atMs })));
    }
  }

  /** Who read or tried what. Rejects with `control_busy` where nothing was written. */
  appendAudit(entries: readonly AuditEntry[]): Promise<{ readonly index: number }> {
    return appendControl(this.own, entries);
  }

  /** An entry that must not be lost: written as soon as the journal takes it, unless the stream ends before. */
  tell(entry: Entry): void {
    this.#append([entry]).catch(() => undefined);
  }

  /** An entry of the server's operation; lost when it cannot be written now. */
  note(entry: Entry): void {
    this.own.append([entry]).catch(() => undefined);
  }

  /** What came is durable; a last entry says that the server stopped on purpose. */
  async close(reason: string): Promise<void> {
    this.note({ kind: "stop", atMs: this.#clock.nowMs(), reason });
    await this.incidents.close();
    await this.control.close();
    await this.own.close();
    await this.writer.close();
    await this.journal.close();
    await this.room.close();
  }

  async #append(entries: readonly Entry[]): Promise<void> {
    for (;;) {
      try {
        await this.own.append(entries);
        return;
      } catch (error) {
        if (!isTransient(error)) throw error;
        await new Promise<void>((resolve) => this.#clock.after(RETRY_MS, resolve));
      }
    }
  }
}

async function appendControl(
  own: OwnStream | undefined,
  entries: readonly ServerEntry[],
): Promise<{ readonly index: number }> {
  try {
    if (own === undefined) throw new ControlError("control_busy", "the server is starting");
    return await own.append(entries, { mayUseReserve: true });
  } catch (cause) {
    // Of what is no entry nothing was written either, and it never will be.
    if (cause instanceof FormatError || cause instanceof RangeError) {
      throw new ControlError("unrecordable", cause.message, { cause });
    }
    if (!isTransient(cause) && (cause as { code?: unknown }).code !== "closed") throw cause;
    throw new ControlError("control_busy", "the journal takes no entries now", { cause });
  }
}

function bytesForStore(journal: Journal | undefined, committed: number | undefined): number {
  if (journal === undefined || committed === undefined) return 0;
  return Math.min(STORE_BYTES_MAX, journal.bytesFrom(committed) * STORE_BYTES_PER_BYTE);
}

/** Nothing was written, and later it may be. */
function isTransient(error: unknown): boolean {
  if (!(error instanceof IngestError)) return false;
  return error.code === "own_queue_full" || error.code === "busy" || error.code === "journal_full";
}
