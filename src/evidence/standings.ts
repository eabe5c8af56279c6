/**
 * How the findings in a file stand by the entries in it: concluded, ruled upon, ended by the time that
 * passed, resolved. The rule is the server's own. What the server wrote later, or what was left out,
 * nobody sees from here.
 */
import type { Entry, FindingEntry } from "../format/entry.ts";
import { afterFinding, afterRuling, afterTick, type Standing } from "../format/finding-state.ts";
import type { Placed } from "./half-facts.ts";

export interface Stood {
  /** The newest entry of the finding itself. */
  readonly finding: Placed<FindingEntry> | undefined;
  readonly standing: Standing;
  /** The entry that was the last to change how it stands. */
  readonly last: Placed<Entry>;
}

export class Standings {
  readonly #byId = new Map<string, Stood>();

  /** The server's entries in the order of its stream. */
  take(placed: Placed<Entry>): void {
    const { entry, seq, piece } = placed;
    if (entry.kind === "finding") {
      const before = this.of(entry.id);
      const standing = afterFinding(before?.standing, entry);
      const last = standing === before?.standing ? before.last : placed;
      this.#byId.set(entry.id, { finding: { entry, seq, piece }, standing, last });
    } else if (entry.kind === "ruling") {
      // Nobody rules upon what was not found: that it was may stand in a batch that is not here.
      const before = this.of(entry.finding) ?? { finding: undefined, standing: FOUND };
      const standing = afterRuling(before.standing, entry, { index: UNKNOWN_INDEX, seq });
      if (standing === undefined || standing === before.standing) return;
      this.#byId.set(entry.finding, { finding: before.finding, standing, last: placed });
    } else if (entry.kind === "tick") {
      for (const [id, before] of this.#byId) {
        const standing = afterTick(before.standing, entry.atMs);
        if (standing !== before.standing) this.#byId.set(id, { ...before, standing, last: placed });
      }
    }
  }

  of(id: string): Stood | undefined {
    return this.#byId.get(id);
  }
}

const FOUND = afterFinding(undefined, { state: "open" });
/** The server gives its own batches no receipts, so a file does not tell where in the journal they are. */
const UNKNOWN_INDEX = 0;
