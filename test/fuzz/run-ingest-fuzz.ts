/**
 * One whole run: a server process of its own, the cases, and afterwards an audit of its journal.
 * `node test/fuzz/run-ingest-fuzz.ts [cases] [seed]` prints the report and exits 1 on a failure.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { auditJournal } from "../ingest/journal-audit.ts";
import { testNode } from "../ingest/server-process.ts";
import { IngestProcess } from "../ingest/spawn-server.ts";
import { type FuzzReport, fuzzIngest } from "./ingest-fuzz.ts";

const LANES = 16;
/** What a flat memory may still move: the collector's own slack. */
const RSS_GROWTH_MAX = 1.2;
const RSS_SLACK_BYTES = 32 * 1024 * 1024;

export async function runIngestFuzz(
  cases: number,
  seed: number,
  progress: (done: number) => void = () => undefined,
): Promise<FuzzReport> {
  const directory = await mkdtemp(join(tmpdir(), "ingest-fuzz-"));
  const nodes = Array.from({ length: LANES }, (_, number) => testNode(number));
  const server = await IngestProcess.start(directory, LANES);
  const rssBytes = async (): Promise<number> => (await server.health()).rssBytes;
  const { url } = server;
  const report = await fuzzIngest({ url, nodes, cases, seed, rssBytes, progress });
  const failures = [...report.failures];
  if (!server.running) failures.push("the server is gone");
  else failures.push(...(await server.health()).errors);
  if ((await server.stop()) !== 0) failures.push("the server did not stop cleanly");
  if (report.rssLateBytes > report.rssEarlyBytes * RSS_GROWTH_MAX + RSS_SLACK_BYTES) {
    failures.push(`resident memory grew from ${report.rssEarlyBytes} to ${report.rssLateBytes}`);
  }
  // Throws when a chain, a signature or a payload of what was accepted does not hold.
  const audit = await auditJournal(directory, nodes);
  for (const node of nodes) {
    const head = audit.chains.get(node.id)?.at(-1);
    const expected = Buffer.from(node.head).toString("hex");
    if (node.batchNo > 0 && head !== expected) failures.push(`node ${node.id} ends elsewhere`);
  }
  await rm(directory, { recursive: true });
  return { ...report, failures };
}

if (import.meta.main) {
  const [cases = 100_000, seed = 1] = process.argv.slice(2).map(Number);
  const report = await runIngestFuzz(cases, seed, (done) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${cases} `);
  });
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  process.exitCode = report.failures.length === 0 ? 0 : 1;
}
