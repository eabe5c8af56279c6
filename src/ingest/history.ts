/**
 * Finding an old batch in the journal: only to tell a replay from a fork, so it may be slow but
 * must not be a lever. Look-ups run one at a time, few may wait, and answers are kept for a while.
 */
import { chainHash, decodeHeader, HEADER_BYTES } from "../format/batch.ts";
import type { Clock } from "../std/clock.ts";
import type { Mark, NodeChain, Place } from "./chain-heads.ts";
import type { JournalPort, JournalRecord } from "./journal-port.ts";
import { LOOKUP_ANSWERS_MAX, LOOKUP_WAIT_MS, LOOKUPS_WAITING_MAX } from "./limits.ts";

export interface Wanted {
  readonly nodeId: Uint8Array;
  readonly epoch: number;
  readonly batchNo: number;
}

/** `absent`: the journal does not hold the batch any more, so nobody can tell. */
export type Found = Place | "absent";

export class History {
  readonly #journal: Pick<JournalPort, "read">;
  readonly #clock: Clock;
  readonly #answers = new Map<string, Promise<Found>>();
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(journal: Pick<JournalPort, "read">, clock: Clock) {
    this.#journal = journal;
    this.#clock = clock;
  }

  /** `busy`: too many wait, or it takes longer than a request should; the search goes on, ask again later. */
  async find(wanted: Wanted, chain: NodeChain): Promise<Found | "busy"> {
    const key = `${Buffer.from(wanted.nodeId).toString("hex")} ${wanted.epoch} ${wanted.batchNo}`;
    let answer = this.#answers.get(key);
    if (answer === undefined) {
      if (this.#waiting >= LOOKUPS_WAITING_MAX) return "busy";
      answer = this.#search(wanted, chain);
      this.#remember(key, answer);
    }
    return this.#orBusy(answer);
  }

  #search(wanted: Wanted, chain: NodeChain): Promise<Found> {
    this.#waiting++;
    const [from, to] = between(chain.marks, wanted);
    const search = this.#tail
      .then(() => this.#scan(wanted, from, to))
      .finally(() => this.#waiting--);
    this.#tail = search.catch(() => undefined);
    return search;
  }

  #orBusy(answer: Promise<Found>): Promise<Found | "busy"> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(LOOKUP_WAIT_MS, () => resolve("busy"));
      answer.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  #remember(key: string, search: Promise<Found>): void {
    this.#answers.set(key, search);
    search.catch(() => this.#answers.delete(key));
    const oldest = this.#answers.keys().next();
    if (this.#answers.size > LOOKUP_ANSWERS_MAX && oldest.done !== true) {
      this.#answers.delete(oldest.value);
    }
  }

  async #scan(wanted: Wanted, fromIndex: number, toIndex: number): Promise<Found> {
    for await (const record of this.#journal.read(fromIndex)) {
      if (record.index > toIndex) break;
      const place = match(record, wanted);
      if (place !== undefined) return place;
    }
    return "absent";
  }
}

/** The part of the journal that can hold the batch, both inclusive. */
function between(marks: readonly Mark[], wanted: Wanted): [from: number, to: number] {
  let from = 0;
  for (const mark of marks) {
    if (after(mark, wanted)) return [from, mark.index];
    from = mark.index;
  }
  return [from, Number.MAX_SAFE_INTEGER];
}

function after(mark: Mark, wanted: Wanted): boolean {
  if (mark.epoch !== wanted.epoch) return mark.epoch > wanted.epoch;
  return mark.batchNo > wanted.batchNo;
}

function match(record: JournalRecord, wanted: Wanted): Place | undefined {
  if (record.type !== "batch") return undefined;
  const headerBytes = Buffer.from(record.frame.subarray(0, HEADER_BYTES));
  const header = decodeHeader(headerBytes);
  if (header.epoch !== wanted.epoch || header.batchNo !== wanted.batchNo) return undefined;
  if (Buffer.compare(header.nodeId, wanted.nodeId) !== 0) return undefined;
  return {
    epoch: header.epoch,
    batchNo: header.batchNo,
    hash: chainHash(headerBytes),
    index: record.index,
    receivedMs: record.receivedMs,
  };
}
