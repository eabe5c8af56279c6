/**
 * The whole path of one frame, in the order of rising cost, so that what is refused cost least:
 * header → node → key id → signature → revocation → rate (all before the payload has arrived) →
 * size → chain → payload hash → decompression → entries → journal → receipt.
 *
 * Everything up to the signature is a stranger's word and only counted; from there on the node has
 * said it. Nothing here throws for what a sender can cause.
 */
import type { KeyObject } from "node:crypto";
import {
  type Batch,
  type BatchHeader,
  chainHash,
  decodeHeader,
  HEADER_BYTES,
  verifyHeader,
} from "../format/batch.ts";
import { SIGNATURE_BYTES } from "../format/identity.ts";
import { signReceipt } from "../format/receipt.ts";
import type { Clock } from "../std/clock.ts";
import {
  type ChainState,
  emptyChain,
  type Fork,
  judge,
  judgeOlder,
  type Link,
  optedOut,
} from "./chain.ts";
import { type Place, recentPlace } from "./chain-heads.ts";
import { type ChainWriter, journalFailed } from "./chain-writer.ts";
import { IngestError, type Refusal, refused, refusedFormat } from "./errors.ts";
import { EvidenceLocker } from "./evidence.ts";
import { History } from "./history.ts";
import type { Incident } from "./incident.ts";
import { inspect, payloadMismatch } from "./inspect.ts";
import type { JournalPort } from "./journal-port.ts";
import { type IngestLimits, INGEST_LIMITS, LOOKUP_WAIT_MS } from "./limits.ts";
import type { KnownNode, LookupNode } from "./node-directory.ts";
import { NodeRates } from "./node-rates.ts";
import { Turns } from "./turns.ts";

export interface AdmissionOptions {
  readonly lookup: LookupNode;
  readonly writer: ChainWriter;
  /** For looking up old batches. */
  readonly journal: Pick<JournalPort, "read">;
  readonly serverKey: KeyObject;
  readonly clock: Clock;
  readonly report: (incident: Incident) => void;
  readonly limits?: IngestLimits;
}

export type AdmitResult =
  /** Durable. `receipt` has 144 bytes. `duplicate`: it was accepted before and its ack was lost. */
  { readonly outcome: "acked"; readonly receipt: Buffer; readonly duplicate: boolean } | Refusal;

/** Header and signature: what is enough to know who sends. */
export const HEAD_BYTES = HEADER_BYTES + SIGNATURE_BYTES;

/** A node that has signed a header and may send its payload. */
export interface Sender {
  readonly nodeId: string;
  readonly node: KnownNode;
  readonly header: BatchHeader;
  /** The bytes that were checked: 296, views of what arrived. */
  readonly head: Uint8Array;
  /** Of the whole frame that the header announces. */
  readonly frameBytes: number;
  readonly remote: string;
}

/** A frame whose signature holds. */
interface Signed extends Sender {
  readonly batch: Batch;
  readonly link: Link;
  readonly frame: Uint8Array;
}

