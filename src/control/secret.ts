/** Secrets that we make and others keep: random enough that their plain hash is safe. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

const SECRET_BYTES = 32;

export function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

/** Hex; what is stored instead. */
export function secretHash(secret: string | Uint8Array): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** Takes the same time for every wrong one. */
export function secretFits(secret: string | Uint8Array, hash: string): boolean {
  return timingSafeEqual(Buffer.from(secretHash(secret)), Buffer.from(hash));
}

/** Hex of 8 bytes: names one of a few, and is no secret. */
export function newId(): string {
  return randomBytes(8).toString("hex");
}
