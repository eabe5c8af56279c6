/**
 * Findings on their way into the store, with what people ruled about them. Most findings are never
 * ruled upon and pass through; for the others the row that stands in the store is asked for, and a
 * new version of it is written. An excused finding about a connection excuses the connection.
 *
 * Applying a range again after a crash changes nothing: entries that the stored row has seen already,
 * by its version, are passed over.
 */
import type { FindingEntry, RulingEntry } from "../../format/entry.ts";
import type { FindingRow } from "./entry-rows.ts";
import {
  afterFinding,
  afterRuling,
  afterTick,
  isRuled,
  type OwnPlace,
  type Standing,
} from "../../format/finding-state.ts";
import { halfKeyOf, type HalfKey } from "./half-key.ts";

/** The ruling by which a connection is excused. */
export type RulingPlace = OwnPlace;

/** A connection whose row is to show, or to show no more, that it was excused by hand. */
export interface Rewrite extends HalfKey {
  readonly excused: RulingPlace | undefined;
}

/** What rulings need of the store. Both may be tried again without harm. */
export interface RulingStore {
  /** Rows of these findings; all that are ruled upon when no ids are given. */
  findings(ids?: readonly string[]): Promise<FindingRow[]>;
  /** Writes the connection's row anew as of `version`, unless it shows that already. */
  rewrite(rewrite: Rewrite, version: number): Promise<void>;
}

/** A half as the comparison has it. */
interface Named {
  readonly node: { readonly id: string };
  readonly epoch: number;
  readonly seq: number;
}

type Put = (row: FindingRow) => void;
type Told = { readonly entry: FindingEntry; readonly nodeName: string } & OwnPlace;
type Ruled = { readonly entry: RulingEntry } & OwnPlace;

const START: OwnPlace & { readonly atMs: number } = { index: 0, seq: 0, atMs: 0 };

export class Rulings {
  /** Findings that are excused or acknowledged now. */
  readonly #standing = new Map<string, { standing: Standing; key: HalfKey | undefined }>();
  readonly #excused = new Map<string, RulingPlace>();
  /** This range's entries by finding. */
  readonly #range = new Map<string, (Told | Ruled)[]>();
  #hasRuling = false;
  #tick = START;
  #rewrites: Rewrite[] = [];

  async restore(store: RulingStore): Promise<void> {
    for (const row of await store.findings()) this.#remember(row);
    this.#refresh();
  }

  finding(entry: FindingEntry, nodeName: string, place: OwnPlace): void {
    this.#add(entry.id, { entry, nodeName, ...place });
  }

  ruling(entry: RulingEntry, place: OwnPlace): void {
    this.#hasRuling = true;
    this.#add(entry.finding, { entry, ...place });
  }

