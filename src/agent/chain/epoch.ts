/** The first entries of a new epoch: what broke the chain, and what that may have cost. Pure. */
import { FLAG, HASH_BYTES } from "../../format/batch.ts";
import type { Entry, GapEntry, ResumeEntry, RollbackEntry } from "../../format/entry.ts";
import type { Receipt } from "../../format/receipt.ts";
import type { ChainPosition } from "./chain-position.ts";
import type { RememberedMachine } from "../identity.ts";
import type { RollbackCause } from "./recovery.ts";
import type { SealedFrame } from "./sealed-log.ts";

export interface Break {
  readonly cause: RollbackCause;
  readonly nowMs: number;
  readonly machine: RememberedMachine;
  readonly position: ChainPosition;
  readonly last: SealedFrame | undefined;
  readonly receipt: Receipt | undefined;
  /** The server's view. */
  readonly head: Pick<ChainPosition, "epoch" | "nextSeq">;
  /** When the server took the batch at its head; 0 when unknown. */
  readonly headAtMs: number;
  /** The sealed batch whose entries are sent again in the new epoch. */
  readonly again: SealedFrame | undefined;
  /** The sealed batch that the server will never take. */
  readonly refused?: SealedFrame | undefined;
  readonly resume?: boolean;
}

export function epochEntries(broken: Break): Entry[] {
  const entries: Entry[] = [rollback(broken)];
  const resume: ResumeEntry = { kind: "resume", atMs: broken.nowMs };
  if (broken.resume === true) entries.push(resume);
  const gap = broken.refused === undefined ? lostGap(broken) : refusedGap(broken, broken.refused);
  if (gap !== undefined) entries.push(gap);
  return entries;
}

function rollback({ cause, nowMs, machine, position, receipt }: Break): RollbackEntry {
  const { machineId, bootId } = machine;
  const old = cause === "server" && receipt !== undefined ? receipt : ownEnd(position);
  return {
    kind: "rollback",
    atMs: nowMs,
    cause,
    oldEpoch: old?.epoch ?? -1,
    oldBatch: old?.batchNo ?? -1,
    oldHead: Buffer.from(old?.head ?? Buffer.alloc(HASH_BYTES)).toString("hex"),
    machineId,
    bootId,
  };
}

function ownEnd(
  position: ChainPosition,
): { epoch: number; batchNo: number; head: Uint8Array } | undefined {
  const { epoch, batches, head } = position;
  return batches === 0 ? undefined : { epoch, batchNo: batches - 1, head };
}

/**
 * `server`: what it had and has no more is known by number. `state`: a state that came back knows of
 * nothing that happened since it was copied, as if nobody had listened; where no chain is left, what
 * was spooled is lost as well. `clone`: this machine has lost nothing of its own.
 */
function lostGap(broken: Break): GapEntry | undefined {
  const { cause, nowMs, position, last, head, headAtMs, again } = broken;
  const base = { kind: "gap", atMs: nowMs, cause: "lost", toMs: nowMs } as const;
  if (cause === "clone") return undefined;
  if (cause === "state") {
    const knownMs = Math.max(last?.header.lastAtMs ?? 0, broken.receipt?.receivedMs ?? 0);
    const fromMs = knownMs === 0 ? nowMs : Math.min(knownMs, nowMs);
    return { ...base, cause: last === undefined ? "lost" : "restart", count: null, fromMs };
  }
  const end = (again?.header.seqFirst ?? position.nextSeq) - 1;
  const start = head.epoch === position.epoch ? head.nextSeq : 0;
  if (end < start) return undefined;
  const fromMs = Math.min(headAtMs, nowMs);
  return { ...base, count: end - start + 1, fromMs, seqs: [start, end] };
}

function refusedGap({ nowMs }: Break, { header }: SealedFrame): GapEntry | undefined {
  const { seqFirst, entryCount, firstAtMs, lastAtMs, flags } = header;
  if ((flags & FLAG.heartbeat) !== 0) return undefined;
  return {
    kind: "gap",
    atMs: nowMs,
    cause: "lost",
    count: entryCount,
    fromMs: firstAtMs,
    toMs: lastAtMs,
    seqs: [seqFirst, seqFirst + entryCount - 1],
  };
}
