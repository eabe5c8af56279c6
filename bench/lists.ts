/**
 * Lists and histograms over many connections, one in a hundred of them judged again since, as the API
 * asks for them: the store's real schema, statements and settings, without HTTP.
 *
 *   node bench/lists.ts [CONNECTIONS]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClickHouseDeriveStore } from "../src/reconcile/derive/derive-store.ts";
import { CONNECTION_LISTING, connectionConditions } from "../src/serve/query/connection-list.ts";
import { readHistogram } from "../src/serve/query/histogram.ts";
import type { ListRequest } from "../src/serve/query/list-statement.ts";
import { readPage } from "../src/serve/query/read-page.ts";
import { storeReader, type StoreReader } from "../src/serve/query/store-reader.ts";
import { whereConditions } from "../src/serve/query/where.ts";
import { systemClock } from "../src/std/clock.ts";
import { openStore } from "../src/store/open-store.ts";

export interface ListFigure {
  readonly what: string;
  /** Median and slowest of `ROUNDS`. */
  readonly p50Ms: number;
  readonly maxMs: number;
}

const ROUNDS = 9;
/** The rows end now, and began a day ago. */
const SPAN_MS = 86_400_000;
const CHUNKS = 50;

interface Question {
  readonly what: string;
  readonly request?: Partial<ListRequest>;
  readonly filters?: Parameters<typeof connectionConditions>[0];
  readonly where?: string;
}

const QUESTIONS: readonly Question[] = [
  { what: "first page of all" },
  { what: "last hour", request: { since: "1h" } },
  { what: "verdict missing", filters: { verdict: ["missing"] } },
  { what: "one node", filters: { node: "node-7" } },
  { what: "one node, last hour", filters: { node: "node-7" }, request: { since: "1h" } },
  { what: "verdict:(missing OR differs)", where: "verdict:(missing OR differs)" },
  { what: "ip:10.7.0.7 bytes>=1MB", where: "ip:10.7.0.7 bytes>=1MB" },
  { what: "nothing fits", where: "ip:192.168.0.0/16" },
  { what: "responder_port:22 -initiator_node:*", where: "responder_port:22 -initiator_node:*" },
  { what: "a bare word", where: "node-77" },
];

const HISTOGRAMS: readonly Question[] = [
  { what: "all" },
  { what: "last hour", request: { since: "1h" } },
  { what: "verdict:missing", where: "verdict:missing" },
  { what: "node:node-7", where: "node:node-7" },
  { what: "a bare word", where: "node-77" },
  { what: "-port:443", where: "-port:443" },
];

export async function benchLists(connections = 10_000_000): Promise<ListFigure[]> {
  const dataDir = await mkdtemp(join(tmpdir(), "tallystick-lists-"));
  const store = await openStore({ dataDir, clock: systemClock() });
  try {
    await new ClickHouseDeriveStore(store.client).prepare();
    const nowMs = Date.now();
    for (let chunk = 0; chunk < CHUNKS; chunk++) {
      const query = insertion(connections / CHUNKS, nowMs, chunk);
      await store.client.command({ query });
    }
    // One in a hundred judged again: the same keys with a later version.
    await store.client.command({
      query: `INSERT INTO connection_rows SELECT * REPLACE (version + 1000000 AS version, 'matched' AS verdict)
        FROM connection_rows WHERE cityHash64(k_seq) % 100 = 0`,
    });
    const reader = storeReader(() => store.client);
    const figures: ListFigure[] = [];
    for (const question of QUESTIONS) {
      figures.push(await measured(question.what, () => listed(reader, question, nowMs)));
    }
    for (const { what, request = {}, where } of HISTOGRAMS) {
      const context = { nowMs, committed: 10_000_000 };
      const conditions = whereConditions(where, CONNECTION_LISTING.catalogue, nowMs);
      const asked = { partsMax: 120, ...request };
      const run = () => readHistogram(reader, asked, conditions, context);
      figures.push(await measured(`histogram, ${what}`, run));
    }
    return figures;
  } finally {
    await store.close();
    await rm(dataDir, { recursive: true });
  }
}

