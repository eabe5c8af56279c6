/**
 * What was concluded, and what of it the journal has already. A conclusion is an entry of the
 * server's own stream, behind the records that it follows from; so there are two times at which a
 * finding is met: when it is concluded, and when its entry is read. In between it is `unread`, which
 * the memory of the server's stream holds over a restart; afterwards it is a row.
 *
 * A server that derives again what the journal has been through concludes again what stands further on in it: what
 * stands there is not journaled a second time.
 *
 * Remembered is what stands open and may be concluded again, or resolved. What is resolved is as if it had
 * never been, until it is found again; what is about one entry of a chain is concluded with that entry alone.
 */
import {
  finding,
  findingId,
  type About,
  type FindingDraft,
  type ReconcileFinding,
} from "./findings.ts";
import type { StoredFinding } from "../node/server-memory.ts";
import { storedFinding } from "./stored-finding.ts";

function byId(a: FindingDraft, b: FindingDraft): number {
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}

/** About one entry by its number, which is applied once, and resolved by none. */
const ABOUT_ONE_ENTRY: ReadonlySet<string> = new Set<ReconcileFinding>([
  "lost-spool",
  "long-restart",
]);

type Ahead = StoredFinding & { readonly index: number };

export class Conclusions {
  /** What stands open. */
  readonly #known = new Map<string, StoredFinding>();
  /** Entries that stand further on in the journal, by finding, in their order. */
  readonly #ahead = new Map<string, readonly Ahead[]>();
  #drafts: FindingDraft[] = [];

  /** Concludes, unless it stands already. A higher revision of the same one is told again. */
  conclude(
    about: About,
    told: { state: "open" | "resolved"; revision: number },
  ): StoredFinding | undefined {
    const { state, revision } = told;
    const known = this.#known.get(findingId(about.kind, about.subject));
    if (known?.state === state && known.revision >= revision) return undefined;
    if (state === "resolved" && known === undefined) return undefined;
    const draft = finding(about, state);
    const stored = storedFinding(draft);
    if (!ABOUT_ONE_ENTRY.has(about.kind)) this.#know(stored);
    if (!this.#standsAhead(stored)) this.#drafts.push(draft);
    return stored;
  }

  /** Of an earlier run: concluded, and in the order in which it was. */
  restore(found: StoredFinding): void {
    this.#know(found);
  }

  /** An entry stands further on in the journal, at this index. */
  expect(found: StoredFinding, index: number): void {
    const entries = this.#ahead.get(found.id) ?? [];
    this.#ahead.set(found.id, [...entries, { ...found, index }]);
  }

  /** Of an earlier run as well: concluded, and its entry not read yet. */
  restoreUnread(found: StoredFinding): void {
    this.#know(found);
    this.#standsAhead(found);
  }

  /** The entries of a finding up to this index are ahead no more. */
  read(id: string, index: number): void {
    const entries = this.#ahead.get(id);
    if (entries !== undefined)
      this.#keep(
        id,
        entries.filter((one) => one.index > index),
      );
  }

  /** Conclusions that are remembered. */
  get knownCount(): number {
    return this.#known.size;
  }

  drain(): FindingDraft[] {
    const drafts = this.#drafts;
    this.#drafts = [];
    return drafts;
  }

  /** Those that were not drained yet. */
  get count(): number {
    return this.#drafts.length;
  }

  /** Gives those after the first `count` an order that does not depend on which came first. */
  sortAfter(count: number): void {
    this.#drafts.push(...this.#drafts.splice(count).toSorted(byId));
  }

  /**
   * Takes out what says the same, with all that stands before it. Where nothing does, what is ahead
   * is of another opinion, and everything is told from now on.
   */
  #standsAhead({ id, state, revision }: StoredFinding): boolean {
    const entries = this.#ahead.get(id);
    if (entries === undefined) return false;
    const isSame = (one: StoredFinding): boolean =>
      one.state === state && one.revision === revision;
    const at = entries.findIndex(isSame);
    let rest = at === -1 ? [] : entries.slice(at + 1);
    // Journaled twice by a server that died in between.
    while (rest[0] !== undefined && isSame(rest[0])) rest = rest.slice(1);
    this.#keep(id, rest);
    return at !== -1;
  }

  #know(found: StoredFinding): void {
    if (found.state === "open") this.#known.set(found.id, found);
    else this.#known.delete(found.id);
  }

  #keep(id: string, entries: readonly Ahead[]): void {
    if (entries.length === 0) this.#ahead.delete(id);
    else this.#ahead.set(id, entries);
  }
}