/** What a node's turn ends with. */
type Turn =
  /** Durable. */
  | { readonly outcome: "placed"; readonly place: Place; readonly duplicate: boolean }
  /** An old number: what stood there is past and cannot change, so nobody waits for the look-up. */
  | { readonly outcome: "older" }
  | Refusal;

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #rates: NodeRates;
  readonly #history: History;
  readonly #evidence: EvidenceLocker;
  readonly #turns = new Turns();
  readonly #counts = new Map<string, number>();

  constructor(options: AdmissionOptions) {
    const limits = options.limits ?? INGEST_LIMITS;
    this.#options = options;
    this.#rates = new NodeRates(limits, options.clock);
    this.#history = new History(options.journal, options.clock);
    this.#evidence = new EvidenceLocker(options.writer, limits);
  }

  /** Answers so far by code, and `accepted` and `duplicate`: for the metrics. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Who sends, by the first 296 bytes or more of a frame. `remote` is where the connection came from. */
  authenticate(head: Uint8Array, remote: string): Sender | Refusal {
    const result = this.#authenticate(head, remote);
    if ("outcome" in result) this.#count(result.code);
    return result;
  }

  /** The rest of the way. `frame` begins with the sender's head, and is ours from here on. */
  async admit(sender: Sender, frame: Uint8Array): Promise<AdmitResult> {
    const result = await this.#admit(sender, frame);
    if (result.outcome === "refused") this.#count(result.code);
    else this.#count(result.duplicate ? "duplicate" : "accepted");
    return result;
  }

  /**
   * The node's chain when every batch that was under way is durable or refused. Whoever revokes a
   * key calls it after `lookup` says `revoked`: nothing is accepted after that state.
   */
  settled(nodeId: string): Promise<ChainState | undefined> {
    return this.#turns.run(nodeId, () => this.#options.writer.chain(nodeId)?.state);
  }

  async #admit(sender: Sender, frame: Uint8Array): Promise<AdmitResult> {
    if (this.#options.writer.failure !== undefined) return journalFailed();
    const signed = join(sender, frame);
    if ("outcome" in signed) return signed;
    const turn = await this.#turns.run(signed.nodeId, () => this.#takeTurn(signed));
    if (turn.outcome === "placed") {
      const receipt = receiptOf(signed.header, turn.place, this.#options.serverKey);
      return { outcome: "acked", receipt, duplicate: turn.duplicate };
    }
    if (turn.outcome === "older") return this.#refuseOlder(signed);
    return turn;
  }

  #authenticate(bytes: Uint8Array, remote: string): Sender | Refusal {
    const split = splitHead(bytes);
    if ("outcome" in split) return split;
    const { header, head } = split;
    const nodeId = Buffer.from(header.nodeId).toString("hex");
    const node = this.#options.lookup(nodeId);
    const incident = { nodeId, remote, atMs: this.#options.clock.nowMs(), header };
    if (node === undefined) {
      this.#options.report({ kind: "unknown_node", ...incident });
      return refused("unknown_node", `node ${nodeId} is not enrolled here`);
    }
    const reason = forgery(split, node);
    if (reason !== undefined) {
      this.#options.report({ kind: "forged", ...incident, reason });
      return refused("bad_signature", `node ${nodeId}: ${reason}`);
    }
    if (node.state === "revoked") {
      this.#options.report({ kind: "revoked_key_used", ...incident });
      return revokedKey(nodeId);
    }
    const frameBytes = HEAD_BYTES + header.payloadBytes;
    const limited = this.#rates.charge(nodeId, header.entryCount, frameBytes);
    return limited ?? { nodeId, node, header, head, frameBytes, remote };
  }

  /** From the chain to the durable record: what must not run twice at once for a node. */
  #takeTurn(signed: Signed): Turn | Promise<Turn> {
    const { nodeId, node, batch, link } = signed;
    const chain = this.#options.writer.chain(nodeId);
    const state = chain?.state ?? emptyChain(node.publicKeyBytes);
    const place = chain === undefined ? undefined : recentPlace(chain, batch.header);
    const verdict = judge(state, link, place?.hash);
    switch (verdict.outcome) {
      case "accepted":
        return this.#accept(signed, verdict.firstKind);
      case "duplicate":
        return this.#repeat(signed, place);
      case "fork":
        return this.#refuseFork(signed, verdict, place);
      case "older":
        return verdict;
      default:
        if (verdict.code === "replayed") this.#reportReplay(signed, place);
        return verdict;
    }
  }

  async #accept(signed: Signed, firstKind: "rollback" | "resume" | undefined): Promise<Turn> {
    const { nodeId, batch, link, frame } = signed;
    const mismatch = payloadMismatch(batch);
    if (mismatch !== undefined) return mismatch;
    const inspection = inspect(batch);
    if (inspection.outcome === "refused") return inspection;
    if (firstKind !== undefined && inspection.firstKind !== firstKind) return lacking(firstKind);
    const { writer, clock, lookup } = this.#options;
    // Others may have had their turn since the signature was checked.
    if (lookup(nodeId)?.state !== "active") return revokedKey(nodeId);
    const written = await writer.accept(nodeId, link, { frame, receivedMs: clock.nowMs() });
    if (written.outcome === "refused") return written;
    return { outcome: "placed", place: written.place, duplicate: false };
  }

  /** The ack was lost, or the first request came just before: the same receipt again. */
  #repeat({ nodeId, batch }: Signed, place: Place | undefined): Turn {
    if (place === undefined)
      throw new IngestError("bad_chain", `${nodeId} has a head without place`);
    return payloadMismatch(batch) ?? { outcome: "placed", place, duplicate: true };
  }

  async #refuseOlder(signed: Signed): Promise<Refusal> {
    const { nodeId, batch, link } = signed;
    const chain = this.#options.writer.chain(nodeId);
    if (chain === undefined) throw new IngestError("bad_chain", `${nodeId} lost its chain`);
    const found = await this.#history.find(batch.header, chain);
    if (found === "busy") {
      const retryAfterS = LOOKUP_WAIT_MS / 1000;
      return refused("busy", "an old batch is being looked up in the journal", { retryAfterS });
    }
    // Where retention removed it nobody can tell; a replay is the milder word, and refused too.
    const place = found === "absent" ? undefined : found;
    const verdict = judgeOlder(link, place?.hash ?? link.hash);
    if (verdict.outcome === "fork") return this.#refuseFork(signed, verdict, place);
    this.#reportReplay(signed, place);
    return verdict;
  }

  #reportReplay({ nodeId, remote, batch }: Signed, genuine: Place | undefined): void {
    const atMs = this.#options.clock.nowMs();
    this.#options.report({ kind: "replayed", nodeId, remote, atMs, header: batch.header, genuine });
  }

  /** The frame is the proof, so it is kept before it is reported. */
  #refuseFork(signed: Signed, fork: Fork, genuine: Place | undefined): Refusal {
    const { nodeId, remote, batch } = signed;
    const atMs = this.#options.clock.nowMs();
    const { header } = batch;
    const incident = { kind: "fork", nodeId, remote, atMs, header, genuine } as const;
    const report = (evidenceIndex?: number): void =>
      this.#options.report({ ...incident, reason: fork.detail, evidenceIndex });
    const whole = payloadMismatch(batch) === undefined;
    const kept = this.#evidence.keep(nodeId, whole ? signed.frame : headOf(signed.frame), atMs);
    kept.then(report, () => report());
    return refused("fork", fork.detail);
  }

  #count(outcome: string): void {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
  }
}

