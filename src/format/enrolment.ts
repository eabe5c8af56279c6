/**
 * Joining. An enrolment key is a secret that an administrator hands to a node; it also carries the
 * fingerprint of the server's certificate, so that the node knows whom it talks to.
 *
 *   key text = "tsk1." id "." secret "." fingerprint?      base64url, without padding
 *   id 6 bytes · secret 24 bytes · fingerprint SHA-256 of the certificate in DER, 32 bytes
 *
 * The node proves that it holds the private key by signing
 *   "tallystick/enrol/v1\n" ‖ public key 32 ‖ SHA-256(secret) ‖ name in UTF-8
 * and asks for the head of its chain by signing "tallystick/head-request/v1\n" ‖ node id 16 ‖ nonce 16.
 */
import { createHash, sign, verify, type KeyObject } from "node:crypto";
import { FormatError } from "./format-error.ts";
import { NAME_CHARS_MAX } from "./limits.ts";

export const ENROLMENT_ID_BYTES = 6;
export const ENROLMENT_SECRET_BYTES = 24;
const FINGERPRINT_BYTES = 32;

export interface EnrolmentKey {
  readonly id: Buffer;
  readonly secret: Buffer;
  /** Absent when the server speaks plain http. */
  readonly fingerprint?: Buffer;
}

export function formatEnrolmentKey(key: EnrolmentKey): string {
  const fingerprint =
    key.fingerprint === undefined ? "" : `.${key.fingerprint.toString("base64url")}`;
  return `tsk1.${key.id.toString("base64url")}.${key.secret.toString("base64url")}${fingerprint}`;
}

/** Throws `bad_key`. The text itself never appears in the error: it is a secret. */
export function parseEnrolmentKey(text: string): EnrolmentKey {
  const [prefix, idText = "", secretText = "", fingerprintText, ...rest] = text.trim().split(".");
  const id = Buffer.from(idText, "base64url");
  const secret = Buffer.from(secretText, "base64url");
  if (
    prefix !== "tsk1" ||
    id.length !== ENROLMENT_ID_BYTES ||
    secret.length !== ENROLMENT_SECRET_BYTES ||
    rest.length > 0
  ) {
    throw new FormatError(
      "bad_key",
      "not an enrolment key; expected tsk1.… as printed by `tallystick keys create`",
    );
  }
  if (fingerprintText === undefined) return { id, secret };
  const fingerprint = Buffer.from(fingerprintText, "base64url");
  if (fingerprint.length !== FINGERPRINT_BYTES) {
    throw new FormatError(
      "bad_key",
      "the fingerprint in the enrolment key is cut; copy the whole line",
    );
  }
  return { id, secret, fingerprint };
}

/** A name is a DNS label in either case, with inner dots and underscores allowed. */
export function isNodeName(name: string): boolean {
  return name.length <= NAME_CHARS_MAX && /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name);
}

export interface EnrolmentProof {
  readonly publicKey: Uint8Array;
  readonly secret: Uint8Array;
  readonly name: string;
}

export function signEnrolment(proof: EnrolmentProof, key: KeyObject): Buffer {
  return sign(null, enrolmentMessage(proof), key);
}

export function verifyEnrolment(
  proof: EnrolmentProof,
  signature: Uint8Array,
  key: KeyObject,
): boolean {
  return verify(null, enrolmentMessage(proof), key, signature);
}

export interface HeadRequest {
  readonly nodeId: Uint8Array;
  readonly nonce: Uint8Array;
}

export function signHeadRequest(request: HeadRequest, key: KeyObject): Buffer {
  return sign(null, headRequestMessage(request), key);
}

export function verifyHeadRequest(
  request: HeadRequest,
  signature: Uint8Array,
  key: KeyObject,
): boolean {
  return verify(null, headRequestMessage(request), key, signature);
}

function enrolmentMessage(proof: EnrolmentProof): Buffer {
  return Buffer.concat([
    Buffer.from("tallystick/enrol/v1\n"),
    proof.publicKey,
    createHash("sha256").update(proof.secret).digest(),
    Buffer.from(proof.name),
  ]);
}

function headRequestMessage(request: HeadRequest): Buffer {
  return Buffer.concat([
    Buffer.from("tallystick/head-request/v1\n"),
    request.nodeId,
    request.nonce,
  ]);
}
