/** Every bound of the journal, in one place. */

/** One record's frame, inclusive: a batch is at most 4 MiB and its header. Bounds what a reader must hold. */
export const FRAME_BYTES_MAX = 8 * 1024 * 1024;

/** A segment is closed by the first group that would pass this; a group larger than it has its own segment. */
export const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;

/** Segments may not grow past this: offsets inside them are 32 bits wide. */
export const SEGMENT_BYTES_LIMIT = 0xffff_ffff;

/** Frames that wait for the disk; beyond it `append` refuses. At 300 MB/s a quarter of a second. */
export const QUEUE_BYTES_MAX = 64 * 1024 * 1024;

/** What one fdatasync makes durable together: large enough for its cost to vanish, small enough for 30 ms. */
export const GROUP_BYTES_MAX = 8 * 1024 * 1024;

/** Frames up to this are copied together before they are written; longer ones are written where they are. */
export const COPY_BYTES_MAX = 4 * 1024;

/** Below this much free space `append` refuses nodes' batches, so that the store and SQLite can still write their last. */
export const FREE_BYTES_MIN = 256 * 1024 * 1024;

/** Free space is asked for again after so many bytes, fewer where little is left. */
export const FREE_CHECK_BYTES = 32 * 1024 * 1024;
/** How few these become. */
export const FREE_CHECK_BYTES_MIN = 1024 * 1024;

/** While the disk is full it is asked for after so much time. */
export const FREE_CHECK_MS = 1_000;

/** What a reader asks of a file at once. */
export const READ_BYTES = 1024 * 1024;

/** A reader remembers one place per so many bytes of a segment: to find an index it scans at most these. */
export const MARK_EVERY_BYTES = 256 * 1024;

/** Segments whose places a reader remembers: 256 full ones are 65,536 places, about 1 MiB. */
export const MARKED_SEGMENTS_MAX = 256;

/** Kept allocated for what must be written on a full disk too: sign-ins, changes, reads and pruning, at about 500 bytes each. */
export const RESERVE_BYTES = 64 * 1024 * 1024;

/** The reserve is taken and given back by so much. */
export const RESERVE_STEP_BYTES = 8 * 1024 * 1024;
