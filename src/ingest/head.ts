/** "Where did my chain end?": the server's own signed word, which a node may hold against it later. */
import { NODE_ID_BYTES, SIGNATURE_BYTES } from "../format/identity.ts";
import { verifyHeadRequest } from "../format/enrolment.ts";
import { NONCE_BYTES, signHead } from "../format/receipt.ts";
import { emptyChain } from "./chain.ts";
import { type ChainWriter, journalFailed } from "./chain-writer.ts";
import { type Refusal, refused } from "./errors.ts";
import { bytesField } from "./json-fields.ts";
import type { LookupNode } from "./node-directory.ts";
import type { ServerKey } from "./server-key.ts";

export interface HeadContext {
  readonly writer: ChainWriter;
  readonly lookup: LookupNode;
  readonly serverKey: ServerKey;
}

/** The head is durable: one that a crash took back would accuse the server. */
export function answerHead(
  body: unknown,
  context: HeadContext,
): { readonly head: string } | Refusal {
  const nodeId = nodeField(body);
  const nonce = bytesField(body, "nonce", NONCE_BYTES);
  const signature = bytesField(body, "signature", SIGNATURE_BYTES);
  if (nodeId === undefined || nonce === undefined || signature === undefined) {
    return refused("bad_request", "expected { node: hex, nonce, signature: base64url }");
  }
  const id = nodeId.toString("hex");
  const node = context.lookup(id);
  if (node === undefined) return refused("unknown_node", `node ${id} is not enrolled here`);
  if (!verifyHeadRequest({ nodeId, nonce }, signature, node.publicKey)) {
    return refused("bad_signature", `node ${id}: the signature does not hold`);
  }
  if (node.state === "revoked") {
    return refused("revoked_key", `the key of node ${id} was revoked`);
  }
  const state = context.writer.chain(id)?.state ?? emptyChain(node.publicKeyBytes);
  if (context.writer.failure !== undefined) return journalFailed();
  const { epoch, batches, head, nextSeq } = state;
  const signed = signHead(
    { nodeId, epoch, batches, head, nextSeq, nonce },
    context.serverKey.privateKey,
  );
  return { head: signed.toString("base64url") };
}

/** The node id stands as hex, or as base64url like the other byte fields. */
function nodeField(body: unknown): Buffer | undefined {
  const node = (body as { node?: unknown } | null)?.node;
  if (typeof node !== "string") return undefined;
  if (/^[0-9a-f]{32}$/.test(node)) return Buffer.from(node, "hex");
  return bytesField(body, "node", NODE_ID_BYTES);
}
