/**
 * Who signs. A node is named by its first Ed25519 key: nobody can choose or take another's id, and
 * enrolling the same key twice gives the same node.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { FormatError } from "./format-error.ts";

/** The head of a hash of a node's first public key: who a node is. */
export const NODE_ID_BYTES = 16;
/** The head of a hash of a public key: which of a node's keys signed. */
export const KEY_ID_BYTES = 4;
/** Ed25519. */
export const PUBLIC_KEY_BYTES = 32;
/** Ed25519. */
export const SIGNATURE_BYTES = 64;

/** SPKI prefix of an Ed25519 public key (RFC 8410): what stands before its 32 bytes in DER. */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");
/** PKCS #8 prefix of an Ed25519 private key (RFC 8410): what stands before its 32-byte seed in DER. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** 16 bytes: SHA-256("tallystick/node/v1\n" ‖ public key), cut. */
export function nodeIdOf(publicKey: Uint8Array): Buffer {
  return domainHash("tallystick/node/v1\n", publicKey).subarray(0, NODE_ID_BYTES);
}

/** 4 bytes: SHA-256("tallystick/key/v1\n" ‖ public key), cut. Tells apart the keys of one node. */
export function keyIdOf(publicKey: Uint8Array): Buffer {
  return domainHash("tallystick/key/v1\n", publicKey).subarray(0, KEY_ID_BYTES);
}

/** SHA-256 over a domain text and byte strings; every hash of the format is made here. */
export function domainHash(domain: string, ...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash("sha256").update(domain);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** The 32 raw bytes of an Ed25519 public key, or of the public half of a private one. */
export function rawPublicKey(key: KeyObject): Buffer {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  const der = publicKey.export({ format: "der", type: "spki" });
  return der.subarray(der.length - PUBLIC_KEY_BYTES);
}

/** A verifying key from its 32 raw bytes. Throws `bad_key` for another length. */
export function publicKeyFromRaw(raw: Uint8Array): KeyObject {
  if (raw.length !== PUBLIC_KEY_BYTES) {
    throw new FormatError(
      "bad_key",
      `expected ${PUBLIC_KEY_BYTES} bytes of public key, got ${raw.length}`,
    );
  }
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: "der", type: "spki" });
}

/** A signing key from its 32-byte seed. Throws `bad_key` for another length. */
export function privateKeyFromSeed(seed: Uint8Array): KeyObject {
  if (seed.length !== 32) {
    throw new FormatError("bad_key", `expected a 32-byte seed, got ${seed.length} bytes`);
  }
  return createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, seed]),
    format: "der",
    type: "pkcs8",
  });
}