  tick(atMs: number, place: OwnPlace): void {
    if (atMs > this.#tick.atMs) this.#tick = { atMs, ...place };
  }

  /** Rows as they stood before this range are needed: whatever is being inserted must be there first. */
  get needsStore(): boolean {
    if (this.#hasRuling) return true;
    if (this.#standing.size === 0) return false;
    return this.#range.keys().some((id) => this.#standing.has(id)) || this.#expiring().length > 0;
  }

  /** Ends a range: gives its findings to `put`. With `needsStore`, the store is as of the range before. */
  async write(put: Put, store: RulingStore): Promise<void> {
    const asked = this.needsStore ? this.#concerned() : [];
    const stored = asked.length === 0 ? [] : await store.findings(asked);
    // From here on nothing waits: a failure above leaves the range as it was, to be tried again.
    if (asked.length > 0) this.#writeRuled(put, asked, stored);
    const done = new Set(asked);
    for (const [id, told] of this.#range) if (!done.has(id)) put(untold(told));
    this.#range.clear();
    this.#hasRuling = false;
  }

  /** The connections to be written anew once this range's rows are in the store. */
  takeRewrites(): Rewrite[] {
    const taken = this.#rewrites;
    this.#rewrites = [];
    return taken;
  }

  /** The ruling that excused the connection which this half names; undefined: none did. */
  excused(half: Named): RulingPlace | undefined {
    if (this.#excused.size === 0) return undefined;
    return this.#excused.get(textOf(half.node.id, half.epoch, half.seq));
  }

  #add(id: string, one: Told | Ruled): void {
    const list = this.#range.get(id);
    if (list === undefined) this.#range.set(id, [one]);
    else list.push(one);
  }

  #expiring(): string[] {
    const { atMs } = this.#tick;
    const standing = [...this.#standing];
    return standing.flatMap(([id, { standing: one }]) =>
      afterTick(one, atMs) === one ? [] : [id],
    );
  }

  #concerned(): string[] {
    const ids = new Set(this.#expiring());
    for (const [id, told] of this.#range) {
      if (this.#standing.has(id) || told.some(isRuling)) ids.add(id);
    }
    return [...ids];
  }

  #writeRuled(put: Put, asked: readonly string[], stored: readonly FindingRow[]): void {
    const before = new Map(stored.map((row) => [row.id, row]));
    const keys: HalfKey[] = [];
    for (const id of asked) {
      const row = this.#fold(id, before.get(id));
      if (row === undefined) continue;
      if (row !== before.get(id)) put(row);
      const key = this.#remember(row);
      if (key !== undefined) keys.push(key);
    }
    this.#refresh();
    for (const key of keys) {
      const excused = this.#excused.get(textOf(key.node, key.epoch, key.seq));
      this.#rewrites.push({ ...key, excused });
    }
  }

  /** The row after this range; undefined for a ruling about nothing. */
  #fold(id: string, before: FindingRow | undefined): FindingRow | undefined {
    let row = before;
    for (const one of this.#range.get(id) ?? []) {
      if (row !== undefined && one.seq <= row.version) continue;
      row = isRuling(one) ? ruledRow(row, one) : toldRow(row, one);
    }
    if (row === undefined) return undefined;
    const standing = afterTick(row.standing, this.#tick.atMs);
    if (standing === row.standing) return row;
    const { index, seq } = this.#tick;
    const isLater = seq > row.version;
    return { ...row, standing, ...(isLater ? { index, version: seq } : {}) };
  }

  #remember({ id, connection, evidence, standing }: FindingRow): HalfKey | undefined {
    const key = halfKeyOf(connection, evidence);
    if (isRuled(standing)) this.#standing.set(id, { standing, key });
    else this.#standing.delete(id);
    return key;
  }

  /** Made anew rather than kept: several findings may be about one connection. */
  #refresh(): void {
    this.#excused.clear();
    for (const { standing, key } of this.#standing.values()) {
      if (key === undefined || standing.state !== "excused") continue;
      this.#excused.set(textOf(key.node, key.epoch, key.seq), standing.ruling);
    }
  }
}

function isRuling(one: Told | Ruled): one is Ruled {
  return one.entry.kind === "ruling";
}

function ruledRow(before: FindingRow | undefined, ruled: Ruled): FindingRow | undefined {
  const standing = afterRuling(before?.standing, ruled.entry, ruled);
  if (before === undefined || standing === undefined || standing === before.standing) return before;
  return { ...before, standing, version: ruled.seq, index: ruled.index };
}

function toldRow(before: FindingRow | undefined, told: Told): FindingRow {
  const { entry, nodeName, index, seq } = told;
  return {
    id: entry.id,
    version: seq,
    index,
    atMs: entry.atMs,
    kind: entry.finding,
    severity: entry.severity,
    standing: afterFinding(before?.standing, entry),
    nodeName,
    node: entry.node,
    connection: entry.connection,
    title: entry.title,
    evidence: JSON.stringify(entry.evidence),
  };
}

/** Of a finding that nobody ruled upon: its last entry is its state. */
function untold(entries: readonly (Told | Ruled)[]): FindingRow {
  const last = entries.at(-1);
  if (last === undefined || isRuling(last)) throw new Error("a ruling passed for a finding");
  return toldRow(undefined, last);
}

function textOf(node: string, epoch: number, seq: number): string {
  return `${node} ${epoch} ${seq}`;
}
