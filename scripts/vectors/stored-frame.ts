/**
 * A zstd frame that compresses nothing. What zstd makes of a text differs from version to version;
 * these bytes do not, and every decoder reads them.
 */
const BLOCK_BYTES_MAX = 128 * 1024;

/** One frame: content size in eight bytes, raw blocks. */
export function storedFrame(raw: Buffer): Buffer {
  const head = Buffer.from("28b52ffde00000000000000000", "hex");
  head.writeBigUInt64LE(BigInt(raw.length), 5);
  const parts: Buffer[] = [head];
  for (let at = 0; at < raw.length; at += BLOCK_BYTES_MAX) {
    const block = raw.subarray(at, at + BLOCK_BYTES_MAX);
    const isLast = at + BLOCK_BYTES_MAX >= raw.length;
    const header = Buffer.alloc(3);
    header.writeUIntLE(block.length * 8 + (isLast ? 1 : 0), 0, 3);
    parts.push(header, block);
  }
  return Buffer.concat(parts);
}
