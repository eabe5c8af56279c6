/** Every bound of the agent, in one place, with its reason. The wire's own bounds are in format/limits.ts. */

/** Closes a body: past this, zstd gains little and a lost request costs more. */
export const BODY_RAW_BYTES_MAX = 256 * 1024;

/** Closes a body, counted from its first entry: what makes a connection searchable within 3 s. */
export const BODY_OPEN_MS_MAX = 500;

/** Silence is signed too, this often. */
export const HEARTBEAT_MS = 30_000;

/** Small bodies that piled up while the server was away are sealed together up to this raw size. */
export const SEAL_RAW_BYTES_MAX = 1024 * 1024;

/** Unsent bodies on disk, default of `--spool-max`. */
export const SPOOL_BYTES_DEFAULT = 256 * 1024 * 1024;

/** The least `--spool-max`: below, one busy second would not fit. */
export const SPOOL_BYTES_MIN = 1024 * 1024;

/** One file of the spool at most; what is dropped when the spool is full is one file's bodies. */
export const SEGMENT_BYTES_MAX = 4 * 1024 * 1024;

/** Sealed batches kept after their receipt, for a server that comes back from a backup. */
export const SEALED_KEPT_BYTES = 8 * 1024 * 1024;

/** Numbers reserved at a time: one durable write per so many entries. */
export const SEQ_BLOCK = 65_536;

/** Receipts kept; the oldest are overwritten. */
export const RECEIPTS_KEPT = 4096;

/** Back-off between attempts to reach the server: doubles from the first to the last, with full jitter. */
export const RETRY_FIRST_MS = 500;
export const RETRY_LAST_MS = 30_000;

/** The longest that a server may ask us to stay away: a wrong header must not silence a node for a day. */
export const RETRY_AFTER_MS_MAX = 300_000;

/** A batch that the server refused for good and that nothing can replace is tried again this rarely. */
export const STUCK_RETRY_MS = 600_000;

/** A node whose key was revoked asks this rarely: only a server restored from a backup may have forgotten it. */
export const REVOKED_RETRY_MS = 3_600_000;

/** One request, connect to answer. */
export const REQUEST_MS_MAX = 30_000;

/** Answers are small; more than this is not our server. */
export const ANSWER_BYTES_MAX = 64 * 1024;

/** How long a stopping agent tries to deliver what waits, as long as the server takes batch after batch. */
export const STOP_FLUSH_MS_MAX = 5_000;

/** How long a stopping agent waits for one answer: with what else a stop takes, it ends within two seconds. */
export const STOP_ANSWER_MS_MAX = 1_000;

/** The same where the server did not answer last time: enough for one that came back in between. */
export const STOP_RETRY_MS_MAX = 300;

/** The agent's own log: entries per second on average, and in a burst; more are counted, not written. */
export const LOG_PER_SECOND = 5;
export const LOG_BURST = 100;

/** The agent's local log file: two files of this size at most. */
export const LOG_FILE_BYTES_MAX = 1024 * 1024;

/** The halves that live are written beside the spool this often. */
export const CHECKPOINT_MS = 3_000;

/** More of them are not written: a restart then opens them anew. */
export const CHECKPOINT_HALVES_MAX = 50_000;

/** status.json is written this often; its time is also the evidence of when the agent last lived. */
export const STATUS_MS = 2_000;

/** How long a start waits for the server's head before it begins to observe without it. */
export const HEAD_WAIT_MS_MAX = 2_000;
