/** Evidence files without a server: a server's key, two nodes, and whatever a test makes them sign. */
import { chainHash, encodeHeader } from "../../src/format/batch.ts";
import type {
  CloseEntry,
  Entry,
  OpenEntry,
  Role,
  RulingEntry,
  Tuple,
} from "../../src/format/entry.ts";
import { halfId } from "../../src/format/half.ts";
import { signReceipt } from "../../src/format/receipt.ts";
import { type EvidenceData, evidenceData } from "../../src/evidence/data-part.ts";
import { openPiece, type Piece } from "../../src/evidence/piece.ts";
import { type Sealed, SimNode } from "./sim-node.ts";

export const OPENED_MS = 1_800_000_000_000;
export const FINDING_ID = "47183b3c5026b986ba33d0ea863d604b";
export const TUPLE: Tuple = {
  protocol: 6,
  initiatorIp: "10.0.0.1",
  initiatorPort: 40_000,
  responderIp: "10.0.0.2",
  responderPort: 443,
};
const COUNTERS = {
  initiatorPackets: 9,
  initiatorBytes: 1_000_000,
  responderPackets: 9,
  responderBytes: 7_000,
};
/** Between two batches of a node that a test makes. */
const BATCH_EVERY_MS = 60_000;

export interface FindingParts {
  readonly finding: string;
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly node?: string;
  readonly connection?: string;
  readonly state?: "open" | "resolved";
  /** Another one than that of the file. */
  readonly id?: string;
}

export class SimEvidence {
  readonly server = new SimNode("server");
  readonly a = new SimNode("a");
  readonly b = new SimNode("b");
  readonly pieces: Piece[] = [];
  readonly supportingIds: string[] = [];
  #index = 0;

  constructor() {
    for (const node of [this.server, this.a, this.b]) node.atMs = OPENED_MS - 5 * BATCH_EVERY_MS;
  }

  /** The server's entry of a node's enrolment, by default a true one. */
  enrol(node: SimNode, publicKey = node.publicKey): void {
    const entry: Entry = {
      kind: "enrolled",
      atMs: this.server.atMs,
      node: node.id,
      name: node.name,
      publicKey: publicKey.toString("base64url"),
      enrolmentKey: "k",
    };
    this.add(this.server, this.server.next({ entries: [entry] }));
  }

  conclude({
    finding,
    evidence,
    node = "",
    connection = "",
    state = "open",
    id = FINDING_ID,
  }: FindingParts): void {
    const entry: Entry = {
      kind: "finding",
      atMs: this.server.atMs,
      id,
      finding,
      severity: "high",
      state,
      node,
      connection,
      title: "what was found",
      evidence,
    };
    this.add(this.server, this.server.next({ entries: [entry] }));
  }

  /** The node's next batch, whole and with its receipt; a heartbeat without entries. */
  batch(node: SimNode, entries: readonly Entry[] = []): Sealed {
    return this.batchAt(node, node.atMs + BATCH_EVERY_MS, entries);
  }

  /** The same, closed at a time of the node's clock. */
  batchAt(node: SimNode, closedMs: number, entries: readonly Entry[] = []): Sealed {
    node.atMs = closedMs;
    const sealed = node.next({ entries });
    this.add(node, sealed);
    return sealed;
  }

  /** Somebody's decision about the finding of the file, or about another one. */
  rule(
    reason: string,
    what: Partial<Pick<RulingEntry, "ruling" | "expiresAtMs" | "finding">> = {},
  ): void {
    const { atMs } = this.server;
    const said = { ruling: "excused", reason, actor: "admin", finding: FINDING_ID } as const;
    const entry: Entry = { kind: "ruling", atMs, ...said, ...what };
    this.add(this.server, this.server.next({ entries: [entry] }));
  }

  /** The server's clock goes on, and it says so. */
  pass(spanMs: number): void {
    this.server.atMs += spanMs;
    const entry: Entry = { kind: "tick", atMs: this.server.atMs };
    this.add(this.server, this.server.next({ entries: [entry] }));
  }

  add(node: SimNode, { frame, header }: Sealed): void {
    if (node === this.server) return void this.pieces.push(openPiece("batch", frame));
    const { nodeId, epoch, batchNo } = header;
    const head = chainHash(encodeHeader(header));
    const place = { nodeId, epoch, batchNo, head, index: this.#index++, receivedMs: node.atMs };
    this.pieces.push(openPiece("batch", frame, signReceipt(place, this.server.key)));
  }

  /** An end's open and close at `OPENED_MS`, moved by `afterMs`; numbers go on from the node's next. */
  half(node: SimNode, role: Role, afterMs = 0): [OpenEntry, CloseEntry] {
    const atMs = OPENED_MS + afterMs;
    const more = { state: "SF", assured: true, inferred: false, counters: COUNTERS } as const;
    return [
      { kind: "open", atMs, role, tuple: TUPLE, pickup: false },
      { kind: "close", atMs: atMs + 20, openSeq: node.nextSeq, ageMs: 20, ...more },
    ];
  }

  /** What a finding says of a half whose open is `seq` of the node's first epoch. */
  claim(node: SimNode, role: Role, seq: number): Record<string, unknown> {
    return {
      half: halfId(node.nodeId, 0, seq).toString("hex"),
      node: node.id,
      name: node.name,
      role,
      epoch: 0,
      seq,
      openedMs: OPENED_MS,
      durationMs: 20,
      state: "SF",
      tuple: TUPLE,
      counters: COUNTERS,
    };
  }

  data(): EvidenceData {
    return evidenceData({
      findingId: FINDING_ID,
      supportingIds: this.supportingIds,
      serverKey: this.server.publicKey,
      pieces: this.pieces,
    });
  }
}
