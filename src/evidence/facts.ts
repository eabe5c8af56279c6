/**
 * What the signed data of a file says, before anything is believed: pieces taken apart, the entries
 * that the finding is about picked out. The readable part and the checks are both made from it.
 */
import { hash } from "node:crypto";
import type { EnrolledEntry, Entry, FindingEntry, NodeEntry, OpenEntry } from "../format/entry.ts";
import type { RevokedEntry, RulingEntry } from "../format/entry.ts";
import { SERVER_KINDS } from "../format/entry-object.ts";
import { nodeIdOf, publicKeyFromRaw } from "../format/identity.ts";
import { decompressPayload, forEachEntry } from "../format/payload.ts";
import { openReceipt, type Receipt } from "../format/receipt.ts";
import { type Case, casesOf } from "./cases.ts";
import { namedNodes } from "./claims.ts";
import type { EvidenceData } from "./data-part.ts";
import type { HalfFacts, Placed } from "./half-facts.ts";
import { isSameTuple } from "./same-tuple.ts";
import { type Piece, pieceName } from "./piece.ts";
import { Standings } from "./standings.ts";

export interface NodeFacts {
  /** Hex. */
  readonly id: string;
  /** As the server's entry of its enrolment has it; the id's beginning where that entry is not here. */
  readonly name: string;
  readonly enrolled: Placed<EnrolledEntry> | undefined;
  readonly revoked: Placed<RevokedEntry> | undefined;
  /** Accepted batches and headers in the order of the chain. */
  readonly chain: readonly Piece[];
  readonly kept: readonly Piece[];
}

export interface CaseFacts extends Case {
  readonly halves: readonly HalfFacts[];
  /** Opens with the addresses and ports of a lone half, by either node, the half's own among them. */
  readonly opens: readonly Placed<OpenEntry>[];
}

export interface Facts {
  readonly data: EvidenceData;
  /** Hex. */
  readonly serverId: string;
  readonly serverPieces: readonly Piece[];
  /** The newest entry of the finding. */
  readonly finding: Placed<FindingEntry> | undefined;
  /** The finding first, and what supports it; none where the finding is not in the file. */
  readonly cases: readonly CaseFacts[];
  /** The entry that the finding names by its batch's place in the journal and its number. */
  readonly named: Placed<Entry> | undefined;
  /** What people decided about the finding, in that order. */
  readonly rulings: readonly Placed<RulingEntry>[];
  readonly nodes: readonly NodeFacts[];
  /** What the nodes said of themselves: gaps, addresses, opt-outs and the like; log lines are not among them. */
  readonly statements: readonly Placed<Exclude<NodeEntry, { kind: "log" }>>[];
  readonly receipts: ReadonlyMap<Piece, Receipt>;
  /** Pieces and receipts that are not what they should be. */
  readonly problems: readonly string[];
}

