/**
 * The payload against its signed header: hash, size, entries, times. The costly part of admission,
 * done last and within the bounds that the header announced.
 */
import { hash } from "node:crypto";
import type { Batch } from "../format/batch.ts";
import { FLAG } from "../format/batch.ts";
import type { EntryKind } from "../format/entry.ts";
import { SERVER_KINDS } from "../format/entry-object.ts";
import { FormatError } from "../format/format-error.ts";
import { checkEntries, decompressPayload } from "../format/payload.ts";
import { type Refusal, refused, refusedFormat } from "./errors.ts";

export type Inspection = { readonly outcome: "sound"; readonly firstKind?: EntryKind } | Refusal;

/** Undefined when the payload is the one that the header names. */
export function payloadMismatch(batch: Batch): Refusal | undefined {
  const digest = hash("sha256", batch.payload, "buffer");
  if (digest.equals(batch.header.payloadHash)) return undefined;
  return refused("bad_payload", "the payload is not the one whose hash the header carries");
}

/** Decompresses and checks every entry. Throws only on our own mistake. */
export function inspect(batch: Batch): Inspection {
  const { header } = batch;
  try {
    const raw = decompressPayload(batch.payload, header.rawBytes);
    const walk = new Walk();
    checkEntries(raw, header, (kind, atMs) => walk.take(kind, atMs));
    checkFlags(batch, walk.last);
    if (walk.first === undefined) return { outcome: "sound" };
    if (walk.minMs !== header.firstAtMs || walk.maxMs !== header.lastAtMs) {
      return refused(
        "bad_payload",
        `the header announces times ${header.firstAtMs}…${header.lastAtMs}, the entries have ${walk.minMs}…${walk.maxMs}`,
      );
    }
    return { outcome: "sound", firstKind: walk.first };
  } catch (error) {
    return refusedFormat(error);
  }
}

class Walk {
  first: EntryKind | undefined;
  last: EntryKind | undefined;
  minMs = Number.POSITIVE_INFINITY;
  maxMs = 0;

  take(kind: EntryKind, atMs: number): void {
    if (SERVER_KINDS.has(kind)) {
      throw new FormatError("bad_entry", `only the server writes ${kind} entries`);
    }
    this.first ??= kind;
    this.last = kind;
    if (atMs < this.minMs) this.minMs = atMs;
    if (atMs > this.maxMs) this.maxMs = atMs;
  }
}

/** What a flag claims must be what the entries say: readers of headers alone rely on it. */
function checkFlags({ header }: Batch, last: EntryKind | undefined): void {
  const optOut = (header.flags & FLAG.optOut) !== 0;
  if (optOut !== (last === "opt_out")) {
    throw new FormatError(
      "bad_payload",
      "the flag optOut is set exactly when the last entry is an opt_out",
    );
  }
}
