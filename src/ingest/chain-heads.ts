/**
 * Where each node's chain stands: derived from the journal, never stored as truth anywhere else.
 * One instance lives in the process that writes the journal. It reflects durable records only, in
 * their order, so what it says is never taken back by a crash.
 */
import { type BatchHeader, chainHash, decodeHeader, HEADER_BYTES } from "../format/batch.ts";
import { advance, type ChainState, type Link } from "./chain.ts";
import type { JournalPort, JournalRecord } from "./journal-port.ts";
import { MARKS_MAX, RECENT_BATCHES } from "./limits.ts";

/** An accepted batch and where it is. */
export interface Place {
  readonly epoch: number;
  readonly batchNo: number;
  readonly hash: Uint8Array;
  readonly index: number;
  readonly receivedMs: number;
}

/** A sparse pointer into the journal: scanning for an old batch begins at the mark before it. */
export interface Mark {
  readonly epoch: number;
  readonly batchNo: number;
  readonly index: number;
}

export interface NodeChain {
  state: ChainState;
  /** The last ones, oldest first; at least the last accepted batch. */
  recent: Place[];
  marks: Mark[];
  /** Batches between two marks; doubles whenever there would be too many. */
  markStride: number;
  batchesSinceMark: number;
}

export class ChainHeads {
  readonly #chains = new Map<string, NodeChain>();
  #nextIndex = 0;

  /** Reads the headers of the journal from `nextIndex` on. Where it ends, the heads are those of the journal. */
  async replay(journal: JournalPort): Promise<void> {
    for await (const record of journal.read(this.#nextIndex)) this.#replayRecord(record);
  }

  /** One past the last record that is reflected here. */
  get nextIndex(): number {
    return this.#nextIndex;
  }

  get size(): number {
    return this.#chains.size;
  }

  /** Undefined before the node's first batch. */
  get(nodeId: string): NodeChain | undefined {
    return this.#chains.get(nodeId);
  }

  entries(): IterableIterator<[string, NodeChain]> {
    return this.#chains.entries();
  }

  /** Puts back what a snapshot held. Only before `replay`. */
  restore(nextIndex: number, chains: Iterable<readonly [string, NodeChain]>): void {
    for (const [nodeId, chain] of chains) this.#chains.set(nodeId, chain);
    this.#nextIndex = nextIndex;
  }

  /** An accepted batch became durable; `index` is `nextIndex`. */
  advance(nodeId: string, link: Link, index: number, receivedMs: number): Place {
    const place = placeOf(link, index, receivedMs);
    this.#advance(nodeId, advance(link), place);
    this.#nextIndex = index + 1;
    return place;
  }

  /** A record that is no batch of a chain became durable. */
  skip(index: number): void {
    this.#nextIndex = index + 1;
  }

  #replayRecord({ type, index, receivedMs, frame }: JournalRecord): void {
    if (type === "evidence") return this.skip(index);
    const headerBytes = Buffer.from(frame.subarray(0, HEADER_BYTES));
    const header = decodeHeader(headerBytes);
    const link = { header, hash: chainHash(headerBytes) };
    this.advance(Buffer.from(header.nodeId).toString("hex"), link, index, receivedMs);
  }

  #advance(nodeId: string, state: ChainState, place: Place): void {
    const chain = this.#chains.get(nodeId);
    if (chain === undefined) {
      this.#chains.set(nodeId, {
        state,
        recent: [place],
        marks: [markOf(place)],
        markStride: RECENT_BATCHES,
        batchesSinceMark: 0,
      });
      return;
    }
    chain.state = state;
    chain.recent.push(place);
    if (chain.recent.length > RECENT_BATCHES) chain.recent.shift();
    mark(chain, place);
  }
}

/** The accepted batch at a number, if it is among the recent ones. */
export function recentPlace(chain: NodeChain, header: BatchHeader): Place | undefined {
  return chain.recent.find(
    (place) => place.epoch === header.epoch && place.batchNo === header.batchNo,
  );
}

function mark(chain: NodeChain, place: Place): void {
  if (++chain.batchesSinceMark < chain.markStride) return;
  chain.batchesSinceMark = 0;
  chain.marks.push(markOf(place));
  if (chain.marks.length <= MARKS_MAX) return;
  chain.marks = chain.marks.filter((_, at) => at % 2 === 0);
  chain.markStride *= 2;
}

function markOf(place: Place): Mark {
  return { epoch: place.epoch, batchNo: place.batchNo, index: place.index };
}

function placeOf(link: Link, index: number, receivedMs: number): Place {
  const { header, hash } = link;
  return { epoch: header.epoch, batchNo: header.batchNo, hash, index, receivedMs };
}
