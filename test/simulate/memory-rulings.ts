/** What rulings need of the store, over the one in memory: what `ClickHouseRulingStore` does with the engine. */
import type { FindingRow } from "../../src/reconcile/row/entry-rows.ts";
import { type FindingState, isRuled } from "../../src/format/finding-state.ts";
import type { Rewrite, RulingStore } from "../../src/reconcile/row/rulings.ts";
import { VERDICTS } from "../../src/format/verdict.ts";
import { BY_HAND, NO_HALF } from "../../src/store/schema.ts";
import type { MemoryStore } from "./memory-store.ts";
import type { NativeRow } from "./native-rows.ts";

const NUMBER_OF = Object.fromEntries(VERDICTS.map((verdict, number) => [verdict, number]));
const CONTRADICTS = new Set([NUMBER_OF["missing"], NUMBER_OF["differs"]]);

export class MemoryRulings implements RulingStore {
  readonly #store: MemoryStore;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  findings(ids?: readonly string[]): Promise<FindingRow[]> {
    const rows = this.#store.rows("finding_rows").map(rowOf);
    return Promise.resolve(
      rows.filter(({ id, standing }) => ids?.includes(id) ?? isRuled(standing)),
    );
  }

  rewrite({ excused, openedMs, node, epoch, seq }: Rewrite, version: number): Promise<void> {
    const key = [openedMs, node, epoch, seq].join(" ");
    this.#store.replace("connection_rows", key, (row) => {
      if (excused === undefined) {
        if (row["excuse"] !== BY_HAND) return undefined;
        const verdict = NUMBER_OF[row["b_role"] === NO_HALF ? "missing" : "differs"] ?? 0;
        return { ...row, verdict, excuse: "", excuse_index: 0, excuse_seq: 0, version };
      }
      if (!CONTRADICTS.has(Number(row["verdict"]))) return undefined;
      const { index: excuse_index, seq: excuse_seq } = excused;
      const verdict = NUMBER_OF["excused"] ?? 0;
      return { ...row, verdict, excuse: BY_HAND, excuse_index, excuse_seq, version };
    });
    return Promise.resolve();
  }
}

function rowOf(row: NativeRow): FindingRow {
  const text = (name: string) => String(row[name]);
  const number = (name: string) => Number(row[name]);
  return {
    id: text("id"),
    version: number("version"),
    index: number("journal_index"),
    atMs: number("time"),
    kind: text("kind"),
    severity: text("severity"),
    standing: {
      state: text("state") as FindingState,
      reason: text("reason"),
      actor: text("ruled_by"),
      expiresAtMs: number("ruled_until"),
      ruling: { index: number("ruled_index"), seq: number("ruled_seq") },
    },
    nodeName: text("node"),
    node: text("node_id"),
    connection: text("connection_id"),
    title: text("title"),
    evidence: text("evidence"),
  };
}
