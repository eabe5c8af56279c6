import assert from "node:assert/strict";
import { test } from "node:test";
import type { BatchHeader } from "../../format/batch.ts";
import type { Receipt } from "../../format/receipt.ts";
import { decideRecovery, type Recovery } from "./recovery.ts";
import type { SealedFrame } from "./sealed-log.ts";

const hash = (name: string): Buffer => Buffer.alloc(32, name);

/** The node's chain: batch n of an epoch ends in the hash `e.n`; `kept` are the batches still here. */
interface Case {
  readonly local: readonly [epoch: number, batches: number, head: string];
  readonly server: readonly [epoch: number, batches: number, head: string];
  readonly receipt?: readonly [epoch: number, batchNo: number];
  readonly kept?: readonly (readonly [epoch: number, batchNo: number, prev: string])[];
  readonly otherMachine?: boolean;
}

function check(name: string, given: Case, expected: string): void {
  test(name, () => {
    const recovery = decideRecovery(
      {
        position: { ...place(given.local), nextSeq: 0 },
        receipt:
          given.receipt && ({ epoch: given.receipt[0], batchNo: given.receipt[1] } as Receipt),
        sameMachine: given.otherMachine !== true,
        successorOf: (head) =>
          frames(given).find((one) => Buffer.compare(head, one.header.prevHash) === 0),
      },
      { ...place(given.server), nextSeq: 0, nodeId: hash("n"), nonce: hash("o") },
    );
    assert.equal(said(recovery), expected);
  });
}

function place([epoch, batches, head]: Case["local"]): {
  epoch: number;
  batches: number;
  head: Buffer;
} {
  return { epoch, batches, head: hash(head) };
}

function frames({ kept = [] }: Case): SealedFrame[] {
  return kept.map(([epoch, batchNo, prev]) => ({
    header: { epoch, batchNo, prevHash: hash(prev) } as unknown as BatchHeader,
    frame: Buffer.alloc(0),
  }));
}

function said(recovery: Recovery): string {
  if (recovery.action === "continue") return "continue";
  if (recovery.action === "new-epoch") return recovery.cause;
  return `resend ${recovery.from.header.epoch}/${recovery.from.header.batchNo}`;
}

check("nothing was ever sent", { local: [0, 0, "g"], server: [0, 0, "g"] }, "continue");
check("both are at the same batch", { local: [0, 7, "6"], server: [0, 7, "6"] }, "continue");
check(
  "the last batch was never acknowledged",
  { local: [0, 7, "6"], server: [0, 6, "5"], kept: [[0, 6, "5"]], receipt: [0, 5] },
  "resend 0/6",
);
check(
  "the first batch of an epoch was never acknowledged",
  { local: [1, 1, "a"], server: [0, 6, "5"], kept: [[1, 0, "5"]], receipt: [0, 5] },
  "resend 1/0",
);
check(
  "the server lost batches that are still here",
  { local: [0, 7, "6"], server: [0, 3, "2"], kept: [[0, 3, "2"]], receipt: [0, 6] },
  "resend 0/3",
);
check(
  "the server lost batches that are here no more",
  { local: [0, 7, "6"], server: [0, 3, "2"], kept: [[0, 5, "4"]], receipt: [0, 6] },
  "server",
);
check(
  "the server lost a whole epoch",
  { local: [2, 1, "x"], server: [1, 9, "8"], kept: [], receipt: [2, 0] },
  "server",
);
check(
  "an older state came back",
  { local: [0, 3, "2"], server: [0, 7, "6"], receipt: [0, 2] },
  "state",
);
check("an emptied state", { local: [0, 0, "g"], server: [0, 7, "6"] }, "state");
check(
  "another went on in a later epoch",
  { local: [0, 7, "6"], server: [1, 2, "b"], receipt: [0, 6] },
  "state",
);
check(
  "the same, on another machine",
  { local: [0, 3, "2"], server: [0, 7, "6"], otherMachine: true },
  "clone",
);
check(
  "same number, another batch: somebody else has the key",
  { local: [0, 7, "6"], server: [0, 7, "Z"], kept: [[0, 6, "5"]] },
  "state",
);
