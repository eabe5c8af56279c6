/** The second factor: time-based codes (RFC 6238), and codes for the day when the device is lost. */
import { randomBytes } from "node:crypto";
import { Secret, TOTP } from "otpauth";
import { secretHash } from "../secret.ts";

const ISSUER = "Tallystick";
const STEP_MS = 30_000;
/** Codes of the step before and after count too: people type, clocks differ. */
const STEPS_AROUND = 1;
const RECOVERY_CODES = 10;
/** 80 bits: nobody guesses one from its hash. */
const RECOVERY_BYTES = 10;

/** Base32 of 20 bytes. */
export function newTotpSecret(): string {
  return new Secret({ size: 20 }).base32;
}

/** What an authenticator reads as a QR code. */
export function totpUri(secret: string, userName: string): string {
  return totpOf(secret, userName).toString();
}

/** The step whose code it is; undefined for a wrong one. */
export function totpStep(secret: string, code: string, nowMs: number): number | undefined {
  const options = { token: code, timestamp: nowMs, window: STEPS_AROUND };
  const delta = totpOf(secret, "").validate(options);
  return delta === null ? undefined : Math.floor(nowMs / STEP_MS) + delta;
}

/** The codes are shown once; their hashes are kept. */
export function newRecoveryCodes(): { readonly codes: string[]; readonly hashes: string[] } {
  const codes = Array.from({ length: RECOVERY_CODES }, () => {
    const secret = new Secret({ buffer: new Uint8Array(randomBytes(RECOVERY_BYTES)).buffer });
    return secret.base32.toLowerCase().match(/.{4}/g)?.join("-") ?? "";
  });
  return { codes, hashes: codes.map(recoveryHash) };
}

/** However it was typed. */
export function recoveryHash(code: string): string {
  return secretHash(code.toLowerCase().replaceAll(/[\s-]/g, ""));
}

export function isTotpCode(code: string): boolean {
  return /^\d{6}$/.test(code);
}

function totpOf(secret: string, label: string): TOTP {
  return new TOTP({ issuer: ISSUER, label, secret: Secret.fromBase32(secret), algorithm: "SHA1" });
}
