/**
 * Collects what belongs to a finding: its own batch, the enrolments of the nodes that it names, every
 * batch that it refers to, the batches with the halves' entries, those of the end that has none, and
 * the headers that join them.
 */
import { decodeFrame, decodeHeader } from "../format/batch.ts";
import type { Entry, FindingEntry } from "../format/entry.ts";
import { decompressPayload, forEachEntry } from "../format/payload.ts";
import { PAIR_KINDS, witnessesOf } from "./cases.ts";
import { type Claims, claimsOf, type HalfClaim, namedNodes, namedPlaces } from "./claims.ts";
import { type EvidenceData, evidenceData } from "./data-part.ts";
import { amended, isAsClaimed, UNHEARD } from "./half-facts.ts";
import { HEADERS_PER_NODE_MAX, RULINGS_MAX, SEARCHED_BATCHES_MAX, WINDOW_MS } from "./limits.ts";
import { headOf, openPiece, type Piece } from "./piece.ts";
import { isSameTuple } from "./same-tuple.ts";
import { Selection } from "./selection.ts";
import type { EvidenceSource, FindingPlace, SourceBatch, SourceRecord } from "./source.ts";

/** How long a batch may have been on its way, or its node's clock be ahead, to be found around a time. */
const DELAY_MS = 3_600_000;
/** Counters come five minutes after an open, while it lives, or within four minutes of its end: for so long they are looked for. */
const COUNTED_WAIT_MS = 600_000;
/** Batches that a node's window may have: more are not even looked at. */
const WINDOW_BATCHES_MAX = 4_000;

/** Undefined when there is no such finding. `pause` is awaited between batches. */
export async function gatherEvidence(
  source: EvidenceSource,
  findingId: string,
  pause: () => Promise<void>,
): Promise<EvidenceData | undefined> {
  const place = await source.findingPlace(findingId);
  const record = place && (await findRecord(source, findingId, place));
  const finding = record && findingIn(record, findingId);
  if (place === undefined || record === undefined || finding === undefined) return undefined;
  const gathering = new Gathering(source, { finding, record, place }, pause);
  await gathering.choose();
  const pieces = await gathering.read();
  const { supportingIds } = gathering;
  return evidenceData({
    findingId,
    supportingIds,
    serverKey: Buffer.from(source.serverKey),
    pieces,
  });
}

/** The batch with the finding's newest entry. Where a person decided about it since, that stands last. */
async function findRecord(
  source: EvidenceSource,
  findingId: string,
  place: FindingPlace,
): Promise<SourceRecord | undefined> {
  const last = await source.record(place.index);
  if (last === undefined) return undefined;
  if (findingIn(last, findingId) !== undefined) return last;
  const own = await source.batches({
    nodeId: source.serverId,
    fromIndex: await source.firstIndexSince(place.concludedMs),
    toIndex: place.index,
    limitCount: OWN_BATCHES_SEARCHED,
  });
  let found: SourceRecord | undefined;
  for (const { index } of own) {
    const record = await source.record(index);
    if (record !== undefined && findingIn(record, findingId) !== undefined) found = record;
  }
  return found;
}

/** A finding's newest entry, the batch with it, and where the store says that it stands. */
interface Found {
  readonly finding: FindingEntry;
  readonly record: SourceRecord;
  readonly place: FindingPlace;
}

class Gathering {
  readonly #source: EvidenceSource;
  readonly #finding: FindingEntry;
  readonly #record: SourceRecord;
  readonly #place: FindingPlace;
  readonly #pause: () => Promise<void>;
  readonly #selection = new Selection();
  /** Of the finding, and of those that support it. */
  readonly #claims: Claims[];
  readonly supportingIds: string[] = [];
  /** Of the batches that the finding names. */
  #firstNamed: number | undefined;

  constructor(
    source: EvidenceSource,
    { finding, record, place }: Found,
    pause: () => Promise<void>,
  ) {
    this.#source = source;
    this.#finding = finding;
    this.#record = record;
    this.#place = place;
    this.#pause = pause;
    this.#claims = [claimsOf(finding.evidence)];
  }

