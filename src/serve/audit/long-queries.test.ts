import assert from "node:assert/strict";
import { it } from "node:test";
import type { AuditEntry } from "../../format/entry.ts";
import { encodeLine } from "../../format/entry-line.ts";
import { LINE_BYTES_MAX } from "../../format/limits.ts";
import { QUERY_CHARS_MAX } from "../../query/limits.ts";
import { ManualClock } from "../../std/clock.ts";
import { normalQuery } from "./normal-query.ts";
import { ReadAudit } from "./read-audit.ts";

const who = {
  actor: { type: "user", id: "1", name: "ada" },
  address: "10.0.0.1",
  origin: "api",
} as const;
const said = { who, session: "s", action: "connections.read", isExport: false } as const;
const target = { type: "", id: "", name: "" };

async function entriesOf(queries: readonly string[]): Promise<AuditEntry[]> {
  const written: AuditEntry[] = [];
  const append = async (entries: readonly AuditEntry[]) => written.push(...entries);
  const reads = new ReadAudit({ clock: new ManualClock(), append });
  for (const query of queries) await reads.begin({ ...said, target, query }).recorded;
  await reads.close();
  return written;
}

const asked = (where: string) => normalQuery({ query: { where }, body: undefined });

const sql = (end: string) =>
  normalQuery({ query: {}, body: { sql: `${"€".repeat(65_000)}${end}` } });

it("folds reads of one query, and never two that differ at the end of a long one", async () => {
  const long = "a".repeat(QUERY_CHARS_MAX - 10);
  const queries = [`${long} -b`, `${long} OR b`, `${long} -b`].map(asked);
  const written = await entriesOf(queries);
  const begun = written.filter(({ action }) => action === "connections.read");
  assert.deepEqual(
    begun.map(({ facts }) => facts["query"]),
    [`where=${long} -b`, `where=${long} OR b`],
  );
  const sums = written.filter(({ action }) => action === "read.summary");
  assert.deepEqual(
    sums.map(({ facts }) => facts["requests"]),
    [2, 1],
  );
  assert.deepEqual(
    sums.map(({ group }) => group),
    begun.map(({ group }) => group),
  );
});

it("names what is left out of the longest query by its hash, in an entry that fits", async () => {
  assert.match(sql("a"), /€ … of 650\d\d characters, SHA-256 [0-9a-f]{64}$/);
  assert.notEqual(sql("a"), sql("b"));
  const [entry] = await entriesOf([sql("a")]);
  assert.ok(entry !== undefined);
  const line = encodeLine(entry, { seq: 0, previousAtMs: 0 });
  assert.ok(Buffer.byteLength(line) < LINE_BYTES_MAX, `${Buffer.byteLength(line)} bytes`);
});
