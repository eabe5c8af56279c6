/**
 * Every answer of ingest that is not an ack. The code is the public name (docs/errors.md lists
 * them, and a test compares both ways); it is also the label of the metric.
 */
import { FormatError } from "../format/format-error.ts";

export type IngestErrorCode =
  | "bad_request"
  | "bad_header"
  | "bad_payload"
  | "bad_entry"
  | "bad_name"
  | "unknown_node"
  | "bad_signature"
  | "bad_enrolment_key"
  | "approval_needed"
  | "revoked_key"
  | "not_found"
  | "method_not_allowed"
  | "slow_body"
  | "name_taken"
  | "replayed"
  | "fork"
  | "chain_gap"
  | "stale_epoch"
  | "seq_reused"
  | "opted_out"
  | "payload_too_large"
  | "unsupported_media_type"
  | "busy"
  | "rate_limited"
  | "header_too_large"
  | "internal"
  | "journal_full"
  | "journal_failed";

interface ErrorRow {
  readonly status: number;
  readonly title: string;
  readonly hint: string;
}

export const INGEST_ERRORS = {
  bad_request: {
    status: 400,
    title: "the request is not HTTP or not in the documented form",
    hint: "compare it with docs/formats.md",
  },
  bad_header: {
    status: 400,
    title: "the batch header is not in the format",
    hint: "update the older side; other versions are refused",
  },
  bad_payload: {
    status: 400,
    title: "the payload does not fit its header",
    hint: "check hash, length, entry count and times that the header announces",
  },
  bad_entry: {
    status: 400,
    title: "an entry is not in the format",
    hint: "the detail names the line; compare it with docs/formats.md",
  },
  bad_name: {
    status: 400,
    title: "the node name is not allowed",
    hint: "use 1 to 63 letters, digits, dots, dashes or underscores",
  },
  unknown_node: {
    status: 401,
    title: "no node with this id is enrolled",
    hint: "enrol the node with a key from `tallystick keys create`",
  },
  bad_signature: {
    status: 401,
    title: "the signature is not the node's",
    hint: "check that the node still has the key with which it enrolled",
  },
  bad_enrolment_key: {
    status: 401,
    title: "the enrolment key is unknown, expired, spent or revoked",
    hint: "create another with `tallystick keys create`",
  },
  revoked_key: {
    status: 403,
    title: "the node's key was revoked",
    hint: "enrol the machine anew with an empty state directory",
  },
  not_found: { status: 404, title: "no such route", hint: "routes are listed in docs/formats.md" },
  method_not_allowed: {
    status: 405,
    title: "the route does not answer this method",
    hint: "use POST",
  },
  slow_body: {
    status: 408,
    title: "the request took too long to arrive",
    hint: "send smaller batches, or look at the link",
  },
  approval_needed: {
    status: 503,
    title: "the node waits for approval",
    hint: "an administrator lets it in: tallystick nodes approve NAME",
  },
  name_taken: {
    status: 409,
    title: "another node has this name",
    hint: "choose another with --name, or revoke the other node",
  },
  replayed: {
    status: 409,
    title: "this batch was accepted before",
    hint: "ask for the head of the chain and continue from there",
  },
  fork: {
    status: 409,
    title: "another batch stands at this place of the chain",
    hint: "two machines use one key, or state was restored: ask for the head and begin a new epoch",
  },
  chain_gap: {
    status: 409,
    title: "batches before this one are missing",
    hint: "send them, or ask for the head and begin a new epoch",
  },
  stale_epoch: {
    status: 409,
    title: "the chain went on in a later epoch",
    hint: "ask for the head and begin a new epoch",
  },
  seq_reused: {
    status: 409,
    title: "an entry number was used before",
    hint: "continue with the head's next number",
  },
  opted_out: {
    status: 409,
    title: "the node has opted out",
    hint: "begin the next batch with a `resume` entry",
  },
  payload_too_large: {
    status: 413,
    title: "the batch is larger than the format allows",
    hint: "seal batches earlier",
  },
  unsupported_media_type: {
    status: 415,
    title: "the body has another media type",
    hint: "send application/vnd.tallystick.batch for batches, application/json otherwise",
  },
  busy: {
    status: 429,
    title: "the server holds as much as it may",
    hint: "send again after Retry-After; nothing was lost",
  },
  rate_limited: {
    status: 429,
    title: "the node sends more than its share",
    hint: "send again after Retry-After; nothing was lost",
  },
  header_too_large: {
    status: 431,
    title: "the HTTP headers are too large",
    hint: "send fewer or shorter headers",
  },
  internal: {
    status: 500,
    title: "the server made a mistake",
    hint: "look at the server's log; send again later",
  },
  journal_full: {
    status: 503,
    title: "the journal's disk is full",
    hint: "make room on the server; it goes on by itself, and nothing was lost",
  },
  journal_failed: {
    status: 503,
    title: "the journal cannot be written",
    hint: "look at the server's disk; nothing is acked until it works again",
  },
} as const satisfies Readonly<Record<IngestErrorCode, ErrorRow>>;

export interface Refusal {
  readonly outcome: "refused";
  readonly code: IngestErrorCode;
  readonly detail: string;
  /** For `chain_gap`: where the chain stands. */
  readonly expected?: { readonly epoch: number; readonly batches: number };
  /** For 429 and 503: seconds, at least 1. */
  readonly retryAfterS?: number;
}

export function refused(
  code: IngestErrorCode,
  detail: string,
  more: Pick<Refusal, "expected" | "retryAfterS"> = {},
): Refusal {
  return { outcome: "refused", code, detail, ...more };
}

/** A refusal for bytes that are not in the format; rethrows what is our own mistake. */
export function refusedFormat(error: unknown): Refusal {
  if (!(error instanceof FormatError)) throw error;
  switch (error.code) {
    case "bad_header":
    case "bad_payload":
    case "bad_entry":
    case "payload_too_large":
      return refused(error.code, error.message);
    case "bad_address":
      return refused("bad_entry", error.message);
    case "bad_receipt":
    case "bad_key":
      return refused("bad_request", error.message);
    default:
      throw error;
  }
}

/** What stops ingest itself: not an answer to a request. */
export class IngestError extends Error {
  readonly code: IngestErrorCode | "bad_server_key" | "bad_chain" | "own_queue_full" | "closed";

  constructor(code: IngestError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "IngestError";
    this.code = code;
  }
}
