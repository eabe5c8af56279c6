/** After the deaths: is everything that was acknowledged in journal and store, exactly once, and was nobody accused? */
import { setTimeout as pause } from "node:timers/promises";
import { auditJournal } from "../ingest/journal-audit.ts";
import type { HttpNode } from "./http-node.ts";
import type { MortalAgent } from "./mortal-agent.ts";
import type { MortalServer } from "./mortal-server.ts";
import type { PairLoad } from "./pair-load.ts";

/** Several ticks, on a machine that does much besides. */
const TICKS_MS_MAX = 45_000;
const LOOK_MS = 500;

/** All that is wrong, as sentences; none for a pass. Stops the server at the end. */
export async function checkKilled(
  server: MortalServer,
  pairs: readonly PairLoad[],
  agent?: MortalAgent,
): Promise<string[]> {
  const nodes = pairs.flatMap((pair) => [...pair.nodes]);
  await server.api.caughtUp();
  const failures = [
    ...(await checkRows(server, pairs)),
    ...(await checkBatches(server, nodes)),
    ...(await checkFindings(server)),
    ...(agent === undefined ? [] : await checkAgent(server, agent)),
  ];
  const keys = await publicKeys(server);
  await server.stop();
  return [...failures, ...(await checkJournal(server.dir, nodes, keys))];
}

async function checkRows(server: MortalServer, pairs: readonly PairLoad[]): Promise<string[]> {
  const connections = pairs.reduce((sum, pair) => sum + pair.connections, 0);
  const logs = pairs.reduce((sum, pair) => sum + pair.logs, 0);
  const ours = "node LIKE 'pair-%'";
  const expected: readonly (readonly [sql: string, rows: readonly unknown[]])[] = [
    [
      "SELECT verdict, excuse, counters, two_halves, count() FROM connections GROUP BY ALL",
      [["matched", "", "final", 1, connections]],
    ],
    [
      "SELECT count(), uniqExact(half_id), uniqExact(connection_id) FROM halves",
      [[2 * connections, 2 * connections, connections]],
    ],
    [
      `SELECT count(), uniqExact(node, epoch, seq), uniqExact(body) FROM logs WHERE kind = 'log' AND ${ours}`,
      [[logs, logs, logs]],
    ],
  ];
  const failures = async (): Promise<string[]> => {
    const wrong: string[] = [];
    for (const [sql, rows] of expected) {
      const found = JSON.stringify(await server.api.sql(sql));
      if (found !== JSON.stringify(rows)) {
        wrong.push(`${sql}: ${found}, not ${JSON.stringify(rows)}`);
      }
    }
    return wrong;
  };
  return settled(failures);
}

/** What is wrong still when the server has ticked a few times: what is final is decided at its ticks. */
async function settled(failures: () => Promise<string[]>): Promise<string[]> {
  const endMs = performance.now() + TICKS_MS_MAX;
  for (;;) {
    const wrong = await failures();
    if (wrong.length === 0 || performance.now() > endMs) return wrong;
    await pause(LOOK_MS);
  }
}

/** Every receipt has its batch at the index that it names, and there are no others. */
async function checkBatches(server: MortalServer, nodes: readonly HttpNode[]): Promise<string[]> {
  const sql =
    "SELECT node, batch_no, journal_index, chain_hash FROM batches WHERE node LIKE 'pair-%'";
  const found = (await server.api.sql(sql)).map((row) => row.join(" "));
  const acked = nodes.flatMap(({ name, receipts }) =>
    receipts.map(
      ({ batchNo, index, head }) =>
        `${name} ${batchNo} ${index} ${Buffer.from(head).toString("hex")}`,
    ),
  );
  return [
    ...differences("batches without a receipt", found, acked),
    ...differences("receipts without a batch", acked, found),
    ...(found.length === acked.length ? [] : [`${found.length} batches, ${acked.length} receipts`]),
  ];
}

