import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FindingEntry, Ruling } from "../../format/entry.ts";
import { SeededRandom } from "../../std/seeded-random.ts";
import type { FindingRow } from "./entry-rows.ts";
import { isRuled, type Standing } from "../../format/finding-state.ts";
import { Rulings, type RulingStore } from "./rulings.ts";

const AT_MS = 1_800_000_000_000;
const KEY = { node: "aa", epoch: 1, seq: 5, openedMs: AT_MS };
const HALF = { ...KEY, node: { id: KEY.node } };

/** The store as far as findings go: the highest version stays. */
class FindingTable implements RulingStore {
  readonly rows = new Map<string, FindingRow>();
  asked = 0;

  put(row: FindingRow): void {
    const stands = this.rows.get(row.id);
    if (stands === undefined || stands.version <= row.version) this.rows.set(row.id, row);
  }

  findings(ids?: readonly string[]): Promise<FindingRow[]> {
    this.asked++;
    const rows = [...this.rows.values()];
    return Promise.resolve(
      rows.filter(({ id, standing }) => ids?.includes(id) ?? isRuled(standing)),
    );
  }

  rewrite(): Promise<void> {
    return Promise.resolve();
  }

  standings(): Record<string, Standing> {
    return Object.fromEntries([...this.rows].map(([id, { standing }]) => [id, standing]));
  }

  states(): Record<string, string> {
    return Object.fromEntries([...this.rows].map(([id, { standing }]) => [id, standing.state]));
  }
}

type Step =
  | readonly [id: string, said: "open" | "resolved" | Ruling, expiresAfterMs?: number]
  | readonly ["tick", afterMs: number];

function finding(id: string, state: "open" | "resolved", atMs: number): FindingEntry {
  return {
    kind: "finding",
    atMs,
    id,
    finding: "missing-half",
    severity: "high",
    state,
    node: "",
    connection: id,
    title: id,
    evidence: { recorded: { half: id, ...KEY } },
  };
}

/** The steps are entries of the server's stream from `seq` on; each is its own record. */
function tell(rulings: Rulings, steps: readonly Step[], seqFirst: number): void {
  for (const [at, step] of steps.entries()) {
    const place = { seq: seqFirst + at, index: seqFirst + at };
    const [id, said, expiresAfterMs] = step;
    if (typeof said === "number") rulings.tick(AT_MS + said, place);
    else if (said === "open" || said === "resolved") {
      rulings.finding(finding(id, said, AT_MS + place.seq), "", place);
    } else {
      const expiry = expiresAfterMs === undefined ? {} : { expiresAtMs: AT_MS + expiresAfterMs };
      const ruling = { kind: "ruling", atMs: AT_MS, finding: id, ruling: said } as const;
      rulings.ruling({ ...ruling, reason: "r", actor: "admin", ...expiry }, place);
    }
  }
}

async function range(
  rulings: Rulings,
  table: FindingTable,
  steps: readonly Step[],
  seqFirst: number,
): Promise<ReturnType<Rulings["takeRewrites"]>> {
  tell(rulings, steps, seqFirst);
  const rows: FindingRow[] = [];
  await rulings.write((row) => rows.push(row), table);
  for (const row of rows) table.put(row);
  return rulings.takeRewrites();
}