async function listed(
  reader: StoreReader,
  { request = {}, filters = {}, where }: Question,
  nowMs: number,
): Promise<number> {
  const context = { nowMs, committed: 10_000_000 };
  const asked = { limit: 100, ...request };
  const conditions = [
    ...connectionConditions(filters),
    ...whereConditions(where, CONNECTION_LISTING.catalogue, nowMs),
  ];
  const page = { listing: CONNECTION_LISTING, request: asked, conditions, context };
  return (await readPage(reader, page)).items.length;
}

async function measured(what: string, run: () => Promise<unknown>): Promise<ListFigure> {
  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const begun = performance.now();
    await run();
    took.push(Math.round(performance.now() - begun));
  }
  const sorted = took.toSorted((a, b) => a - b);
  return { what, p50Ms: sorted[Math.floor(ROUNDS / 2)] ?? 0, maxMs: sorted.at(-1) ?? 0 };
}

/** Rows as the comparison leaves them: most matched by both ends, some with one, all within the chunk's part of the day. */
function insertion(count: number, nowMs: number, chunk: number): string {
  const fromMs = nowMs - SPAN_MS + (chunk * SPAN_MS) / CHUNKS;
  const stepMs = SPAN_MS / CHUNKS / count;
  const seq = `(number + ${chunk * count})`;
  const a = `(cityHash64(${seq}) % 100)`;
  const b = `(cityHash64(${seq}, 1) % 100)`;
  const luck = `(cityHash64(${seq}, 2) % 10000)`;
  return `INSERT INTO connection_rows SELECT
    fromUnixTimestamp64Milli(toInt64(${fromMs} + number * ${stepMs}), 'UTC') AS k_opened,
    toFixedString(unhex(leftPad(toString(${a}), 32, '0')), 16) AS k_node,
    0 AS k_epoch, ${seq} AS k_seq, intDiv(${seq}, 100) AS version, 0 AS deleted, 1 AS settled, 0 AS parked,
    'default' AS network, 6 AS protocol,
    concat('10.', toString(${a}), '.0.', toString(${a})) AS initiator_ip,
    toUInt16(32768 + ${seq} % 28000) AS initiator_port,
    concat('10.', toString(${b}), '.0.', toString(${b})) AS responder_ip,
    [22, 53, 80, 443, 5432, 6379, 8080, 9092][1 + ${luck} % 8] AS responder_port,
    if(${luck} < 300, '', concat('node-', toString(${a}))) AS initiator_node,
    if(${luck} BETWEEN 300 AND 600, '', concat('node-', toString(${b}))) AS responder_node,
    multiIf(${luck} < 600, 'external', ${luck} < 605, 'missing', ${luck} < 610, 'differs', ${luck} < 800, 'excused', 'matched') AS verdict,
    if(verdict = 'excused', 'offline', '') AS excuse, 0 AS excuse_index, 0 AS excuse_seq, 'final' AS counters,
    0 AS a_role, 62 AS a_flags, 'SF' AS a_state, 0 AS a_clock, 0 AS a_proven, ${luck} AS a_duration,
    4 + ${luck} % 9 AS a_initiator_packets, 300 + ${luck} AS a_initiator_bytes,
    5 + ${luck} % 9 AS a_responder_packets, 4000 + ${luck} * ${luck} AS a_responder_bytes,
    0 AS a_initiator_payload, 0 AS a_responder_payload, version AS a_index,
    toFixedString(unhex(leftPad(toString(${b}), 32, '0')), 16) AS b_node, 0 AS b_epoch, ${seq} AS b_seq,
    if(verdict IN ('external', 'missing', 'excused'), 255, 1) AS b_role, 62 AS b_flags, 'SF' AS b_state,
    0 AS b_clock, 0 AS b_proven, ${luck} % 3 AS b_opened_after, 0 AS b_duration_more,
    0 AS b_initiator_packets_more, 0 AS b_initiator_bytes_more, 0 AS b_responder_packets_more,
    0 AS b_responder_bytes_more, 0 AS b_initiator_payload_more, 0 AS b_responder_payload_more,
    version AS b_index, '' AS x_initiator_ip, 0 AS x_initiator_port, '' AS x_responder_ip, 0 AS x_responder_port
    FROM numbers(${count})`;
}

if (import.meta.main) {
  const figures = await benchLists(Number(process.argv[2] ?? 10_000_000));
  for (const { what, p50Ms, maxMs } of figures) {
    process.stdout.write(`${what.padEnd(40)} ${String(p50Ms).padStart(6)} ms, at most ${maxMs}\n`);
  }
}
