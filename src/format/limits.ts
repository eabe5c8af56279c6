/**
 * Every bound of the wire format, in one place. A sender that stays inside them is always accepted;
 * a receiver that enforces them never needs more memory than they add up to.
 */

/** Entries in one batch, inclusive. 65,536 three-entry halves fill a batch well past the point where zstd gains. */
export const ENTRIES_PER_BATCH_MAX = 65_536;

/** Compressed payload of one batch, inclusive: what one request may carry. */
export const PAYLOAD_BYTES_MAX = 4 * 1024 * 1024;

/** The same payload decompressed, inclusive: the bound that stops a decompression bomb. */
export const RAW_BYTES_MAX = 16 * 1024 * 1024;

/** One NDJSON line without its newline, inclusive. Longer log bodies are cut by the agent, and say so. */
export const LINE_BYTES_MAX = 64 * 1024;

/** Longest node name, network name, key tag or label, in characters: a DNS label. */
export const NAME_CHARS_MAX = 63;

/** Addresses that one node may claim in one network, inclusive. */
export const ADDRESSES_MAX = 256;

/** Largest time that an entry may carry: the year 10000, in Unix milliseconds, exclusive. */
export const TIME_MS_END = 253_402_300_800_000;
