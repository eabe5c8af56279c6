/** What an export asks of a server, answered from what a test has signed. */
import { chainHash, decodeHeader, encodeHeader } from "../../src/format/batch.ts";
import type { Entry } from "../../src/format/entry.ts";
import { decompressPayload, forEachEntry } from "../../src/format/payload.ts";
import { signReceipt } from "../../src/format/receipt.ts";
import type { Piece } from "../../src/evidence/piece.ts";
import type {
  EvidenceSource,
  FindingPlace,
  SourceBatch,
  SourceRecord,
} from "../../src/evidence/source.ts";
import { FINDING_ID, type SimEvidence } from "./sim-evidence.ts";

/** A server's store and journal, made of what was signed: every batch was received when it was closed. */
export class SimSource implements EvidenceSource {
  readonly serverKey: Uint8Array;
  readonly serverId: string;
  /** Records that were read, and how often. */
  reads = 0;
  readonly #sim: SimEvidence;
  readonly #pieces: readonly Piece[];

  constructor(sim: SimEvidence) {
    this.#sim = sim;
    this.#pieces = sim.pieces;
    this.serverKey = sim.server.publicKey;
    this.serverId = sim.server.id;
  }

  async findingPlace(id: string): Promise<FindingPlace | undefined> {
    if (id !== FINDING_ID) return undefined;
    const own = this.#serverEntries().filter(
      ({ entry }) =>
        entry.kind === "tick" ||
        (entry.kind === "finding" && entry.id === id) ||
        (entry.kind === "ruling" && entry.finding === id),
    );
    const concluded = own.findLast(({ entry }) => entry.kind === "finding");
    const ruled = own.findLast(({ entry }) => entry.kind === "ruling");
    return {
      index: own.at(-1)?.index ?? 0,
      concludedMs: concluded?.entry.atMs ?? 0,
      ruledIndex: ruled?.index ?? 0,
    };
  }

  async rulings(id: string, sinceMs: number): Promise<number[]> {
    return this.#serverEntries().flatMap(({ entry, index }) =>
      entry.kind === "ruling" && entry.finding === id && entry.atMs >= sinceMs ? [index] : [],
    );
  }

  async contradiction(
    kinds: readonly string[],
    ...nodes: readonly string[]
  ): Promise<{ id: string; index: number } | undefined> {
    const found = this.#serverEntries().flatMap(({ entry, index }) => {
      if (entry.kind !== "finding" || !kinds.includes(entry.finding)) return [];
      const text = JSON.stringify(entry.evidence);
      return nodes.every((id) => text.includes(id)) ? [{ id: entry.id, index }] : [];
    });
    return found[0];
  }

  #serverEntries(): { entry: Entry; index: number }[] {
    const all: { entry: Entry; index: number }[] = [];
    for (const [index, { nodeId, payload, header }] of this.#pieces.entries()) {
      if (nodeId !== this.serverId || payload === undefined) continue;
      const raw = decompressPayload(payload, header.rawBytes);
      forEachEntry(raw, header, (entry) => all.push({ entry, index }));
    }
    return all;
  }

  async record(index: number): Promise<SourceRecord | undefined> {
    this.reads++;
    const piece = this.#pieces[index];
    if (piece === undefined) return undefined;
    const type = piece.kind === "kept" ? "evidence" : "batch";
    return { index, receivedMs: piece.header.closedAtMs, type, frame: piece.frame };
  }

  async batches(query: Parameters<EvidenceSource["batches"]>[0]): Promise<SourceBatch[]> {
    const { nodeId, fromIndex = 0, toIndex = Infinity, closedFromMs = 0, limitCount } = query;
    const all = this.#pieces.flatMap(({ header, nodeId: owner }, index): SourceBatch[] => {
      const isAccepted = owner === nodeId && this.#pieces[index]?.kind !== "kept";
      const fits = isAccepted && index >= fromIndex && index <= toIndex;
      if (!fits || header.closedAtMs < closedFromMs) return [];
      const { epoch, batchNo, payloadBytes, rawBytes } = header;
      const times = { closedMs: header.closedAtMs, completeToMs: header.completeToMs };
      return [{ index, epoch, batchNo, ...times, payloadBytes, rawBytes }];
    });
    return query.fromEnd === true ? all.slice(-limitCount) : all.slice(0, limitCount);
  }

  async statements(query: Parameters<EvidenceSource["statements"]>[0]): Promise<number[]> {
    const { nodeId, kind, fromMs, toMs, limitCount } = query;
    const found: number[] = [];
    for (const [index, piece] of this.#pieces.entries()) {
      if (piece.nodeId !== nodeId || piece.payload === undefined) continue;
      const raw = decompressPayload(piece.payload, piece.header.rawBytes);
      forEachEntry(raw, piece.header, (entry) => {
        if (entry.kind === kind && entry.atMs >= fromMs && entry.atMs <= toMs) found.unshift(index);
      });
    }
    return found.slice(0, limitCount);
  }

  async firstIndexSince(receivedMs: number): Promise<number> {
    const index = this.#pieces.findIndex(({ header }) => header.closedAtMs >= receivedMs);
    return index < 0 ? this.#pieces.length : index;
  }

  membership(nodeId: string): { enrolledMs: number } | undefined {
    const enrolled = this.#serverEntries().find(
      ({ entry }) => entry.kind === "enrolled" && entry.node === nodeId,
    );
    return enrolled && { enrolledMs: enrolled.entry.atMs };
  }

  receipt(header: Piece["header"], { index, receivedMs }: SourceRecord): Buffer {
    const { nodeId, epoch, batchNo } = header;
    const head = chainHash(encodeHeader(decodeHeader(encodeHeader(header))));
    return signReceipt({ nodeId, epoch, batchNo, head, index, receivedMs }, this.#sim.server.key);
  }
}
