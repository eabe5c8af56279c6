/**
 * The data part of an evidence file: what was signed, in the one order and spelling that it has.
 * Everything that the readable part says is computed from here.
 *
 *   finding HEX
 *   supported-by HEX, for each finding that an accusation rests on
 *   server-key BASE64
 *
 *   batch NODE epoch N batch N
 *   BASE64, 76 characters a line
 *   receipt
 *   BASE64
 */
import { FormatError } from "../format/format-error.ts";
import { nodeIdOf, PUBLIC_KEY_BYTES } from "../format/identity.ts";
import { comparePieces, openPiece, type Piece, type PieceKind } from "./piece.ts";

export interface EvidenceData {
  /** Hex of 16 bytes. */
  readonly findingId: string;
  /** Ids of findings that support it, one for each witness of an accusation. */
  readonly supportingIds: readonly string[];
  /** 32 bytes. */
  readonly serverKey: Buffer;
  /** In the order of `comparePieces`. */
  readonly pieces: readonly Piece[];
}

/** What stands between the two parts, a line of its own. */
export const DATA_MARK = "=== signed data ===";
const LINE_CHARS = 76;
const HEAD =
  /^finding ([0-9a-f]{32})\n((?:supported-by [0-9a-f]{32}\n)*)server-key ([A-Za-z0-9+/=]{44})$/;
const PIECE_LABEL = /^(batch|header|kept) [0-9a-f]{32} epoch \d+ batch \d+$/;

/** The pieces may come in any order. */
export function evidenceData(data: EvidenceData): EvidenceData {
  const order = comparePieces(nodeIdOf(data.serverKey).toString("hex"));
  return { ...data, pieces: data.pieces.toSorted(order) };
}

/** The part after the mark, piece by piece: all of it may be long. */
export function* dataChunks(data: EvidenceData): Generator<string, void, void> {
  const supported = data.supportingIds.map((id) => `supported-by ${id}\n`).join("");
  const key = data.serverKey.toString("base64");
  yield `finding ${data.findingId}\n${supported}server-key ${key}\n`;
  for (const piece of data.pieces) {
    const { header, kind, nodeId, frame, receipt } = piece;
    const label = `${kind} ${nodeId} epoch ${header.epoch} batch ${header.batchNo}`;
    yield `\n${label}\n${wrapped(frame)}`;
    if (receipt !== undefined) yield `receipt\n${wrapped(receipt)}`;
  }
}

/** The inverse. Throws `FormatError`; another spelling of the same is for the caller to find. */
export function parseData(text: string): EvidenceData {
  const [head = "", ...sections] = text.replace(/\n$/, "").split("\n\n");
  const match = HEAD.exec(head);
  const serverKey = Buffer.from(match?.[3] ?? "", "base64");
  if (serverKey.length !== PUBLIC_KEY_BYTES) {
    throw new FormatError("bad_key", "the data part does not begin with a finding and a key");
  }
  const pieces = sections.map((section, index) => parsePiece(section, index + 1));
  const supportingIds = (match?.[2] ?? "").match(/[0-9a-f]{32}/g) ?? [];
  return { findingId: match?.[1] ?? "", supportingIds, serverKey, pieces };
}

function parsePiece(section: string, place: number): Piece {
  const [label = "", ...lines] = section.split("\n");
  const kind = PIECE_LABEL.exec(label)?.[1] as PieceKind | undefined;
  if (kind === undefined) {
    throw new FormatError("bad_header", `piece ${place} of the data part has no label of ours`);
  }
  const at = lines.indexOf("receipt");
  const frame = bytesOf(at < 0 ? lines : lines.slice(0, at));
  const receipt = at < 0 ? undefined : bytesOf(lines.slice(at + 1));
  try {
    return openPiece(kind, frame, receipt);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError("bad_header", `${label}: ${reason}`, { cause });
  }
}

function bytesOf(lines: readonly string[]): Buffer {
  return Buffer.from(lines.join(""), "base64");
}

function wrapped(bytes: Buffer): string {
  const text = bytes.toString("base64");
  let out = "";
  for (let at = 0; at < text.length; at += LINE_CHARS)
    out += `${text.slice(at, at + LINE_CHARS)}\n`;
  return out;
}