export function receiptOf(header: BatchHeader, place: Place, serverKey: KeyObject): Buffer {
  const { index, receivedMs, hash: head } = place;
  const { nodeId, epoch, batchNo } = header;
  return signReceipt({ nodeId, epoch, batchNo, head, index, receivedMs }, serverKey);
}

interface Head {
  readonly header: BatchHeader;
  readonly head: Uint8Array;
}

function splitHead(bytes: Uint8Array): Head | Refusal {
  try {
    const header = decodeHeader(bytes);
    if (bytes.length >= HEAD_BYTES) return { header, head: bytes.subarray(0, HEAD_BYTES) };
    return refused("bad_header", `the frame ends within its first ${HEAD_BYTES} bytes`);
  } catch (error) {
    return refusedFormat(error);
  }
}

/** Why the head is not the node's; undefined when it is. */
function forgery({ header, head }: Head, node: KnownNode): string | undefined {
  if (Buffer.compare(header.keyId, node.keyId) !== 0) {
    return `key ${Buffer.from(header.keyId).toString("hex")} is not the key of this node`;
  }
  const headerBytes = head.subarray(0, HEADER_BYTES);
  if (verifyHeader(headerBytes, head.subarray(HEADER_BYTES), node.publicKey)) return undefined;
  return "the signature does not hold";
}

function join(sender: Sender, frame: Uint8Array): Signed | Refusal {
  if (frame.length !== sender.frameBytes) {
    return refused(
      "bad_payload",
      `the header announces ${sender.header.payloadBytes} bytes of payload, the frame has ${frame.length - HEAD_BYTES}`,
    );
  }
  if (Buffer.compare(frame.subarray(0, HEAD_BYTES), sender.head) !== 0) {
    throw new IngestError("bad_chain", "the frame does not begin with the head that was checked");
  }
  const { header } = sender;
  const headerBytes = frame.subarray(0, HEADER_BYTES);
  const signature = frame.subarray(HEADER_BYTES, HEAD_BYTES);
  const batch = { header, headerBytes, signature, payload: frame.subarray(HEAD_BYTES) };
  return { ...sender, batch, link: { header, hash: chainHash(headerBytes) }, frame };
}

/** Header and signature: the part that proves, without a payload that proves nothing. */
function headOf(frame: Uint8Array): Uint8Array {
  return frame.slice(0, HEAD_BYTES);
}

function lacking(firstKind: "rollback" | "resume"): Refusal {
  if (firstKind === "resume") return optedOut();
  return refused("bad_entry", "the first entry of a later epoch is a rollback");
}

function revokedKey(nodeId: string): Refusal {
  return refused("revoked_key", `the key of node ${nodeId} was revoked`);
}
