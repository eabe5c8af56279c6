/** Joining: the bytes are checked here, the key and the name by whoever keeps them (handed in). */
import {
  ENROLMENT_ID_BYTES,
  ENROLMENT_SECRET_BYTES,
  isNodeName,
  verifyEnrolment,
} from "../format/enrolment.ts";
import { PUBLIC_KEY_BYTES, publicKeyFromRaw, SIGNATURE_BYTES } from "../format/identity.ts";
import { type IngestErrorCode, type Refusal, refused } from "./errors.ts";
import { bytesField, textField } from "./json-fields.ts";
import type { ServerKey } from "./server-key.ts";

export interface EnrolRequest {
  /** Of the enrolment key, 6 bytes. */
  readonly keyId: Buffer;
  /** 24 bytes; to be compared in constant time. */
  readonly secret: Buffer;
  /** 32 bytes; the sender has proven that it holds the private key. */
  readonly publicKey: Buffer;
  readonly name: string;
  readonly remote: string;
}

export type EnrolOutcome =
  | { readonly outcome: "enrolled"; readonly nodeId: string; readonly name: string }
  | {
      readonly outcome: "refused";
      readonly code: Extract<
        IngestErrorCode,
        | "bad_enrolment_key"
        | "approval_needed"
        | "name_taken"
        | "bad_name"
        | "revoked_key"
        | "journal_failed"
        | "busy"
      >;
      readonly detail: string;
      readonly retryAfterS?: number;
    };

/**
 * Idempotent per public key: a node that is enrolled already gets the same answer, even when the
 * enrolment key is spent. Resolves when the enrolment is durable.
 */
export type Enrol = (request: EnrolRequest) => Promise<EnrolOutcome>;

export interface EnrolContext {
  readonly enrol: Enrol;
  readonly serverKey: ServerKey;
  readonly remote: string;
}

export interface EnrolAnswer {
  readonly node: string;
  readonly name: string;
  readonly serverKey: string;
}

export async function answerEnrol(
  body: unknown,
  context: EnrolContext,
): Promise<EnrolAnswer | Refusal> {
  const request = parse(body, context.remote);
  if ("outcome" in request) return request;
  const result = await context.enrol(request);
  if (result.outcome === "refused") return result;
  const serverKey = context.serverKey.publicKeyBytes.toString("base64url");
  return { node: result.nodeId, name: result.name, serverKey };
}

function parse(body: unknown, remote: string): EnrolRequest | Refusal {
  const keyId = bytesField(body, "keyId", ENROLMENT_ID_BYTES);
  const secret = bytesField(body, "secret", ENROLMENT_SECRET_BYTES);
  const publicKey = bytesField(body, "publicKey", PUBLIC_KEY_BYTES);
  const signature = bytesField(body, "signature", SIGNATURE_BYTES);
  const name = textField(body, "name", 1_024);
  if (!keyId || !secret || !publicKey || !signature || name === undefined) {
    return refused(
      "bad_request",
      "expected { keyId, secret, publicKey, signature: base64url, name: text }",
    );
  }
  if (!isNodeName(name)) return refused("bad_name", JSON.stringify(name.slice(0, 80)));
  if (!verifyEnrolment({ publicKey, secret, name }, signature, publicKeyFromRaw(publicKey))) {
    return refused("bad_signature", "the enrolment is not signed by the key that it names");
  }
  return { keyId, secret, publicKey, name, remote };
}
