/**
 * An ingest server as a process of its own: `node server-process.ts DIR NODES`, where NODES is how
 * many test nodes are enrolled (testNode(0) … ). Prints its URL; ends cleanly on SIGTERM.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { INGEST_LIMITS, type IngestLimits } from "../../src/ingest/limits.ts";
import { Journal } from "../../src/journal/journal.ts";
import { SimNode } from "../simulate/sim-node.ts";
import { serveIngest } from "./serve.ts";

/** What a benchmark or a fuzzer, which sends more than any node, must not run into. */
const UNLIMITED: IngestLimits = {
  ...INGEST_LIMITS,
  entriesPerS: 1e12,
  entriesBurst: 1e12,
  bytesPerS: 1e12,
  bytesBurst: 1e12,
  bodyMs: 2_000,
};

/** The same node in every process. */
export function testNode(number: number): SimNode {
  return new SimNode(`node ${number}`);
}

async function main(directory: string, nodes: number): Promise<void> {
  await mkdir(directory, { recursive: true });
  const journal = await Journal.open({ dir: join(directory, "journal") });
  const serving = await serveIngest({ directory, journal, limits: UNLIMITED });
  for (let number = 0; number < nodes; number++) serving.enrolTest(testNode(number));
  process.stdout.write(`${serving.url}\n`);
  process.on("message", () => {
    const { user, system } = process.cpuUsage();
    const rssBytes = process.memoryUsage().rss;
    process.send?.({ rssBytes, cpuUs: user + system, errors: serving.errors.map(String) });
  });
  process.once("SIGTERM", () => {
    void serving
      .close()
      .then(() => journal.close())
      .then(() => process.exit(serving.errors.length === 0 ? 0 : 1));
  });
}

if (import.meta.main) await main(process.argv[2] ?? "", Number(process.argv[3] ?? 1));
