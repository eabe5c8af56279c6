/**
 * What was there before a rule looked, and is still to be mended: take a line out with the mending.
 * Nothing new is added here.
 */

/** Exported names without a description, by file. */
export const undescribed: Readonly<Record<string, readonly string[]>> = {
  "src/format/batch.ts": [
    "HEADER_BYTES",
    "HASH_BYTES",
    "signHeader",
    "verifyHeader",
    "encodeFrame",
  ],
  "src/format/enrolment.ts": [
    "ENROLMENT_ID_BYTES",
    "ENROLMENT_SECRET_BYTES",
    "formatEnrolmentKey",
    "EnrolmentProof",
    "signEnrolment",
    "verifyEnrolment",
    "HeadRequest",
    "signHeadRequest",
    "verifyHeadRequest",
  ],
  "src/format/entry-value.ts": ["badEntry", "isCanonicalAddress"],
  "src/format/entry.ts": [
    "ConnectionState",
    "UpdateEntry",
    "AccountEntry",
    "GAP_CAUSES",
    "ResumeEntry",
    "SEVERITIES",
    "Severity",
    "ConnectionEntry",
    "NodeEntry",
    "ServerEntry",
    "EntryKind",
  ],
  "src/format/identity.ts": [
    "NODE_ID_BYTES",
    "KEY_ID_BYTES",
    "PUBLIC_KEY_BYTES",
    "SIGNATURE_BYTES",
  ],
  "src/format/payload.ts": ["ExpectedEntries"],
  "src/format/receipt.ts": ["NONCE_BYTES"],
  "src/journal/check.ts": ["Checked"],
  "src/journal/record.ts": ["RECORD_HEADER_BYTES", "RecordType", "RecordHeader", "Decoded"],
  "src/journal/recovery.ts": ["recover"],
  "src/journal/scan.ts": ["ScanState"],
  "src/journal/segment-header.ts": ["SEGMENT_HEADER_BYTES", "encodeSegmentHeader"],
  "src/journal/segment-list.ts": ["readSegmentFacts"],
  "src/std/disk.ts": ["DiskMode", "DiskLock"],
  "src/std/memory-disk.ts": ["DiskOperation"],
};

/** Numbers that may go without a unit, by file, each for the reason beside it. */
export const unitless: Readonly<Record<string, readonly string[]>> = {
  // A tree's size counts its leaves: the word of the transparency-log formats.
  "src/format/batch.ts": ["seenSize"],
  // Bytes of one answer; to be named so.
  "src/agent/ship/uplink.ts": ["size"],
  // The public name of a query parameter.
  "src/serve/query/list-statement.ts": ["limit"],
  "src/serve/routes/lists.ts": ["limit"],
};
