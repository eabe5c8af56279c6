/** A message of a webhook as its receiver checks it: Standard Webhooks, symmetric, version 1. */
import { createHmac } from "node:crypto";

export interface Message {
  /** The same when it is sent again. */
  readonly id: string;
  readonly body: string;
}

/** `secret` is `whsec_` and base64; `nowMs` is when it is sent. */
export function signedHeaders(
  { id, body }: Message,
  secret: string,
  nowMs: number,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature}`,
  };
}
