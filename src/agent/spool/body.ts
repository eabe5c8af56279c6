/**
 * A body: entries that are numbered and closed, but have no place in the chain yet. The place is
 * given when it is about to leave the machine, so a body that must be dropped leaves no hole there.
 */
import { decompressPayload } from "../../format/payload.ts";
import { ENTRIES_PER_BATCH_MAX } from "../../format/limits.ts";
import { SEAL_RAW_BYTES_MAX } from "../limits.ts";

export interface BodyFacts {
  readonly seqFirst: number;
  readonly count: number;
  /** Earliest and latest time of its entries. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** Time of the last line: what a following line would be relative to. */
  readonly endAtMs: number;
  readonly closedAtMs: number;
  readonly completeToMs: number;
  readonly bootAtMs: number;
  readonly rawBytes: number;
  /** FLAG bits that its batch must carry (stop, optOut). */
  readonly flags: number;
}

export interface Body extends BodyFacts {
  /** Compressed NDJSON. */
  readonly payload: Uint8Array;
}

/** Entries ready to be sealed: one or several bodies, uncompressed. */
export interface Content extends BodyFacts {
  readonly raw: Buffer;
}

/** What a body says of the moment at which it was closed. */
export type Moment = Pick<BodyFacts, "closedAtMs" | "completeToMs" | "bootAtMs">;

/** The record of a body: length of its facts, facts as JSON, payload. */
export function encodeBody(body: Body): [Buffer, Uint8Array] {
  const { payload, ...facts } = body;
  const json = Buffer.from(JSON.stringify(facts));
  const length = Buffer.alloc(2);
  length.writeUInt16BE(json.length, 0);
  return [Buffer.concat([length, json]), payload];
}

/** The inverse, of our own bytes that a checksum has vouched for. */
export function decodeBody(record: Buffer): Body {
  const end = 2 + record.readUInt16BE(0);
  const facts = JSON.parse(record.toString("utf8", 2, end)) as BodyFacts;
  return { ...facts, payload: record.subarray(end) };
}

export function contentOf(body: Body): Content {
  const { payload, ...facts } = body;
  return { ...facts, raw: decompressPayload(payload, facts.rawBytes) };
}

/** True when `next` may follow in the same batch. A body with flags is a batch of its own. */
export function canJoin(content: BodyFacts, next: BodyFacts): boolean {
  return (
    content.flags === 0 &&
    next.flags === 0 &&
    next.seqFirst === content.seqFirst + content.count &&
    content.rawBytes + next.rawBytes <= SEAL_RAW_BYTES_MAX &&
    content.count + next.count <= ENTRIES_PER_BATCH_MAX
  );
}

/** One content of two: the second's first line becomes relative to the first's last. */
export function join(content: Content, next: Content): Content {
  const raw = Buffer.concat([content.raw, relativeTo(next.raw, content.endAtMs)]);
  return {
    ...next,
    seqFirst: content.seqFirst,
    count: content.count + next.count,
    firstAtMs: Math.min(content.firstAtMs, next.firstAtMs),
    lastAtMs: Math.max(content.lastAtMs, next.lastAtMs),
    rawBytes: raw.length,
    raw,
  };
}

/** Rewrites the time of the first line, the one number that is absolute. */
function relativeTo(raw: Buffer, previousAtMs: number): Buffer {
  const start = raw.indexOf(0x2c) + 1;
  let end = start;
  while (isNumeral(raw[end])) end++;
  const time = Number(raw.toString("latin1", start, end)) - previousAtMs;
  return Buffer.concat([raw.subarray(0, start), Buffer.from(String(time)), raw.subarray(end)]);
}

function isNumeral(byte: number | undefined): boolean {
  return byte === 0x2d || (byte !== undefined && byte >= 0x30 && byte <= 0x39);
}
