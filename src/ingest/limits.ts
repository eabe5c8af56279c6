/**
 * Every bound of ingest, with its reason. What a frame itself may hold is in format/limits.ts.
 * Tests and benchmarks pass others; nothing else does.
 */
import { HEADER_BYTES } from "../format/batch.ts";
import { SIGNATURE_BYTES } from "../format/identity.ts";
import { ENTRIES_PER_BATCH_MAX, PAYLOAD_BYTES_MAX } from "../format/limits.ts";

/** The largest frame that the format allows, inclusive: more is refused before it is read. */
export const FRAME_BYTES_MAX = HEADER_BYTES + SIGNATURE_BYTES + PAYLOAD_BYTES_MAX;

/** JSON bodies (enrolment, head): about 400 bytes are needed; the rest is room for a longer name. */
export const JSON_BYTES_MAX = 4 * 1024;

export interface IngestLimits {
  /** Bytes of frames held by all requests until their ack: twelve full frames, and less than the journal's queue takes, so that it never has to refuse. */
  readonly bytesInFlightMax: number;
  /** … and of one node: the batch that is under way and its retry. */
  readonly bytesInFlightPerNodeMax: number;
  /** Requests at once. Each costs about 20 KiB besides its frame. */
  readonly requestsMax: number;
  /** A body that takes longer is cut. A full frame at 2 Mbit/s takes 17 s. */
  readonly bodyMs: number;
  /** Sustained entries of one node. Its agent observes at most 30,000/s; three times that lets it catch up. */
  readonly entriesPerS: number;
  /** Entries that a node may send at once after a pause: fifteen full batches. */
  readonly entriesBurst: number;
  /** Sustained wire bytes of one node: 30,000 entries/s are below 1 MB/s; logs need more. */
  readonly bytesPerS: number;
  readonly bytesBurst: number;
  /** Forks of one node kept as evidence per day. The first proves the point; a disk must not fill with the rest. */
  readonly evidencePerNodeDayMax: number;
  /** Distinct incidents remembered per hour. Past it they are folded into one per kind. */
  readonly incidentsMax: number;
  /** Refused frames of unknown nodes within an hour that make a finding: below, it is a node that was removed. */
  readonly unknownNodesFinding: number;
  /** Refused tries of a revoked key that are no finding: batches under way, and an agent that is started again a few times. */
  readonly revokedTriesMax: number;
  /** … nor is any number of them within this time: agents stop at the first answer, older ones need a person. */
  readonly revokedGraceMs: number;
}

export const INGEST_LIMITS: IngestLimits = {
  bytesInFlightMax: 12 * FRAME_BYTES_MAX,
  bytesInFlightPerNodeMax: 2 * FRAME_BYTES_MAX,
  requestsMax: 2_048,
  bodyMs: 20_000,
  entriesPerS: 100_000,
  entriesBurst: 15 * ENTRIES_PER_BATCH_MAX,
  bytesPerS: 32 * 1024 * 1024,
  bytesBurst: 128 * 1024 * 1024,
  evidencePerNodeDayMax: 16,
  incidentsMax: 4_096,
  unknownNodesFinding: 1_000,
  revokedTriesMax: 10,
  revokedGraceMs: 600_000,
};

/** Accepted batches per node whose hash stays in memory, to tell a replay from a fork at once. */
export const RECENT_BATCHES = 8;

/** Remembered places of a node's batches in the journal. Every other one is dropped when there are more, so looking up an old batch reads at most a sixteenth of the node's history. */
export const MARKS_MAX = 32;

/** Journal look-ups for old batches that may wait at once; they run one at a time, because each may read much. */
export const LOOKUPS_WAITING_MAX = 16;

/** How long a request waits for such a look-up before it is told to come back. */
export const LOOKUP_WAIT_MS = 5_000;

/** Answers of look-ups kept for those who come back. */
export const LOOKUP_ANSWERS_MAX = 256;

/** A snapshot of the heads is written after so many records or bytes: what a start reads at most, in a few seconds. */
export const SNAPSHOT_EVERY_RECORDS = 100_000;
export const SNAPSHOT_EVERY_BYTES = 1024 * 1024 * 1024;

/** Time in the server's own stream advances at least this often: absences are decided by it. */
export const TICK_EVERY_MS = 5_000;

/** Own entries that wait for the batch in flight. Past it, append is refused and the caller keeps its entry. */
export const OWN_ENTRIES_WAITING_MAX = 100_000;

/** Own entries in one batch: a finding is about 1 KB, so a batch stays below 4 MB of text. */
export const OWN_ENTRIES_PER_BATCH = 4_000;

/** NDJSON bytes of one own batch: well below what the format allows, so that a frame always fits. */
export const OWN_RAW_BYTES_MAX = 3 * 1024 * 1024;

/** One hour: incidents of one kind and node are one finding within it. */
export const FOLD_MS = 3_600_000;
export const DAY_MS = 24 * 3_600_000;

/** Incidents described one by one in a finding's evidence; the rest is counted. */
export const SAMPLES_MAX = 4;

/** What a refused client may still send before its connection is closed, and for how long. */
export const LINGER_BYTES_MAX = 8 * 1024 * 1024;
export const LINGER_MS = 2_000;