  async choose(): Promise<void> {
    const { evidence, node } = this.#finding;
    this.#selection.add(this.#record.index);
    const nodes = new Set([...(node === "" ? [] : [node]), ...namedNodes(evidence)]);
    for (const nodeId of nodes) await this.#membership(nodeId);
    await this.#decisions();
    await this.#contradictions();
    for (const { halves } of this.#claims) for (const half of halves) await this.#half(half);
    for (const claims of this.#claims) await this.#absence(claims);
    for (const index of namedPlaces(evidence)) await this.#named(index);
    if (this.#claims.every(({ halves }) => halves.length === 0)) await this.#aboutNode(node);
    await this.#claimants();
  }

  /**
   * What people decided since the finding was last told. The ruling that holds may be older, for telling
   * a finding again does not end it; and the time that ended one is in the batch that changed it last.
   */
  async #decisions(): Promise<void> {
    const { ruledIndex, index: changedIndex } = this.#place;
    const { id, atMs } = this.#finding;
    const since = await this.#source.rulings(id, atMs, RULINGS_MAX);
    const standing = ruledIndex === 0 ? [] : [ruledIndex];
    for (const index of [...standing, changedIndex, ...since]) {
      this.#addWhole(await this.#source.record(index));
    }
  }

  /** Of an accusation: a finding on the accused and each witness. */
  async #contradictions(): Promise<void> {
    const { node } = this.#finding;
    for (const witness of witnessesOf(this.#finding)) {
      const found = await this.#source.contradiction([...PAIR_KINDS], node, witness);
      const record = found && (await this.#source.record(found.index));
      const entry = record && findingIn(record, found.id);
      if (entry === undefined || this.supportingIds.includes(entry.id)) continue;
      this.#addWhole(record);
      this.supportingIds.push(entry.id);
      this.#claims.push(claimsOf(entry.evidence));
    }
  }

  async read(): Promise<Piece[]> {
    const pieces = new Map<string, Piece>();
    for (const { index, isWhole } of this.#selection.indexes()) {
      const record = await this.#source.record(index);
      const piece = record && this.#piece(record, isWhole);
      // What was refused may have been sent again, and kept again: once with the payload says it all.
      const isNew = piece !== undefined && pieces.get(piece.hash)?.payload === undefined;
      if (isNew) pieces.set(piece.hash, piece);
      await this.#pause();
    }
    return [...pieces.values()];
  }

  #piece(record: SourceRecord, isWhole: boolean): Piece {
    const frame = Buffer.from(record.frame);
    if (record.type === "evidence") return openPiece("kept", frame);
    if (!isWhole) return openPiece("header", headOf(frame));
    const piece = openPiece("batch", frame);
    if (piece.nodeId === this.#source.serverId) return piece;
    return openPiece("batch", frame, this.#source.receipt(piece.header, record));
  }

  /** The server's entries that made the node known, and that revoked it. */
  async #membership(nodeId: string): Promise<void> {
    const member = this.#source.membership(nodeId);
    if (member === undefined) return;
    await this.#serverEntry("enrolled", nodeId, member.enrolledMs);
    if (member.revokedMs !== undefined)
      await this.#serverEntry("revoked", nodeId, member.revokedMs);
  }

  async #serverEntry(kind: "enrolled" | "revoked", about: string, atMs: number): Promise<void> {
    const nodeId = this.#source.serverId;
    const then = { fromMs: atMs, toMs: atMs, limitCount: WINDOW_BATCHES_MAX };
    for (const index of await this.#source.statements({ nodeId, kind, ...then })) {
      const found = await this.#find(index, (entry) => entry.kind === kind && entry.node === about);
      if (found) return this.#addWhole(await this.#source.record(index));
    }
  }

  #addWhole(record: SourceRecord | undefined): void {
    if (record === undefined) return;
    const { payloadBytes, rawBytes } = decodeHeader(record.frame);
    this.#selection.addWhole({ index: record.index, payloadBytes, rawBytes });
  }

  /** The batch with its open, those with its later entries as far as the finding knew them, and the headers between. */
  async #half(claim: HalfClaim): Promise<void> {
    const fromIndex = claim.members["journalIndex"];
    if (typeof fromIndex !== "number") return;
    const toIndex = this.#record.index;
    const nodeId = claim.node;
    const range = { nodeId, fromIndex, toIndex, limitCount: SEARCHED_BATCHES_MAX };
    const early = await this.#source.batches(range);
    const last = await this.#search(claim, [...early, ...(await this.#lateBatches(claim, early))]);
    if (last === undefined) return;
    const counted = claim.counters === null ? await this.#counted(claim, last) : undefined;
    await this.#joined(nodeId, fromIndex, counted ?? last);
  }

