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
import { parseBase64url } from "./base64url.ts";
import { NODE_ID_BYTES, PUBLIC_KEY_BYTES } from "./identity.ts";
import { NAME_CHARS_MAX } from "./limits.ts";

/** The public part of an enrolment key: by it the key is listed and revoked. */
export const ENROLMENT_ID_BYTES = 6;
/** Random, so that it cannot be guessed. */
export const ENROLMENT_SECRET_BYTES = 24;
const FINGERPRINT_BYTES = 32;
const HEAD_REQUEST_NONCE_BYTES = 16;

export interface EnrolmentKey {
  readonly id: Buffer;
  readonly secret: Buffer;
  /** Absent when the server speaks plain http. */
  readonly fingerprint?: Buffer;
}

/** The text of a key; the fields must have their lengths. */
export function formatEnrolmentKey(key: EnrolmentKey): string {
  const fingerprint =
    key.fingerprint === undefined ? "" : `.${key.fingerprint.toString("base64url")}`;
  return `tsk1.${key.id.toString("base64url")}.${key.secret.toString("base64url")}${fingerprint}`;
}

/** Throws `bad_key`. The text itself never appears in the error: it is a secret. */
export function parseEnrolmentKey(text: string): EnrolmentKey {
  const [prefix, idText = "", secretText = "", fingerprintText, ...rest] = text.trim().split(".");
  const id = parseBase64url(idText, ENROLMENT_ID_BYTES);
  const secret = parseBase64url(secretText, ENROLMENT_SECRET_BYTES);
  if (prefix !== "tsk1" || id === undefined || secret === undefined || rest.length > 0) {
    throw new FormatError(
      "bad_key",
      "not an enrolment key; expected tsk1.… as printed by `tallystick keys create`",
    );
  }
  if (fingerprintText === undefined) return { id, secret };
  const fingerprint = parseBase64url(fingerprintText, FINGERPRINT_BYTES);
  if (fingerprint === undefined) {
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

/** What a node signs to join: its new key, the secret it was given, the name that it wants. */
export interface EnrolmentProof {
  readonly publicKey: Uint8Array;
  readonly secret: Uint8Array;
  readonly name: string;
}

/** 64 bytes. Throws `bad_key` for a public key, secret or name that no server would take. */
export function signEnrolment(proof: EnrolmentProof, key: KeyObject): Buffer {
  if (!isProof(proof)) {
    throw new FormatError("bad_key", "the public key, the secret or the name has another length");
  }
  return sign(null, enrolmentMessage(proof), key);
}

/** False for a signature of another key or statement, and for a statement that is none. */
export function verifyEnrolment(
  proof: EnrolmentProof,
  signature: Uint8Array,
  key: KeyObject,
): boolean {
  return isProof(proof) && verify(null, enrolmentMessage(proof), key, signature);
}

/** A node's question for its own head; 16 bytes each, the nonce new every time. */
export interface HeadRequest {
  readonly nodeId: Uint8Array;
  readonly nonce: Uint8Array;
}

/** 64 bytes. Throws `bad_key` for a node id or nonce of another length. */
export function signHeadRequest(request: HeadRequest, key: KeyObject): Buffer {
  if (!isHeadRequest(request)) {
    throw new FormatError("bad_key", "a head request has a node id and a nonce of 16 bytes each");
  }
  return sign(null, headRequestMessage(request), key);
}

/** False for a signature of another key or request, and for a request that is none. */
export function verifyHeadRequest(
  request: HeadRequest,
  signature: Uint8Array,
  key: KeyObject,
): boolean {
  return isHeadRequest(request) && verify(null, headRequestMessage(request), key, signature);
}

/** Fixed lengths, because what is signed has no separators. */
function isProof({ publicKey, secret, name }: EnrolmentProof): boolean {
  return (
    publicKey.length === PUBLIC_KEY_BYTES &&
    secret.length === ENROLMENT_SECRET_BYTES &&
    isNodeName(name)
  );
}

function isHeadRequest({ nodeId, nonce }: HeadRequest): boolean {
  return nodeId.length === NODE_ID_BYTES && nonce.length === HEAD_REQUEST_NONCE_BYTES;
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
