/** Fits our chain to the server's head: goes on, sends again, or begins an honest new epoch. */
import type { Head } from "../../format/receipt.ts";
import type { Clock } from "../../std/clock.ts";
import type { AgentLog } from "../agent-log.ts";
import { epochEntries } from "./epoch.ts";
import type { RememberedMachine } from "../identity.ts";
import type { NodeChain } from "./node-chain.ts";
import type { Receipts } from "./receipts.ts";
import { decideRecovery, type RollbackCause } from "./recovery.ts";
import type { AfterRefusal } from "./refusals.ts";
import type { SealedFrame } from "./sealed-log.ts";

export interface RechainOptions {
  readonly clock: Clock;
  readonly machine: RememberedMachine;
  /** False: this state was written on another machine. */
  readonly sameMachine: boolean;
  readonly chain: NodeChain;
  readonly receipts: Receipts;
  readonly log: AgentLog;
  /** A new epoch begins; entries numbered below `seq` belong to former ones. */
  readonly onEpoch: (seq: number, cause: RollbackCause) => void;
}

/** A batch that the server would not take. */
export interface Refusal {
  readonly frame: SealedFrame;
  readonly code: string;
  readonly after: AfterRefusal;
  readonly times: number;
}

export function rechain(options: RechainOptions, head: Head, refusal: Refusal | undefined): void {
  const { chain, receipts, sameMachine, log } = options;
  const { position } = chain;
  const recovery = decideRecovery(
    {
      position,
      receipt: receipts.last,
      sameMachine,
      successorOf: (hash) => chain.successorOf(hash),
    },
    head,
  );
  if (recovery.action === "continue") {
    chain.resumeFrom(undefined);
  } else if (recovery.action === "resend" && !isFinal(refusal)) {
    chain.resumeFrom(recovery.from);
    const { batchNo, epoch } = recovery.from.header;
    const count = epoch === position.epoch ? position.batches - batchNo : position.batches;
    if (count > 1)
      log.warn("the server lacks batches that it has signed for; sending them again", { count });
  } else {
    beginEpoch(options, {
      head,
      cause: recovery.action === "new-epoch" ? recovery.cause : "state",
      refusal,
    });
  }
}

function isFinal(refusal: Refusal | undefined): boolean {
  return refusal !== undefined && (refusal.after !== "recover" || refusal.times > 1);
}

interface NewEpoch {
  readonly head: Head;
  readonly cause: RollbackCause;
  readonly refusal: Refusal | undefined;
}

function beginEpoch(options: RechainOptions, { head, cause, refusal }: NewEpoch): void {
  const { chain, clock, machine, receipts, log, onEpoch } = options;
  const again = sendAgain(options, { head, cause, refusal });
  const entries = epochEntries({
    cause,
    nowMs: clock.nowMs(),
    machine,
    position: chain.position,
    last: chain.last,
    receipt: receipts.last,
    head,
    headAtMs: receipts.receivedMs(head.epoch, head.batches - 1),
    again,
    refused: refusal?.after === "give-up" ? refusal.frame : undefined,
    resume: refusal?.code === "opted_out",
  });
  const isCopy = cause !== "server" && refusal === undefined;
  const deliveredTo = isCopy ? head.nextSeq : undefined;
  const seqFirst = chain.beginEpoch({ after: head, entries, again, deliveredTo });
  const epoch = head.epoch + 1;
  log.warn(`the chain goes on in epoch ${epoch} after a break: ${cause}`, { epoch, cause });
  onEpoch(seqFirst, cause);
}

/** The sealed batch that the server surely does not have and may still take. */
function sendAgain(options: RechainOptions, { cause, refusal }: NewEpoch): SealedFrame | undefined {
  const { chain, receipts } = options;
  if (refusal !== undefined) {
    const isGone = refusal.after === "give-up" || refusal.code === "replayed";
    return isGone ? undefined : withEntries(refusal.frame);
  }
  if (cause !== "server") return undefined;
  const { last } = chain;
  const { last: receipt } = receipts;
  const hasReceipt =
    last !== undefined &&
    receipt !== undefined &&
    receipt.epoch === last.header.epoch &&
    receipt.batchNo === last.header.batchNo;
  return hasReceipt ? undefined : withEntries(last);
}

function withEntries(frame: SealedFrame | undefined): SealedFrame | undefined {
  return frame === undefined || frame.header.entryCount === 0 ? undefined : frame;
}
