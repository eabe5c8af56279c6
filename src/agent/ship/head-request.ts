/** Asking the server where it thinks our chain ends, so that no old or foreign answer can mislead us. */
import { randomBytes, type KeyObject } from "node:crypto";
import { signHeadRequest } from "../../format/enrolment.ts";
import { type Head, NONCE_BYTES, openHead } from "../../format/receipt.ts";
import type { Identity } from "../identity.ts";
import type { Answer, Uplink } from "./uplink.ts";

export interface HeadRequestOptions {
  readonly uplink: Pick<Uplink, "post">;
  readonly identity: Identity;
  readonly serverKey: KeyObject;
  readonly signal: AbortSignal;
}

export type HeadAnswer =
  | { readonly outcome: "head"; readonly head: Head }
  | Exclude<Answer, { outcome: "ok" }>;

/** Never rejects. A head that our server did not sign for this request is a reason to ask again. */
export async function requestHead(options: HeadRequestOptions): Promise<HeadAnswer> {
  const { uplink, identity, serverKey, signal } = options;
  const { nodeId, key } = identity;
  const nonce = randomBytes(NONCE_BYTES);
  const request = {
    node: nodeId.toString("hex"),
    nonce: nonce.toString("base64url"),
    signature: signHeadRequest({ nodeId, nonce }, key).toString("base64url"),
  };
  const answer = await uplink.post("/ingest/v1/head", request, signal);
  if (answer.outcome !== "ok") return answer;
  try {
    const head = openHead(Buffer.from(String(answer.body["head"]), "base64url"), serverKey, nonce);
    if (Buffer.compare(head.nodeId, nodeId) === 0) return { outcome: "head", head };
  } catch {
    // Said below.
  }
  return {
    outcome: "later",
    reason: "bad_answer: the head is not signed by the server of our enrolment",
  };
}