function differences(what: string, from: readonly string[], to: readonly string[]): string[] {
  const more = [...new Set(from).difference(new Set(to))];
  return more.length === 0 ? [] : [`${more.length} ${what}: ${more.slice(0, 5).join(" | ")}`];
}

/** An agent that waits longer after each failure may miss a server that dies every few seconds; it came back. */
const PASSED = "kind = 'silent' AND state = 'resolved'";

async function checkFindings(server: MortalServer): Promise<string[]> {
  const sql = `SELECT kind, state, node, title FROM findings WHERE NOT (${PASSED})`;
  const findings = await server.api.sql(sql);
  return findings.map((row) => `a finding: ${row.join(", ")}`);
}

/** Each number that the agent gave is there once with its text, or declared lost. */
async function checkAgent(server: MortalServer, agent: MortalAgent): Promise<string[]> {
  const where = `WHERE node_id = '${agent.node}'`;
  const name = String(
    (await server.api.sql(`SELECT name FROM nodes WHERE id = '${agent.node}'`))[0]?.[0],
  );
  const rows = await server.api.sql(
    `SELECT epoch, seq, kind, body, attributes FROM logs ${where.replace(/node_id.*/, `node = '${name}'`)} ORDER BY epoch, seq`,
  );
  const seen = new Map<number, string>();
  const declared: (readonly [number, number])[] = [];
  const failures = agent.givenTwice.map((seq) => `the agent gave number ${seq} twice`);
  for (const [epoch, seq, kind, body, attributes] of rows) {
    if (epoch !== 0) failures.push(`the agent began epoch ${String(epoch)}`);
    if (seen.has(Number(seq))) failures.push(`the agent's entry ${String(seq)} is there twice`);
    seen.set(Number(seq), String(body));
    const gap =
      kind === "gap" ? (JSON.parse(String(attributes)) as { seqs?: [number, number] }) : {};
    if (gap.seqs !== undefined) declared.push(gap.seqs);
  }
  const isDeclared = (seq: number) => declared.some(([first, last]) => first <= seq && seq <= last);
  for (const [seq, body] of agent.given) {
    if (seen.get(seq) !== body && !isDeclared(seq)) failures.push(`the agent's ${body} is lost`);
  }
  const last = Math.max(-1, ...seen.keys());
  for (let seq = 0; seq <= last; seq++) {
    if (!seen.has(seq) && !isDeclared(seq)) failures.push(`the agent's ${seq} is nowhere`);
  }
  return failures.slice(0, 10);
}

async function publicKeys(server: MortalServer): Promise<Map<string, Buffer>> {
  const answer = (await server.api.call("GET", "/api/v1/nodes")) as {
    items: readonly { id: string; public_key: string }[];
  };
  return new Map(answer.items.map((node) => [node.id, Buffer.from(node.public_key, "base64url")]));
}

/** Indices are contiguous, chains link, signatures and payloads hold, and every receipt's hash stands at its number. */
async function checkJournal(
  directory: string,
  nodes: readonly HttpNode[],
  keys: ReadonlyMap<string, Buffer>,
): Promise<string[]> {
  const known = [...keys].map(([id, publicKey]) => ({ id, publicKey }));
  const { chains, evidence, findings } = await auditJournal(directory, known);
  const failures = nodes.flatMap(({ id, name, receipts }) => {
    const chain = chains.get(id) ?? [];
    const wrong = receipts.filter(
      ({ batchNo, head }) => chain[batchNo] !== Buffer.from(head).toString("hex"),
    );
    const extra = chain.length - receipts.length;
    return [
      ...wrong.map(({ batchNo }) => `${name}'s batch ${batchNo} is not in the journal`),
      ...(extra === 0 ? [] : [`${name} has ${extra} batches more than receipts`]),
    ];
  });
  if (evidence.length > 0) failures.push(`${evidence.length} frames were kept as evidence`);
  const told = findings.filter(({ finding }) => finding !== "silent");
  return [...failures, ...told.map(({ title }) => `journaled: ${title}`)];
}
