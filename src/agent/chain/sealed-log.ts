/**
 * Sealed batches on disk: the end of the node's chain, and the last few megabytes of it in case the
 * server comes back from a backup. The position in the chain is nothing but the last record here.
 *
 *   1. append the frame                crash: the batch is sealed; it is the one that is sent next
 *      (torn: the record is cut at open, and the frame had not left the machine)
 *   2. sync                            crash: same; only from here may it leave the machine
 *   3. forget the oldest files         crash: they are forgotten later
 *
 * So no number of the chain is ever signed for two contents, whatever dies in between.
 */
import { type Batch, type BatchHeader, decodeFrame, decodeHeader } from "../../format/batch.ts";
import {
  type ChainPosition,
  positionAfter,
  positionFromJson,
  positionToJson,
} from "./chain-position.ts";
import { SEALED_KEPT_BYTES } from "../limits.ts";
import { type Cursor, type LogRecord, RecordLog } from "../spool/record-log.ts";
import type { Sealed } from "./seal.ts";

const TYPE_FRAME = 1;
/** A position without its batch: what is left where the contents had to go. */
const TYPE_ANCHOR = 2;
const SEGMENT_BYTES = 1024 * 1024;

export interface SealedFrame {
  readonly header: BatchHeader;
  readonly frame: Buffer;
}

export class SealedLog {
  readonly #log: RecordLog;
  #position: ChainPosition | undefined;
  #last: SealedFrame | undefined;

  private constructor(log: RecordLog) {
    this.#log = log;
    for (const record of this.#records()) this.#note(record);
  }

  static open(directory: string): SealedLog {
    return new SealedLog(
      RecordLog.open({ directory, prefix: "sealed", segmentBytesMax: SEGMENT_BYTES }),
    );
  }

  /** After the last sealed batch; undefined where none ever was. */
  get position(): ChainPosition | undefined {
    return this.#position;
  }

  /** The last sealed batch, unless only its position is left. */
  get last(): SealedFrame | undefined {
    return this.#last;
  }

  /** Writes a batch; it may leave the machine only once `sync` has resolved. */
  append(sealed: Sealed): SealedFrame {
    this.#log.append(TYPE_FRAME, sealed.frame);
    this.#position = sealed.position;
    this.#last = { header: decodeFrame(sealed.frame).header, frame: sealed.frame };
    return this.#last;
  }

  /** Sets the chain's end in an empty log. */
  anchor(position: ChainPosition): void {
    this.#log.append(TYPE_ANCHOR, Buffer.from(JSON.stringify(positionToJson(position))));
    this.#position = position;
  }

  sync(): Promise<void> {
    return this.#log.sync();
  }

  /** Forgets the oldest batches that nobody will ask for any more. */
  prune(): void {
    const segments = this.#log.segments;
    for (const segment of segments.slice(0, -1)) {
      if (this.#log.bytes - this.#log.bytesOf(segment) < SEALED_KEPT_BYTES) return;
      this.#log.drop(segment);
    }
  }

  /** The batch that follows a head, if it is still here. Reads the whole log: only for recovery. */
  successorOf(head: Uint8Array): SealedFrame | undefined {
    if (this.#last !== undefined && follows(this.#last, head)) return this.#last;
    return this.#frames().find((sealed) => follows(sealed, head));
  }

  /** The batches that are still here, oldest first. Reads the whole log: only at the start. */
  *batches(): Generator<Batch> {
    for (const { type, body } of this.#records()) if (type === TYPE_FRAME) yield decodeFrame(body);
  }

  isGone(): boolean {
    return this.#log.isGone();
  }

  close(): void {
    this.#log.close();
  }

  *#frames(): Generator<SealedFrame> {
    for (const { type, body } of this.#records()) {
      if (type === TYPE_FRAME) yield { header: decodeFrame(body).header, frame: body };
    }
  }

  *#records(): Generator<LogRecord> {
    let at: Cursor = this.#log.start;
    for (let record = this.#log.read(at); record !== undefined; record = this.#log.read(at)) {
      yield record;
      at = record.next;
    }
  }

  #note({ type, body }: LogRecord): void {
    if (type === TYPE_ANCHOR) {
      this.#position = positionFromJson(JSON.parse(body.toString()));
      this.#last = undefined;
      return;
    }
    this.#last = { header: decodeHeader(body), frame: body };
    this.#position = positionAfter(this.#last.header);
  }
}

function follows(sealed: SealedFrame, head: Uint8Array): boolean {
  return Buffer.compare(sealed.header.prevHash, head) === 0;
}