/** All at once. */
export function factsOf(data: EvidenceData): Facts {
  const steps = factSteps(data);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** A step for each piece, for whoever must not be held up by all of them. */
export function* factSteps(data: EvidenceData): Generator<void, Facts, void> {
  const collector = new Collector(data);
  for (const piece of data.pieces) {
    if (piece.nodeId !== collector.serverId) continue;
    collector.takeServer(piece);
    yield;
  }
  collector.understand();
  for (const piece of data.pieces) {
    if (piece.nodeId === collector.serverId) continue;
    collector.takeNode(piece);
    yield;
  }
  return collector.facts();
}

class Collector {
  readonly serverId: string;
  readonly #data: EvidenceData;
  readonly #problems: string[] = [];
  readonly #receipts = new Map<Piece, Receipt>();
  readonly #enrolled = new Map<string, Placed<EnrolledEntry>>();
  readonly #revoked = new Map<string, Placed<RevokedEntry>>();
  readonly #statements: Facts["statements"][number][] = [];
  readonly #rulings: Placed<RulingEntry>[] = [];
  readonly #standings = new Standings();
  #named: Placed<Entry> | undefined;
  #cases: (Case & { halves: GrowingHalf[]; opens: Placed<OpenEntry>[] })[] = [];

  constructor(data: EvidenceData) {
    this.#data = data;
    this.serverId = nodeIdOf(data.serverKey).toString("hex");
  }

  takeServer(piece: Piece): void {
    if (piece.receipt !== undefined) this.#problem(piece, "the server gives itself no receipts");
    this.#read(piece, (entry, seq) => {
      this.#standings.take({ entry, seq, piece });
      if (entry.kind === "ruling" && entry.finding === this.#data.findingId) {
        this.#rulings.push({ entry, seq, piece });
      }
      if (entry.kind === "enrolled") this.#enrolled.set(entry.node, { entry, seq, piece });
      if (entry.kind === "revoked") this.#revoked.set(entry.node, { entry, seq, piece });
    });
  }

  /** After the server's pieces: what is looked for in those of the nodes. */
  understand(): void {
    const { findingId, supportingIds } = this.#data;
    this.#cases = casesOf(this.#standings, findingId, supportingIds).map((each) => ({
      ...each,
      halves: each.claims.halves.map((claim) => ({ claim, open: undefined, later: [] })),
      opens: [],
    }));
  }

  get #finding(): Placed<FindingEntry> | undefined {
    return this.#standings.of(this.#data.findingId)?.finding;
  }

  takeNode(piece: Piece): void {
    this.#openReceipt(piece);
    // What was refused may hold anything, as long as it is what was signed.
    if (piece.kind === "kept") this.#isSigned(piece);
    if (piece.kind !== "batch") return;
    const lone = this.#cases.filter((each) => isLoneBetween(each, piece.nodeId));
    const own = this.#cases
      .flatMap(({ halves }) => halves)
      .filter(({ claim }) => claim.node === piece.nodeId && claim.epoch === piece.header.epoch);
    const namedSeq = this.#namedSeq(piece);
    this.#read(piece, (entry, seq) => {
      if (seq === namedSeq) this.#named = { entry, seq, piece };
      switch (entry.kind) {
        case "open":
          for (const { claims, opens } of lone) {
            const [half] = claims.halves;
            if (half !== undefined && isSameTuple(entry, half.tuple)) {
              opens.push({ entry, seq, piece });
            }
          }
          for (const half of own) if (half.claim.seq === seq) half.open = { entry, seq, piece };
          return;
        case "update":
        case "close":
        case "account":
          for (const half of own) {
            if (half.claim.seq === entry.openSeq) half.later.push({ entry, seq, piece });
          }
          return;
        case "log":
          return;
        default:
          if (isStatement(entry)) this.#statements.push({ entry, seq, piece });
          else this.#problem(piece, `entry ${seq} is one that only the server writes`);
      }
    });
  }

  #namedSeq(piece: Piece): unknown {
    const { journalIndex, seq } = this.#finding?.entry.evidence ?? {};
    return this.#receipts.get(piece)?.index === journalIndex ? seq : undefined;
  }

  facts(): Facts {
    const { pieces } = this.#data;
    const byNode = Map.groupBy(pieces, ({ nodeId }) => nodeId);
    return {
      data: this.#data,
      serverId: this.serverId,
      serverPieces: byNode.get(this.serverId) ?? [],
      finding: this.#finding,
      cases: this.#cases,
      named: this.#named,
      rulings: this.#rulings,
      nodes: this.#concerned(byNode.keys()).map((id) => this.#node(id, byNode.get(id) ?? [])),
      statements: this.#statements,
      receipts: this.#receipts,
      problems: this.#problems,
    };
  }

  /** Nodes with pieces, and those that the finding names. A batch of the server may hold enrolments of others. */
  #concerned(withPieces: Iterable<string>): string[] {
    const { node = "", evidence = {} } = this.#finding?.entry ?? {};
    const named = [node, ...namedNodes(evidence)].filter((id) => this.#enrolled.has(id));
    const ids = new Set([...withPieces, ...named]);
    ids.delete(this.serverId);
    return [...ids].toSorted();
  }

  #node(id: string, own: readonly Piece[]): NodeFacts {
    const enrolled = this.#enrolled.get(id);
    return {
      id,
      name: enrolled?.entry.name ?? id.slice(0, 8),
      enrolled,
      revoked: this.#revoked.get(id),
      chain: own.filter(({ kind }) => kind !== "kept"),
      kept: own.filter(({ kind }) => kind === "kept"),
    };
  }

  #openReceipt(piece: Piece): void {
    if (piece.receipt === undefined) return;
    try {
      const receipt = openReceipt(piece.receipt, publicKeyFromRaw(this.#data.serverKey));
      this.#receipts.set(piece, receipt);
    } catch (error) {
      this.#problem(piece, `its receipt is not the server's: ${textOf(error)}`);
    }
  }

  #read(piece: Piece, each: (entry: Entry, seq: number) => void): void {
    const { payload, header } = piece;
    if (payload === undefined || !this.#isSigned(piece)) return;
    let [minMs, maxMs] = [Infinity, 0];
    try {
      forEachEntry(decompressPayload(payload, header.rawBytes), header, (entry, seq) => {
        minMs = Math.min(minMs, entry.atMs);
        maxMs = Math.max(maxMs, entry.atMs);
        each(entry, seq);
      });
      const isWithin = minMs === header.firstAtMs && maxMs === header.lastAtMs;
      if (header.entryCount > 0 && !isWithin) {
        this.#problem(piece, "its entries have other times than its header says");
      }
    } catch (error) {
      this.#problem(piece, `its entries cannot be read: ${textOf(error)}`);
    }
  }

  #isSigned(piece: Piece): boolean {
    const { payload, header } = piece;
    if (payload === undefined) return true;
    if (hash("sha256", payload, "buffer").equals(header.payloadHash)) return true;
    this.#problem(piece, "its payload is not the one that was signed");
    return false;
  }

  #problem(piece: Piece, what: string): void {
    this.#problems.push(`${piece.nodeId}, ${pieceName(piece)}: ${what}`);
  }
}

interface GrowingHalf {
  readonly claim: HalfFacts["claim"];
  open: HalfFacts["open"];
  readonly later: HalfFacts["later"][number][];
}

/** A half without its other end, and the node is one of the two. */
function isLoneBetween({ claims }: Case, nodeId: string): boolean {
  const { absence, halves } = claims;
  return absence !== undefined && (nodeId === absence.node || nodeId === halves[0]?.node);
}

function isStatement(entry: Entry): entry is Facts["statements"][number]["entry"] {
  return !SERVER_KINDS.has(entry.kind);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
