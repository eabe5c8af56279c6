/** Secrets that we make and others keep: random enough that their plain hash is safe. */
import { createHash, randomBytes } from "node:crypto";

const SECRET_BYTES = 32;

export function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

/** Hex; what is stored instead. */
export function secretHash(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** Hex of 8 bytes: names one of a few, and is no secret. */
export function newId(): string {
  return randomBytes(8).toString("hex");
}
