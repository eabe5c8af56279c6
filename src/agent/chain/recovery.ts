/**
 * Where to go on: what the node knows of its chain against the server's signed head. Pure.
 *
 * | the server's head is                        | then                                              |
 * |---|---|
 * | where we are                                | go on                                             |
 * | at an earlier batch that we still have      | resend from there; no hole, no new epoch          |
 * | before a batch that it gave a receipt for   | it lost them: new epoch, `rollback{server}`       |
 * | anywhere else, on another machine than ours | another machine has our key: `rollback{clone}`    |
 * | anywhere else                               | our state is older than we are: `rollback{state}` |
 */
import type { Head, Receipt } from "../../format/receipt.ts";
import { type ChainPosition, samePosition } from "./chain-position.ts";
import type { SealedFrame } from "./sealed-log.ts";

export type RollbackCause = "state" | "clone" | "server";

export type Recovery =
  | { readonly action: "continue" }
  | { readonly action: "resend"; readonly from: SealedFrame }
  | { readonly action: "new-epoch"; readonly cause: RollbackCause };

export interface Known {
  readonly position: ChainPosition;
  /** The furthest receipt. */
  readonly receipt: Receipt | undefined;
  readonly sameMachine: boolean;
  /** The kept batch that follows a head. */
  readonly successorOf: (head: Uint8Array) => SealedFrame | undefined;
}

export function decideRecovery(known: Known, head: Head): Recovery {
  if (samePosition(known.position, head)) return { action: "continue" };
  const from = known.successorOf(head.head);
  if (from !== undefined && isNext(from, head)) return { action: "resend", from };
  if (known.receipt !== undefined && isLost(known.receipt, head)) {
    return { action: "new-epoch", cause: "server" };
  }
  return { action: "new-epoch", cause: known.sameMachine ? "state" : "clone" };
}

function isNext({ header }: SealedFrame, head: Head): boolean {
  return header.epoch === head.epoch
    ? header.batchNo === head.batches
    : header.epoch === head.epoch + 1 && header.batchNo === 0;
}

/** The server has signed for a batch that its head does not reach. */
function isLost(receipt: Receipt, head: Head): boolean {
  return (
    receipt.epoch > head.epoch || (receipt.epoch === head.epoch && receipt.batchNo >= head.batches)
  );
}
