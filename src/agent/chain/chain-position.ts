/** Where a chain stands: the node's own view, in the same terms as the server's signed head. */
import {
  type BatchHeader,
  chainHash,
  encodeHeader,
  genesisHash,
  HASH_BYTES,
} from "../../format/batch.ts";
import { AgentError } from "../agent-error.ts";

export interface ChainPosition {
  readonly epoch: number;
  /** Batches sealed in this epoch; the next one has this number. */
  readonly batches: number;
  /** Chain hash of the last sealed batch of any epoch; the genesis hash before the first. */
  readonly head: Uint8Array;
  /** One past the last sealed number. */
  readonly nextSeq: number;
}

export function genesisPosition(publicKey: Uint8Array): ChainPosition {
  return { epoch: 0, batches: 0, head: genesisHash(publicKey), nextSeq: 0 };
}

/** The position after a batch. */
export function positionAfter(header: BatchHeader): ChainPosition {
  return {
    epoch: header.epoch,
    batches: header.batchNo + 1,
    head: chainHash(encodeHeader(header)),
    nextSeq: header.seqFirst + header.entryCount,
  };
}

/** Same batches, same hash. Numbers follow from those. */
export function samePosition(
  a: Omit<ChainPosition, "nextSeq">,
  b: Omit<ChainPosition, "nextSeq">,
): boolean {
  return a.epoch === b.epoch && a.batches === b.batches && Buffer.compare(a.head, b.head) === 0;
}

/** As JSON, for files of our own. */
export function positionToJson(position: ChainPosition): Record<string, string | number> {
  return { ...position, head: Buffer.from(position.head).toString("base64url") };
}

/** The inverse. Throws `bad_state`. */
export function positionFromJson(value: unknown): ChainPosition {
  const { epoch, batches, head, nextSeq } = Object(value) as Record<string, unknown>;
  const hash = Buffer.from(typeof head === "string" ? head : "", "base64url");
  if (![epoch, batches, nextSeq].every(Number.isSafeInteger) || hash.length !== HASH_BYTES) {
    throw new AgentError(
      "bad_state",
      "a chain position on disk cannot be read; remove the spool directory to go on in a new epoch",
    );
  }
  return { epoch: Number(epoch), batches: Number(batches), head: hash, nextSeq: Number(nextSeq) };
}
