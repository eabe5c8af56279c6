/**
 * IP addresses as text, in the one spelling that both ends and the store use (RFC 5952; an
 * IPv4-mapped IPv6 address is written as IPv4), so that equal addresses are equal strings.
 */
import { isIPv4, isIPv6 } from "node:net";
import { FormatError } from "./format-error.ts";

/**
 * The canonical text of an address. Throws `bad_address` for anything that is not one.
 * A zone (`%eth0`) is refused: zoned addresses are link-local, and those never name a node.
 */
export function canonicalAddress(text: string): string {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes("%")) {
    throw new FormatError("bad_address", `expected an IPv4 or IPv6 address, got ${quote(text)}`);
  }
  return formatAddress(parseAddress(text));
}

/** 16 bytes, network order; IPv4 as `::ffff:a.b.c.d`. Throws `bad_address`. */
export function parseAddress(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  if (isIPv4(text)) {
    bytes[10] = 0xff;
    bytes[11] = 0xff;
    writeIPv4(text, bytes, 12);
    return bytes;
  }
  if (!isIPv6(text) || text.includes("%")) {
    throw new FormatError("bad_address", `expected an IPv4 or IPv6 address, got ${quote(text)}`);
  }
  const [head = "", tail] = text.split("::");
  const headBytes = groups(head);
  const tailBytes = tail === undefined ? [] : groups(tail);
  bytes.set(headBytes, 0);
  bytes.set(tailBytes, 16 - tailBytes.length);
  return bytes;
}

/** The canonical text of 16 bytes in network order. Throws `bad_address` for another length. */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length !== 16) {
    throw new FormatError("bad_address", `expected 16 bytes of address, got ${bytes.length}`);
  }
  if (isMapped(bytes)) return bytes.subarray(12, 16).join(".");
  const words: number[] = [];
  for (let at = 0; at < 16; at += 2) words.push(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
  const [start, length] = longestZeroRun(words);
  if (length < 2) return hex(words);
  return `${hex(words.slice(0, start))}::${hex(words.slice(start + length))}`;
}

/** Negative, zero or positive: the numeric order of two canonical addresses as 16 bytes, IPv4 in its mapped form. */
export function compareAddresses(a: string, b: string): number {
  if (a === b) return 0;
  return Buffer.compare(parseAddress(a), parseAddress(b));
}

function isMapped(bytes: Uint8Array): boolean {
  for (let at = 0; at < 10; at++) if (bytes[at] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

function groups(text: string): number[] {
  const bytes: number[] = [];
  if (text === "") return bytes;
  for (const group of text.split(":")) {
    if (group.includes(".")) {
      const four = new Uint8Array(4);
      writeIPv4(group, four, 0);
      bytes.push(...four);
    } else {
      const word = Number.parseInt(group, 16);
      bytes.push(word >> 8, word & 0xff);
    }
  }
  return bytes;
}

function writeIPv4(text: string, into: Uint8Array, at: number): void {
  const parts = text.split(".");
  for (let index = 0; index < 4; index++) into[at + index] = Number(parts[index]);
}

function hex(words: number[]): string {
  return words.map((word) => word.toString(16)).join(":");
}

function longestZeroRun(words: number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  let start = 0;
  for (let index = 0; index <= words.length; index++) {
    if (index < words.length && words[index] === 0) continue;
    if (index - start > best[1]) best = [start, index - start];
    start = index + 1;
  }
  return best;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
