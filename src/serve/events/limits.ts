/** Bounds of live events, with their reasons. */

/** Each is a socket, and one query per wake where nobody else asks the same. */
export const STREAMS_MAX = 100;

/** A console with a few tabs, and a script or two; nobody takes the others' places. */
export const STREAMS_PER_PRINCIPAL_MAX = 8;

/** Proxies close what is silent for a minute, and a dead peer shows when it is written to. */
export const HEARTBEAT_MS = 15_000;

/** Queries at once, whoever watches: lists and SQL are answered meanwhile. */
export const QUERIES_MAX = 4;

/** Rows of one query. */
export const PAGE_ROWS_MAX = 1_000;

/** What a client may leave unread before it is not written to: a page of long findings, and more of the rest. */
export const BUFFER_BYTES_MAX = 1024 ** 2;

/** Who was given everything within this time is not slow: a burst takes a moment. */
export const LATE_MS_MAX = 10_000;

/** So many rows whoever is slow may be behind, and is still given them. */
export const BEHIND_ROWS_MAX = 10_000;

/** After a store did not answer. */
export const RETRY_MS = 1_000;
