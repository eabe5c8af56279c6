/**
 * One signed thing in an evidence file: a batch as its node sent it, the header of one whose entries
 * are left out, or a frame that the server refused and kept.
 */
import { type BatchHeader, chainHash, decodeHeader, HEADER_BYTES } from "../format/batch.ts";
import { FormatError } from "../format/format-error.ts";
import { SIGNATURE_BYTES } from "../format/identity.ts";

/** `kept`: refused, so outside of its node's chain; only its head where the payload was not the signed one. */
export type PieceKind = "batch" | "header" | "kept";

export interface Piece {
  readonly kind: PieceKind;
  /** Header ‖ signature ‖ payload; without the payload where only the header is shown. */
  readonly frame: Buffer;
  /** The server's receipt, 144 bytes; the server gives itself none. */
  readonly receipt: Buffer | undefined;
  readonly header: BatchHeader;
  readonly headerBytes: Buffer;
  readonly signature: Buffer;
  readonly payload: Buffer | undefined;
  /** Hex. */
  readonly nodeId: string;
  /** Chain hash, hex. */
  readonly hash: string;
}

const HEAD_BYTES = HEADER_BYTES + SIGNATURE_BYTES;

/** Reads header and lengths; signature and payload are not checked. Throws `bad_header`, `bad_payload`. */
export function openPiece(kind: PieceKind, frame: Buffer, receipt?: Buffer): Piece {
  const header = decodeHeader(frame);
  const headOnly = kind === "header" || (kind === "kept" && frame.length === HEAD_BYTES);
  const expected = HEAD_BYTES + (headOnly ? 0 : header.payloadBytes);
  if (frame.length !== expected) {
    throw new FormatError("bad_payload", `expected ${expected} bytes, got ${frame.length}`);
  }
  const headerBytes = frame.subarray(0, HEADER_BYTES);
  return {
    kind,
    frame,
    receipt,
    header,
    headerBytes,
    signature: frame.subarray(HEADER_BYTES, HEAD_BYTES),
    payload: headOnly ? undefined : frame.subarray(HEAD_BYTES),
    nodeId: Buffer.from(header.nodeId).toString("hex"),
    hash: chainHash(headerBytes).toString("hex"),
  };
}

/** The header and signature of a frame alone. */
export function headOf(frame: Uint8Array): Buffer {
  return Buffer.from(frame.subarray(0, HEAD_BYTES));
}

/** `batch 17 of epoch 0` */
export function pieceName({ header }: Pick<Piece, "header">): string {
  return `batch ${header.batchNo} of epoch ${header.epoch}`;
}

/** The order in a file: the server's own, then node by node in the order of the chain, refused ones last. */
export function comparePieces(serverId: string): (a: Piece, b: Piece) => number {
  const rank = (piece: Piece): number => (piece.nodeId === serverId ? 0 : 1);
  return (a, b) =>
    rank(a) - rank(b) ||
    Buffer.compare(Buffer.from(a.nodeId), Buffer.from(b.nodeId)) ||
    late(a) - late(b) ||
    a.header.epoch - b.header.epoch ||
    a.header.batchNo - b.header.batchNo ||
    Buffer.compare(a.frame, b.frame);
}

function late({ kind }: Piece): number {
  return kind === "kept" ? 1 : 0;
}
