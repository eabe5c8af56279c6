/** Checks of single values in a line, with an error that says what was expected. */
import { isIPv4 } from "node:net";
import { canonicalAddress } from "./address.ts";
import { FormatError } from "./format-error.ts";
import { TIME_MS_END } from "./limits.ts";

/** An error to throw: what of a line is wrong, and what was expected. */
export function badEntry(message: string): FormatError {
  return new FormatError("bad_entry", message);
}

/** An integer 0…max, both inclusive. Throws `bad_entry`. */
export function natural(value: unknown, what: string, max = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > max) {
    throw badEntry(`${what}: expected an integer 0…${max}, got ${show(value)}`);
  }
  return value as number;
}

/** An integer of either sign that a double holds exactly. Throws `bad_entry`. */
export function integer(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value)) {
    throw badEntry(`${what}: expected an integer, got ${show(value)}`);
  }
  return value as number;
}

/** True for Unix milliseconds that an entry may carry. */
export function isTimeMs(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < TIME_MS_END;
}

/** Addresses that were found canonical: a batch names the same few again and again, and the check of an IPv6 address costs as much as the rest of its line. */
const canonical = new Map<string, string>();
const CANONICAL_MAX = 4_096;

/**
 * Only the canonical spelling is accepted: two spellings would be two connections. Equal addresses
 * are mostly one string object, which spares whoever keeps them. Throws `bad_entry`.
 */
export function address(value: unknown, what: string): string {
  if (typeof value !== "string") throw badEntry(`${what}: expected an address, got ${show(value)}`);
  const known = canonical.get(value);
  if (known !== undefined) return known;
  if (!isCanonicalAddress(value)) {
    throw badEntry(`${what}: expected a canonical address, got ${show(value)}`);
  }
  if (canonical.size >= CANONICAL_MAX) canonical.clear();
  // A copy, because the value may be a slice that would keep the whole text of its batch alive.
  const own = Buffer.from(value, "latin1").toString("latin1");
  canonical.set(own, own);
  return own;
}

/** True for the one spelling that formats.md gives an address. */
export function isCanonicalAddress(text: string): boolean {
  if (isIPv4(text)) return true;
  try {
    return canonicalAddress(text) === text;
  } catch {
    return false;
  }
}

/** A value for an error text: short, and without walking into what may be nested deeply. */
export function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  return JSON.stringify(value).slice(0, 64);
}
