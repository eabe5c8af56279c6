/**
 * One string object per address and per state name. Strings cut from every line would cost more
 * than the rest of the parsing, and equal strings that are one object compare by identity.
 */
import { canonicalAddress } from "../../format/address.ts";
import { INTERNED_ADDRESSES_MAX } from "./limits.ts";

/** IPv4 addresses by their 32 bits: no string is made to find one. */
const byBits = new Map<number, string>();
const byText = new Map<string, string>();
const states = new Map<number, string>();

/** The canonical text (format/address.ts) of what stands in `bytes`, or undefined if that is no address. */
export function internAddress(bytes: Uint8Array, start: number, end: number): string | undefined {
  const bits = ipv4Bits(bytes, start, end);
  if (bits === undefined) return internText(text(bytes, start, end));
  const known = byBits.get(bits);
  if (known !== undefined) return known;
  const address = canonical(text(bytes, start, end));
  if (address !== undefined) remember(byBits, bits, address);
  return address;
}

/** Names are told apart by three letters and the length; the kernel has about thirty. */
export function internState(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  const key =
    length * 0x100_0000 +
    (bytes[start] ?? 0) * 0x1_0000 +
    (bytes[start + 1] ?? 0) * 0x100 +
    (bytes[end - 1] ?? 0);
  const known = states.get(key);
  if (known !== undefined) return known;
  const name = text(bytes, start, end);
  if (KERNEL_STATES.has(name)) states.set(key, name);
  return name;
}

/** TCP's; names of other protocols are made anew each time, so that nothing grows. */
const KERNEL_STATES: ReadonlySet<string> = new Set([
  "NONE",
  "SYN_SENT",
  "SYN_RECV",
  "ESTABLISHED",
  "FIN_WAIT",
  "CLOSE_WAIT",
  "LAST_ACK",
  "TIME_WAIT",
  "CLOSE",
  "SYN_SENT2",
]);

/** The same for a text that is a string already. */
export function internText(address: string): string | undefined {
  const known = byText.get(address);
  if (known !== undefined) return known;
  // A copy: a part of a longer text would keep the whole of it in memory.
  const own = Buffer.from(address, "latin1").toString("latin1");
  const found = canonical(own);
  if (found !== undefined) remember(byText, own, found);
  return found;
}

function remember<K>(map: Map<K, string>, key: K, address: string): void {
  if (map.size >= INTERNED_ADDRESSES_MAX) map.clear();
  map.set(key, address);
}

function canonical(address: string): string | undefined {
  try {
    return canonicalAddress(address);
  } catch {
    return undefined;
  }
}

/** The 32 bits of a dotted quad, or undefined for anything else. */
function ipv4Bits(bytes: Uint8Array, start: number, end: number): number | undefined {
  let bits = 0;
  let octet = 0;
  let dots = 0;
  for (let at = start; at < end; at++) {
    const code = bytes[at] ?? 0;
    if (code >= 0x30 && code <= 0x39) octet = octet * 10 + code - 0x30;
    else if (code === 0x2e && octet < 256) {
      bits = bits * 256 + octet;
      octet = 0;
      dots++;
    } else return undefined;
  }
  return dots === 3 && octet < 256 ? bits * 256 + octet : undefined;
}

function text(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}
