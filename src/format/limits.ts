/**
 * Every bound of the wire format, in one place. A sender that stays inside them is always accepted;
 * a receiver that enforces them never needs more memory than they add up to.
 */

/** Entries in one batch, inclusive: about 3 MB of connection lines, well past the point where zstd gains from more. */
export const ENTRIES_PER_BATCH_MAX = 65_536;

/** Compressed payload of one batch, inclusive: what one request may carry. */
export const PAYLOAD_BYTES_MAX = 4 * 1024 * 1024;

/** The same payload decompressed, inclusive: the bound that stops a decompression bomb. */
export const RAW_BYTES_MAX = 16 * 1024 * 1024;

/** One NDJSON line without its newline, in UTF-8, inclusive. Longer log bodies are cut by the agent, and say so. */
export const LINE_BYTES_MAX = 64 * 1024;

/** The body of a log entry in UTF-16 units, inclusive: a line of ASCII, less room for its attributes. */
export const BODY_CHARS_MAX = 60_000;

/** Longest name of an attribute or a fact, in UTF-16 units, inclusive: it becomes a column or a map key. */
export const ATTRIBUTE_NAME_CHARS_MAX = 128;

/** Arrays and objects within each other in a finding's evidence, its own object counted, inclusive: readers recurse. */
export const EVIDENCE_DEPTH_MAX = 16;

/** The reason of a ruling, in UTF-16 units, inclusive: a paragraph. */
export const REASON_CHARS_MAX = 1_000;

/** Who ruled, in UTF-16 units, inclusive: the name of a user, or of a token. */
export const RULING_ACTOR_CHARS_MAX = 64;

/** A ruling with an end ends after 90 days at most: what nobody would say again is forgotten. */
export const EXCUSE_MS_MAX = 90 * 24 * 3_600_000;

/** Properties that one audit entry changes: all of a user's, with room. */
export const CHANGES_MAX = 64;

/** UTF-16 units of a changed value as JSON: a policy of some length is shown by its hash. */
export const CHANGED_CHARS_MAX = 4_096;

/** Names, ids and codes in an audit entry, UTF-16 units. */
export const AUDIT_TEXT_CHARS_MAX = 256;

/** f, where nothing else is said: one liar alone. */
export const LIARS_DEFAULT = 1;

/** The greatest f that may be chosen, inclusive: where so many may conspire about one node, hardly any has as many witnesses. */
export const LIARS_MAX = 100;

/** Longest node name, network name, key tag or label, in characters, inclusive: a DNS label. */
export const NAME_CHARS_MAX = 63;

/** Addresses that one node may claim in one network, inclusive. */
export const ADDRESSES_MAX = 256;

/** Interfaces in one `totals`, inclusive: with the peers they fit into one line. A node with more writes none. */
export const INTERFACES_MAX = 128;

/** Name of an interface, in characters, inclusive; Linux stops at 15. */
export const INTERFACE_NAME_CHARS_MAX = 32;

/** WireGuard peers in one `totals`, inclusive; of more, those that carried the most. */
export const PEERS_MAX = 128;

/** Addresses of one WireGuard peer in `totals`, inclusive: mostly one of each family. */
export const PEER_ADDRESSES_MAX = 2;

/** Largest time that an entry may carry: the year 10000, in Unix milliseconds, exclusive. */
export const TIME_MS_END = 253_402_300_800_000;

/** Largest window of the zstd frame, inclusive, as an exponent of two: with it a decoder reserves no more than a payload's own raw size. */
export const ZSTD_WINDOW_LOG_MAX = 24;
