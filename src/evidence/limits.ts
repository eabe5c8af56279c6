/** Every bound of an evidence file, in one place. */

/** How far around a lone open its peer's batches are shown whole, each way: the comparison's own tolerance for clocks. */
export const WINDOW_MS = 120_000;

/**
 * How far whole batches must reach around a lone open, each way, to prove that the other end has none: what
 * the server waits for at the least, 5 s for readers under load and 2.5 s for each of the two clocks.
 */
export const REACH_MS_MIN = 10_000;

/** Payloads in one file, compressed, inclusive; what would pass it is shown by its header alone. */
export const PAYLOADS_BYTES_MAX = 8 * 1024 * 1024;

/** The same payloads decompressed, inclusive: what a reader has to look through. */
export const TEXTS_BYTES_MAX = 48 * 1024 * 1024;

/** Batches of one node that are shown by their headers, to join those that are shown whole, inclusive. */
export const HEADERS_PER_NODE_MAX = 1_000;

/** Batches of one node that are looked through for the later entries of one half, inclusive. */
export const SEARCHED_BATCHES_MAX = 1_000;

/** Opens and other statements that the readable part lists one by one, inclusive; the rest is counted. */
export const LISTED_ENTRIES_MAX = 200;

/** Places in the journal that a finding may name and that are followed, inclusive. */
export const NAMED_PLACES_MAX = 64;

/** Halves of one connection that a finding is understood to claim, inclusive: two ends, and who routed between them. */
export const HALVES_MAX = 16;

/** Witnesses of an accusation whose contradictions are in its file, inclusive; two are enough. */
export const WITNESSES_MAX = 8;

/** Decisions of people about a finding whose batches are in its file, inclusive: the newest. */
export const RULINGS_MAX = 16;

/** Payloads that `tallystick verify` decompresses, inclusive: a small file of zstd could hold terabytes. */
export const VERIFIED_BYTES_MAX = 256 * 1024 * 1024;

/** What `tallystick verify` reads, inclusive: twice what an export of full bounds has. */
export const FILE_BYTES_MAX = 64 * 1024 * 1024;
