/** Every bound of this folder, with its reason. */

/** Halves held in memory: the kernel's default table (262,144 entries) fits, about 300 B each. */
export const LIVE_HALVES_MAX = 262_144;

/** Distinct addresses kept as shared strings; a scan through more only costs the sharing. */
export const INTERNED_ADDRESSES_MAX = 65_536;

/** Addresses whose scope is remembered; the same bound, for the same scan. */
export const JUDGED_ADDRESSES_MAX = 65_536;

/** Unknown table entries held until the fence behind a dump is read; more wait for the next dump. */
export const DUMP_CANDIDATES_MAX = 65_536;

/** An event line is about 250 bytes; a longer run without a newline is not conntrack's. */
export const LINE_BYTES_MAX = 16_384;

/** Events of the next reader held while the old one still speaks; past it the pipe is left full, and the kernel counts what it drops. */
export const HANDOVER_EVENTS_MAX = 100_000;

/** Events of the old reader remembered meanwhile, some 40 MB: at the 27,000 a second that a pipe carries, seven seconds' worth. */
export const HANDOVER_DELIVERED_MAX = 200_000;

/** Two readers overlap for so long at most: the mark at which the old one is done comes within seconds, or was lost. */
export const CHANGE_MS_MAX = 30_000;

/** Marks that are still known when they are read: those of the last two minutes. */
export const FENCES_OUT_MAX = 128;

/** Ended sockets that wait until the kernel's events up to their end have been read: two seconds' worth at 8,000 a second. */
export const SOCKET_ENDS_MAX = 16_384;

/** How long they wait at most: what is further behind gets no payload. */
export const SOCKET_END_WAIT_MS = 5000;

/** A tuple that comes again within this time after its entry is gone gets no payload: the socket that ended could be the former one. */
export const TUPLE_QUIET_MS = 10_000;

/** Tuples that are remembered for it, about 60 B each. */
export const TUPLES_GONE_MAX = 65_536;

/** First and longest wait before the reader of ended sockets is started again, and how long it must run to begin with the first. */
export const SOCKET_RESTART_MIN_MS = 1000;
export const SOCKET_RESTART_MAX_MS = 60_000;

/** A reader that lasts so long has begun to work, and is said to. */
export const SOCKET_CONFIRM_MS = 1000;

/** How long a connection must live before the server is told early that it was established. */
export const PROMPT_UPDATE_AFTER_MS = 1000;

/** A younger half gets no periodic update: its close is likely on its way. */
export const PERIODIC_UPDATE_AGE_MIN_MS = 60_000;

/** What the interfaces carried is a third number for a comparison that waits for minutes anyway. */
export const TOTALS_INTERVAL_MS = 300_000;
export const DUMP_INTERVAL_MS = 300_000;
/** Calm after lost events before the table is dumped: during overload a dump costs what is short. */
export const LOSS_QUIET_MS = 5000;
/** The same for losses that a dump brought on itself: reading the table makes the kernel end all that has timed out. */
export const LOSS_AGAIN_MS = 60_000;
export const FENCE_INTERVAL_MS = 1000;
export const TICK_INTERVAL_MS = 250;
export const ADDRESSES_POLL_MS = 3000;
/** A router asks at each connection whether an address is new: reading them takes 0.1 ms. */
export const ADDRESSES_READ_MIN_MS = 100;

/** Without a mark read for this long, the agent says so in an entry. */
export const FENCE_STALL_MS = 10_000;

/** How long a dump waits for its fence where marks do not come back. */
export const DUMP_FENCE_WAIT_MS = 5000;

/** First and longest wait before a dead reader is started again; doubles in between. */
export const RESTART_DELAY_MIN_MS = 100;
export const RESTART_DELAY_MAX_MS = 10_000;
