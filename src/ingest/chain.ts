/**
 * The chain of one node as a pure machine: a state, a batch, and what follows. It decides by the
 * header alone, so that a node's own signature is all that can advance or accuse it.
 *
 * Two batches with one number, or a batch whose predecessor is not the head, prove that the key
 * signed two histories: that is a fork, which names a key and never a person or a machine.
 */
import { type BatchHeader, FLAG, genesisHash } from "../format/batch.ts";
import { type Refusal, refused } from "./errors.ts";

export interface ChainState {
  readonly epoch: number;
  /** Batches accepted in this epoch; the next one has this number. */
  readonly batches: number;
  /** Chain hash of the last accepted batch of any epoch; the genesis hash before the first. */
  readonly head: Uint8Array;
  /** One past the last accepted `seq` of this epoch. */
  readonly nextSeq: number;
  readonly optedOut: boolean;
}

export interface Link {
  readonly header: BatchHeader;
  /** Chain hash of that header. */
  readonly hash: Uint8Array;
}

export type ChainVerdict =
  | {
      readonly outcome: "accepted";
      readonly next: ChainState;
      /** Kind that the first entry must have for the acceptance to stand. */
      readonly firstKind?: "rollback" | "resume";
    }
  /** The last accepted batch again: its ack was lost. */
  | { readonly outcome: "duplicate" }
  /** An earlier number whose hash is not at hand: look it up, then judge with it. */
  | { readonly outcome: "older" }
  | Fork
  | Refusal;

export interface Fork {
  readonly outcome: "fork";
  readonly detail: string;
}

export function emptyChain(publicKey: Uint8Array): ChainState {
  return { epoch: 0, batches: 0, head: genesisHash(publicKey), nextSeq: 0, optedOut: false };
}

/** `known`: the accepted hash at the batch's own number, if that number is past and the hash at hand. */
export function judge(state: ChainState, link: Link, known?: Uint8Array): ChainVerdict {
  const { header } = link;
  if (header.epoch < state.epoch) {
    return refused(
      "stale_epoch",
      `the batch is of epoch ${header.epoch}, the chain is in epoch ${state.epoch}`,
    );
  }
  if (header.epoch === state.epoch + 1 && header.batchNo === 0) return judgeEpoch(state, link);
  if (header.epoch > state.epoch || header.batchNo > state.batches) return gap(state, header);
  if (header.batchNo < state.batches) return judgePast(state, link, known);
  return judgeNext(state, link);
}

/** The state after a batch that is known to have been accepted: recovery and acceptance agree by this one function. */
export function advance(link: Link): ChainState {
  const { header } = link;
  return {
    epoch: header.epoch,
    batches: header.batchNo + 1,
    head: link.hash,
    nextSeq: header.seqFirst + header.entryCount,
    optedOut: (header.flags & FLAG.optOut) !== 0,
  };
}

function judgeNext(state: ChainState, link: Link): ChainVerdict {
  const { header } = link;
  if (!same(header.prevHash, state.head)) {
    return {
      outcome: "fork",
      detail: `batch ${header.batchNo} of epoch ${header.epoch} follows another batch than the accepted one`,
    };
  }
  if ((header.flags & FLAG.epochStart) !== 0 && header.batchNo !== 0) {
    return refused("bad_header", "only batch 0 may begin an epoch");
  }
  if (header.seqFirst < state.nextSeq) {
    return refused(
      "seq_reused",
      `the batch begins with entry ${header.seqFirst}, the next free number is ${state.nextSeq}`,
    );
  }
  if (!state.optedOut) return { outcome: "accepted", next: advance(link) };
  if (header.entryCount === 0) return optedOut();
  return { outcome: "accepted", next: advance(link), firstKind: "resume" };
}

function judgeEpoch(state: ChainState, link: Link): ChainVerdict {
  const { header } = link;
  if (!same(header.prevHash, state.head)) {
    return {
      outcome: "fork",
      detail: `epoch ${header.epoch} begins after another batch than the accepted one`,
    };
  }
  if ((header.flags & FLAG.epochStart) === 0 || header.entryCount === 0) {
    return refused(
      "bad_header",
      "the first batch of a later epoch has the flag epochStart and begins with a rollback entry",
    );
  }
  return { outcome: "accepted", next: advance(link), firstKind: "rollback" };
}

function judgePast(state: ChainState, link: Link, known?: Uint8Array): ChainVerdict {
  if (link.header.batchNo < state.batches - 1) {
    return known === undefined ? { outcome: "older" } : judgeOlder(link, known);
  }
  return same(link.hash, state.head) ? { outcome: "duplicate" } : otherContent(link.header);
}

/** A batch before the last one, against the hash that was accepted at its number. */
export function judgeOlder({ header, hash }: Link, known: Uint8Array): Fork | Refusal {
  if (!same(hash, known)) return otherContent(header);
  return refused(
    "replayed",
    `batch ${header.batchNo} of epoch ${header.epoch} was accepted before and is not the last one`,
  );
}

function otherContent(header: BatchHeader): Fork {
  return {
    outcome: "fork",
    detail: `batch ${header.batchNo} of epoch ${header.epoch} was accepted with another content`,
  };
}

function gap(state: ChainState, header: BatchHeader): Refusal {
  return refused(
    "chain_gap",
    `got batch ${header.batchNo} of epoch ${header.epoch}, expected batch ${state.batches} of epoch ${state.epoch}`,
    { expected: { epoch: state.epoch, batches: state.batches } },
  );
}

export function optedOut(): Refusal {
  return refused("opted_out", "after an opt-out the next batch begins with a resume entry");
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
