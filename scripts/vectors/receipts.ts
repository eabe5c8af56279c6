/** What the server signs. */
import { signHead, signReceipt } from "../../src/format/receipt.ts";
import { NODE_SEED, SERVER_SEED, signer } from "./identities.ts";

const MAX = Number.MAX_SAFE_INTEGER;

export function receiptVectors(): object {
  const server = signer(SERVER_SEED);
  const { nodeId } = signer(NODE_SEED);
  const head = Buffer.alloc(32, 0x5a);
  const nonce = Buffer.from("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", "hex");
  const receipts = [
    { nodeId, epoch: 0, batchNo: 0, head, index: 0, receivedMs: 1_800_000_000_000 },
    { nodeId, epoch: 2, batchNo: 41, head, index: 1_234_567, receivedMs: 1_800_000_123_456 },
    { nodeId, epoch: 0xffff_ffff, batchNo: MAX, head, index: MAX, receivedMs: MAX },
  ];
  const heads = [
    { nodeId, epoch: 0, batches: 0, head, nextSeq: 0, nonce },
    { nodeId, epoch: 2, batches: 42, head, nextSeq: 98_765, nonce },
  ];
  return {
    serverPublicKey: server.publicKey.toString("hex"),
    receipts: receipts.map((one) => ({
      ...printable(one),
      bytes: signReceipt(one, server.key).toString("hex"),
    })),
    heads: heads.map((one) => ({
      ...printable(one),
      bytes: signHead(one, server.key).toString("hex"),
    })),
  };
}

/** Bytes as hex, numbers as they are. */
export function printable(value: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, one]: [string, unknown]) => [
      name,
      one instanceof Uint8Array ? Buffer.from(one).toString("hex") : one,
    ]),
  );
}
