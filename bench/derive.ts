/**
 * Acknowledged → searchable: how fast the journal becomes rows and verdicts, beside what the bare
 * engine inserts from the same NDJSON lines into a plain table.
 *
 *   node bench/derive.ts [CONNECTIONS]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Readable } from "node:stream";
import type { ClickHouseClient } from "@clickhouse/client";
import { decodeFrame } from "../src/format/batch.ts";
import { decompressPayload } from "../src/format/payload.ts";
import { ClickHouseDeriveStore } from "../src/reconcile/derive/derive-store.ts";
import { Derive } from "../src/reconcile/derive/derive.ts";
import { intentFile } from "../src/reconcile/derive/intent-file.ts";
import { ClickHouseRulingStore } from "../src/reconcile/row/ruling-store.ts";
import { systemClock } from "../src/std/clock.ts";
import { openStore } from "../src/store/open-store.ts";
import { SimJournal } from "../test/simulate/sim-journal.ts";
import { busyMesh } from "../test/simulate/busy-mesh.ts";

export interface DeriveFigures {
  readonly entries: number;
  readonly connections: number;
  readonly searchableEntriesPerS: number;
  readonly bareEngineEntriesPerS: number;
  /** searchable ÷ bare. */
  readonly ratio: number;
  /** Of this thread alone: decode, rows, comparison. */
  readonly deriveCpuUsPerEntry: number;
  readonly journalBytesPerHalf: number;
  readonly storeBytesPerHalf: number;
  readonly verdicts: Readonly<Record<string, number>>;
}

export async function benchDerive(connections = 400_000): Promise<DeriveFigures> {
  const directory = await mkdtemp(join(tmpdir(), "tallystick-bench-"));
  const clock = systemClock();
  const journal = new SimJournal();
  const { server } = busyMesh({
    connections,
    nodes: 8,
    deliver: (frame, atMs) => journal.append(frame, atMs),
  });
  const entries = journal.records.reduce(
    (sum, one) => sum + decodeFrame(one.frame).header.entryCount,
    0,
  );
  const bytes = journal.records.reduce((sum, one) => sum + one.frame.length, 0);
  const store = await openStore({ clock, dataDir: join(directory, "store") });
  try {
    const bareS = await insertBare(store.connect("default"), journal);
    const intent = intentFile(join(directory, "intent"));
    const derive = await Derive.open({
      journal,
      store: new ClickHouseDeriveStore(store.client),
      rulings: new ClickHouseRulingStore(store.client),
      intent,
      serverId: server.id,
      clock,
      journalFindings: () => Promise.resolve(),
      log: (line) => console.error(line),
    });
    const begunMs = performance.now();
    const cpu = process.cpuUsage();
    const run = derive.run();
    while (derive.committed < journal.end) await pause(5);
    const tookS = (performance.now() - begunMs) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    derive.stop();
    await run;
    const searchableEntriesPerS = entries / tookS;
    const bareEngineEntriesPerS = entries / bareS;
    return {
      entries,
      connections,
      searchableEntriesPerS,
      bareEngineEntriesPerS,
      ratio: searchableEntriesPerS / bareEngineEntriesPerS,
      deriveCpuUsPerEntry: (user + system) / entries,
      journalBytesPerHalf: bytes / connections / 2,
      storeBytesPerHalf: (await storeBytes(store.client)) / connections / 2,
      verdicts: await verdicts(store.client),
    };
  } finally {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Seconds that the engine takes for the lines themselves: one column per value, no index but time. */
async function insertBare(client: ClickHouseClient, journal: SimJournal): Promise<number> {
  const columns = Array.from({ length: 9 }, (_, index) => `v${index} String`).join(", ");
  await client.command({
    query: `CREATE TABLE bare (kind LowCardinality(String), t Int64, ${columns}) ENGINE = MergeTree ORDER BY t`,
  });
  const begunMs = performance.now();
  for (let at = 0; at < journal.records.length; at += 64) {
    const texts = journal.records.slice(at, at + 64).map((record) => {
      const batch = decodeFrame(record.frame);
      return batch.header.entryCount === 0
        ? Buffer.alloc(0)
        : decompressPayload(batch.payload, batch.header.rawBytes);
    });
    const result = await client.exec({
      query: "INSERT INTO bare FORMAT JSONCompactEachRow",
      values: Readable.from([Buffer.concat(texts)], { objectMode: false }),
      clickhouse_settings: {
        input_format_json_compact_allow_variable_number_of_columns: 1,
        input_format_json_read_numbers_as_strings: 1,
        input_format_json_read_objects_as_strings: 1,
        insert_deduplicate: 0,
      } as Record<string, number>,
    });
    result.stream.destroy();
  }
  const tookS = (performance.now() - begunMs) / 1000;
  await client.command({ query: "DROP TABLE bare SYNC" });
  return tookS;
}

async function storeBytes(client: ClickHouseClient): Promise<number> {
  await client.command({ query: "OPTIMIZE TABLE connection_rows FINAL" });
  const result = await client.query({
    query:
      "SELECT toUInt32(sum(bytes_on_disk)) AS bytes FROM system.parts WHERE active AND database = currentDatabase()",
    format: "JSONEachRow",
  });
  return (await result.json<{ bytes: number }>())[0]?.bytes ?? 0;
}

async function verdicts(client: ClickHouseClient): Promise<Record<string, number>> {
  const result = await client.query({
    query:
      "SELECT concat(toString(verdict), ' ', toString(counters)) AS verdict, toUInt32(count()) AS n FROM connections GROUP BY verdict",
    format: "JSONEachRow",
  });
  const rows = await result.json<{ verdict: string; n: number }>();
  return Object.fromEntries(rows.map((row) => [row.verdict, row.n]));
}

if (import.meta.main) console.log(await benchDerive(Number(process.argv[2] ?? 400_000)));