  /** Selects what the half said after the finding knew of it, up to its first counters; where it stopped. */
  async #counted(claim: HalfClaim, knownIndex: number): Promise<number | undefined> {
    const batches = await this.#source.batches({
      nodeId: claim.node,
      fromIndex: knownIndex + 1,
      toIndex: await this.#source.firstIndexSince(this.#record.receivedMs + COUNTED_WAIT_MS),
      limitCount: SEARCHED_BATCHES_MAX,
    });
    let last: number | undefined;
    for (const batch of batches) {
      if (batch.epoch !== claim.epoch) continue;
      let isCounted = false;
      const found = await this.#find(batch.index, (entry) => {
        if (!("openSeq" in entry) || entry.openSeq !== claim.seq) return false;
        isCounted ||= entry.counters !== undefined;
        return true;
      });
      if (!found) continue;
      if (!this.#selection.addWhole(batch)) return last;
      last = batch.index;
      if (isCounted) return last;
    }
    return last;
  }

  /** The headers between two places of the journal; of too many those at both ends. */
  async #joined(nodeId: string, fromIndex: number, toIndex: number): Promise<void> {
    const query = { nodeId, fromIndex, toIndex, limitCount: HEADERS_PER_NODE_MAX / 2 };
    this.#selection.addHeaders(await this.#source.batches(query));
    this.#selection.addHeaders(await this.#source.batches({ ...query, fromEnd: true }));
  }

  /** Of a half that lived for long: the batches in which its end must be. */
  async #lateBatches(claim: HalfClaim, early: readonly SourceBatch[]): Promise<SourceBatch[]> {
    const lastEarly = early.at(-1);
    if (early.length < SEARCHED_BATCHES_MAX || lastEarly === undefined) return [];
    const endedMs = claim.openedMs + (claim.durationMs ?? 0);
    const late = await this.#source.batches({
      nodeId: claim.node,
      fromIndex: lastEarly.index + 1,
      toIndex: this.#record.index,
      limitCount: SEARCHED_BATCHES_MAX,
      ...(claim.durationMs === null ? { fromEnd: true } : { closedFromMs: endedMs }),
    });
    return [...late];
  }

  /** Selects the batches with the half's entries until they say what the finding says; where it stopped. */
  async #search(claim: HalfClaim, batches: readonly SourceBatch[]): Promise<number | undefined> {
    let known = UNHEARD;
    let isOpen = false;
    let last: number | undefined;
    for (const batch of batches) {
      if (batch.epoch !== claim.epoch) continue;
      const found = await this.#find(batch.index, (entry, seq) => {
        if (entry.kind === "open") return seq === claim.seq;
        if (!("openSeq" in entry) || entry.openSeq !== claim.seq) return false;
        known = amended(known, entry);
        return true;
      });
      if (found) {
        isOpen = true;
        last = batch.index;
        this.#selection.addWhole(batch);
      }
      if (isOpen && isAsClaimed(known, claim)) return last;
    }
    return last;
  }

  /** The batches of the end that has no half, around the time at which it should. */
  async #absence({ absence, halves }: Claims): Promise<void> {
    const [half] = halves;
    if (absence === undefined || half === undefined) return;
    const window = await this.#window(absence.node, half, WINDOW_MS);
    if (window?.hasTuple === true) await this.#window(half.node, half, 2 * WINDOW_MS);
    if (window === undefined) return;
    const claimed = await this.#source.batches({
      nodeId: absence.node,
      fromIndex: window.firstIndex,
      closedFromMs: absence.completeToMs,
      limitCount: CLAIM_BATCHES,
    });
    const last = claimed.find(({ completeToMs }) => completeToMs === absence.completeToMs);
    if (last !== undefined) await this.#joined(absence.node, window.firstIndex, last.index);
  }

  /** Whole batches from before `half` to past it, and whether one holds the same addresses and ports. */
  async #window(
    nodeId: string,
    half: HalfClaim,
    eachWayMs: number,
  ): Promise<{ firstIndex: number; hasTuple: boolean } | undefined> {
    const { openedMs } = half;
    const fromIndex = await this.#source.firstIndexSince(openedMs - eachWayMs - DELAY_MS);
    const closedFromMs = openedMs - eachWayMs;
    const batches = await this.#source.batches({
      nodeId,
      fromIndex,
      closedFromMs,
      limitCount: WINDOW_BATCHES_MAX,
    });
    const past = batches.findIndex(({ completeToMs }) => completeToMs > openedMs + eachWayMs);
    const needed = past < 0 ? batches : batches.slice(0, past + 1);
    const [first] = needed;
    if (first === undefined) return undefined;
    // The batch before shows that what it holds is older.
    const before = { nodeId, toIndex: first.index - 1, fromEnd: true, limitCount: 1 };
    this.#selection.addHeaders(await this.#source.batches(before));
    return { firstIndex: first.index, hasTuple: await this.#chooseAround(needed, half) };
  }

  /** The nearest to the time first: they are the ones to have when there is no room for all. */
  async #chooseAround(batches: readonly SourceBatch[], half: HalfClaim): Promise<boolean> {
    const apart = ({ closedMs }: SourceBatch): number => Math.abs(closedMs - half.openedMs);
    let found = false;
    for (const batch of batches.toSorted((a, b) => apart(a) - apart(b))) {
      if (!this.#selection.addWhole(batch)) continue;
      found ||= await this.#find(
        batch.index,
        (entry) => entry.kind === "open" && isSameTuple(entry, half.tuple),
      );
    }
    return found;
  }

  /** A batch that the finding names, and the header of the one before it. */
  async #named(index: number): Promise<void> {
    const record = await this.#source.record(index);
    if (record === undefined) return;
    if (record.type === "evidence") return this.#selection.add(index);
    this.#addWhole(record);
    const nodeId = Buffer.from(decodeHeader(record.frame).nodeId).toString("hex");
    this.#firstNamed = Math.min(this.#firstNamed ?? index, index);
    const before = {
      nodeId,
      toIndex: index - 1,
      fromEnd: true,
      limitCount: 1,
    };
    this.#selection.addHeaders(await this.#source.batches(before));
  }

  /** A finding about a node alone: its last batches before that, joined with those that the finding names. */
  async #aboutNode(nodeId: string): Promise<void> {
    if (nodeId === "") return;
    const toIndex = this.#record.index;
    const query = { nodeId, toIndex, fromEnd: true, limitCount: LAST_BATCHES };
    for (const batch of await this.#source.batches(query)) this.#selection.addWhole(batch);
    await this.#optOut(nodeId);
    const fromIndex = this.#firstNamed;
    if (fromIndex === undefined) return;
    if (this.#finding.finding === "undeclared-hole") {
      // Each might have declared it.
      const range = { nodeId, fromIndex, toIndex, limitCount: SEARCHED_BATCHES_MAX };
      for (const batch of await this.#source.batches(range)) this.#selection.addWhole(batch);
    }
    await this.#joined(nodeId, fromIndex, toIndex);
  }

  async #optOut(nodeId: string): Promise<void> {
    const { atMs } = this.#finding.evidence;
    if (typeof atMs !== "number") return;
    const then = { fromMs: atMs, toMs: atMs, limitCount: 1 };
    for (const index of await this.#source.statements({ nodeId, kind: "opt_out", ...then })) {
      await this.#named(index);
    }
  }

  /** Of an address that several nodes claim: the newest claim of each. */
  async #claimants(): Promise<void> {
    const { nodes, address } = this.#finding.evidence;
    if (!Array.isArray(nodes) || typeof address !== "string") return;
    const until = { fromMs: 0, toMs: this.#finding.atMs, limitCount: CLAIMS_SEARCHED_MAX };
    for (const nodeId of nodes.map(String)) {
      const indexes = await this.#source.statements({ nodeId, kind: "addresses", ...until });
      for (const index of indexes) {
        const claims = (entry: Entry): boolean =>
          entry.kind === "addresses" && Object.values(entry.networks).flat().includes(address);
        if (!(await this.#find(index, claims))) continue;
        await this.#named(index);
        break;
      }
    }
  }

  /** Looks at every entry of a batch; true when one of them is looked for. */
  async #find(index: number, matches: (entry: Entry, seq: number) => boolean): Promise<boolean> {
    const record = await this.#source.record(index);
    await this.#pause();
    return record !== undefined && anyEntry(record, matches);
  }
}

/** A fence's time is in a batch that closes soon after: so many are looked at for one claim. */
const CLAIM_BATCHES = 100;
/** The server's own batches from the time of a finding on, in one of which it is; it waits where the journal is full. */
const OWN_BATCHES_SEARCHED = 200;
/** A node's last batches before a finding about it. */
const LAST_BATCHES = 3;
/** Statements of addresses that are looked through for one address. */
const CLAIMS_SEARCHED_MAX = 20;

function anyEntry(
  { frame }: SourceRecord,
  matches: (entry: Entry, seq: number) => boolean,
): boolean {
  const { header, payload } = decodeFrame(frame);
  let found = false;
  forEachEntry(decompressPayload(payload, header.rawBytes), header, (entry, seq) => {
    if (matches(entry, seq)) found = true;
  });
  return found;
}

/** The newest of its entries in the batch. */
function findingIn(record: SourceRecord, id: string): FindingEntry | undefined {
  let finding: FindingEntry | undefined;
  anyEntry(record, (entry) => {
    if (entry.kind === "finding" && entry.id === id) finding = entry;
    return false;
  });
  return finding;
}
