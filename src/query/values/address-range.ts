/** Addresses and networks as ranges of 16 bytes; IPv4 in its mapped form, as everywhere. */
import { formatAddress, parseAddress } from "../../format/address.ts";
import { isIPv4, isIPv6 } from "node:net";

export interface AddressRange {
  /** 16 bytes as hex, so that the order of texts is the order of addresses; both inclusive. */
  readonly first: string;
  readonly last: string;
}

/** `undefined` for what is neither an address nor a network such as `10.0.0.0/8`. */
export function addressRange(text: string): AddressRange | undefined {
  const [, address = "", length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  if (!isAddress(address)) return undefined;
  const bits = isIPv4(address) ? 32 : 128;
  const prefix = length === undefined ? bits : Number(length);
  if (prefix > bits) return undefined;
  const bytes = parseAddress(address);
  const kept = 128 - bits + prefix;
  return { first: hexOf(masked(bytes, kept, 0x00)), last: hexOf(masked(bytes, kept, 0xff)) };
}

/** Neither a zone nor a network. */
export function isAddress(text: string): boolean {
  return isIPv4(text) || (isIPv6(text) && !text.includes("%"));
}

/** The place of an address among all; `undefined` for another text. */
export function addressKey(text: string): string | undefined {
  return isAddress(text) ? hexOf(parseAddress(text)) : undefined;
}

/** The canonical text of a key. */
export function addressOfKey(key: string): string {
  return formatAddress(Buffer.from(key, "hex"));
}

/** The first `bits` bits as they are, the others all zero or all one. */
function masked(bytes: Uint8Array, bits: number, fill: 0x00 | 0xff): Uint8Array {
  return bytes.map((byte, at) => {
    const kept = Math.min(8, Math.max(0, bits - at * 8));
    const mask = (0xff << (8 - kept)) & 0xff;
    return (byte & mask) | (fill & ~mask & 0xff);
  });
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