describe("rulings", () => {
  it("of nobody ask the store nothing", async () => {
    const table = new FindingTable();
    await range(
      new Rulings(),
      table,
      [
        ["a", "open"],
        ["b", "open"],
        ["a", "resolved"],
      ],
      0,
    );
    assert.equal(table.asked, 0);
    assert.deepEqual(table.states(), { a: "resolved", b: "open" });
  });

  it("write the finding anew and leave when it was found", async () => {
    const table = new FindingTable();
    const rulings = new Rulings();
    await range(rulings, table, [["a", "open"]], 0);
    const rewrites = await range(rulings, table, [["a", "excused"]], 10);
    const row = table.rows.get("a");
    assert.deepEqual([row?.atMs, row?.version, row?.index], [AT_MS, 10, 10]);
    assert.deepEqual(rewrites, [{ ...KEY, excused: { index: 10, seq: 10 } }]);
    assert.deepEqual(rulings.excused(HALF), { index: 10, seq: 10 });
    assert.equal(rulings.excused({ ...HALF, seq: 6 }), undefined);
  });

  it("about nothing that was found change nothing", async () => {
    const table = new FindingTable();
    const rulings = new Rulings();
    assert.deepEqual(await range(rulings, table, [["a", "excused"]], 0), []);
    assert.equal(table.rows.size, 0);
    await range(rulings, table, [["a", "open"]], 10);
    assert.deepEqual(table.states(), { a: "open" });
  });

  it("end at the tick of their end, and the connection is shown as before", async () => {
    const table = new FindingTable();
    const rulings = new Rulings();
    await range(
      rulings,
      table,
      [
        ["a", "open"],
        ["a", "excused", 100],
      ],
      0,
    );
    assert.deepEqual(await range(rulings, table, [["tick", 99]], 10), []);
    assert.deepEqual(await range(rulings, table, [["tick", 100]], 20), [
      { ...KEY, excused: undefined },
    ]);
    assert.deepEqual(table.states(), { a: "open" });
    assert.equal(table.rows.get("a")?.index, 20);
    assert.equal(rulings.excused(HALF), undefined);
  });

  it("acknowledged excuse no connection", async () => {
    const rulings = new Rulings();
    const steps: Step[] = [
      ["a", "open"],
      ["a", "acknowledged"],
    ];
    const rewrites = await range(rulings, new FindingTable(), steps, 0);
    assert.deepEqual(rewrites, [{ ...KEY, excused: undefined }]);
  });

  it("are known again after a restart", async () => {
    const table = new FindingTable();
    await range(
      new Rulings(),
      table,
      [
        ["a", "open"],
        ["a", "excused", 100],
      ],
      0,
    );
    const next = new Rulings();
    await next.restore(table);
    assert.deepEqual(next.excused(HALF), { index: 1, seq: 1 });
    await range(next, table, [["a", "open"]], 10);
    assert.deepEqual(table.states(), { a: "excused" });
    await range(next, table, [["tick", 200]], 20);
    assert.deepEqual(table.states(), { a: "open" });
  });

  it("keep their range when the store fails, to be tried again", async () => {
    const table = new FindingTable();
    const rulings = new Rulings();
    tell(
      rulings,
      [
        ["a", "open"],
        ["a", "excused"],
        ["b", "open"],
      ],
      0,
    );
    const dead: RulingStore = {
      findings: () => Promise.reject(new Error("away")),
      rewrite: () => Promise.resolve(),
    };
    const put = (row: FindingRow) => table.put(row);
    await assert.rejects(rulings.write(put, dead));
    assert.equal(table.rows.size, 0);
    await rulings.write(put, table);
    assert.deepEqual(table.states(), { a: "excused", b: "open" });
  });

  it("come out the same however the stream is cut, and when a range is done twice", async () => {
    const random = new SeededRandom(31);
    for (let round = 0; round < 200; round++) {
      const steps = randomSteps(random);
      const whole = new FindingTable();
      await range(new Rulings(), whole, steps, 0);
      const cut = new FindingTable();
      let rulings = new Rulings();
      for (let from = 0; from < steps.length;) {
        const to = from + random.integer(1, 6);
        const some = steps.slice(from, to);
        await range(rulings, cut, some, from);
        if (random.chance(0.3)) {
          // Killed after the findings were inserted, before the position was: the range comes again.
          rulings = new Rulings();
          await rulings.restore(cut);
          await range(rulings, cut, some, from);
        }
        from = to;
      }
      assert.deepEqual(cut.standings(), whole.standings(), JSON.stringify(steps));
    }
  });
});

function randomSteps(random: SeededRandom): Step[] {
  let nowMs = 0;
  return Array.from({ length: random.integer(1, 40) }, (): Step => {
    nowMs += random.integer(0, 20);
    if (random.chance(0.3)) return ["tick", nowMs];
    const id = random.pick(["a", "b", "c"]);
    const said = random.pick([
      "open",
      "open",
      "resolved",
      "excused",
      "acknowledged",
      "reopened",
    ] as const);
    const isEnding = said === "excused" || (said === "acknowledged" && random.chance());
    return isEnding ? [id, said, nowMs + random.integer(1, 60)] : [id, said];
  });
}
