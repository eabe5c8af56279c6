/**
 * Fields of fixed size at fixed offsets, as headers, receipts and heads have them. Values that do
 * not fit are refused on both sides, with the code of the structure they stand in.
 */
import { FormatError, type FormatErrorCode } from "./format-error.ts";

/** Copies exactly `length` bytes to `at`. Throws `code` for another length. */
export function putBytes(
  out: Buffer,
  value: Uint8Array,
  field: { readonly at: number; readonly length: number; readonly code: FormatErrorCode },
): void {
  if (value.length !== field.length) {
    throw new FormatError(
      field.code,
      `expected ${field.length} bytes at offset ${field.at}, got ${value.length}`,
    );
  }
  out.set(value, field.at);
}

/** Writes a big-endian u64. Throws `code` for what is no integer from 0 to 2^53 − 1. */
export function putU64(
  out: Buffer,
  value: number,
  field: { readonly at: number; readonly code: FormatErrorCode },
): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new FormatError(
      field.code,
      `expected an integer 0…2^53 − 1 at offset ${field.at}, got ${value}`,
    );
  }
  out.writeBigUInt64BE(BigInt(value), field.at);
}

/** Writes a big-endian u32. Throws `code` for what is no integer from 0 to 2^32 − 1. */
export function putU32(
  out: Buffer,
  value: number,
  field: { readonly at: number; readonly code: FormatErrorCode },
): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw new FormatError(
      field.code,
      `expected an integer 0…2^32 − 1 at offset ${field.at}, got ${value}`,
    );
  }
  out.writeUInt32BE(value, field.at);
}

/** Reads a big-endian u64. Refuses what exact JavaScript numbers cannot hold: no honest counter gets there. */
export function readU64(buffer: Buffer, at: number, code: FormatErrorCode): number {
  const value = buffer.readUInt32BE(at) * 0x1_0000_0000 + buffer.readUInt32BE(at + 4);
  if (!Number.isSafeInteger(value)) {
    throw new FormatError(code, `the number at byte ${at} is above 2^53 − 1`);
  }
  return value;
}
