/**
 * How long an acknowledgement takes while entries flow at a steady rate and people ask heavy
 * questions: the real server, its store and its comparison; this process is the nodes and the
 * people. Also how far the searchable copy is behind when the flow ends.
 *
 *   node bench/ack-latency.ts [ENTRIES_PER_S] [SECONDS]
 */
import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { signEnrolment, parseEnrolmentKey } from "../src/format/enrolment.ts";
import { busyMesh } from "../test/simulate/busy-mesh.ts";
import type { SimNode } from "../test/simulate/sim-node.ts";
import { ServerProcess } from "../test/serve/server-process.ts";

export interface AckLatencyFigures {
  readonly entriesPerS: number;
  readonly acks: number;
  readonly quiet: Latency;
  readonly underQueries: Latency;
  readonly queriesAnswered: number;
  /** From the last acknowledgement until everything was searchable. */
  readonly searchableAfterMs: number;
  readonly refused: number;
}

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

interface Sent {
  readonly latencyMs: number;
  readonly status: number;
}

const NODES = 16;
/** Connections between two batches of all nodes; 6 entries each. */
const CONNECTIONS_PER_ROUND = 1_600;
const HEAVY_QUERIES = 2;
const HEAVY =
  "SELECT initiator_node, responder_node, count(), sum(initiator_bytes), uniqExact(initiator_port), uniqExact(connection_id) FROM connections GROUP BY initiator_node, responder_node";

export async function benchAckLatency(
  entriesPerS = 100_000,
  seconds = 15,
): Promise<AckLatencyFigures> {
  const connections = Math.ceil((entriesPerS * seconds * 2) / 6);
  const frames: Uint8Array[] = [];
  const { server: own, nodes } = busyMesh({
    connections,
    nodes: NODES,
    startMs: Date.now(),
    connectionsPerBatch: CONNECTIONS_PER_ROUND,
    deliver: (frame) => frames.push(frame),
  });
  await using server = await ServerProcess.start();
  await enrolAll(server, nodes);
  // The first frame is the simulated server's own: the real one writes its own stream.
  frames.shift();
  void own;
  const half = Math.ceil(frames.length / 2);
  const everyMs = ((CONNECTIONS_PER_ROUND * 6) / NODES / entriesPerS) * 1000;
  const quiet = await sendAll(server.url, frames.slice(0, half), everyMs);
  const people = new AbortController();
  const asked = Array.from({ length: HEAVY_QUERIES }, () => askAgain(server, people.signal));
  const busy = await sendAll(server.url, frames.slice(half), everyMs);
  people.abort();
  const answered = await Promise.all(asked);
  const endedMs = performance.now();
  await caughtUp(server);
  return {
    entriesPerS,
    acks: quiet.length + busy.length,
    quiet: latency(quiet),
    underQueries: latency(busy),
    queriesAnswered: answered.reduce((sum, one) => sum + one, 0),
    searchableAfterMs: Math.round(performance.now() - endedMs),
    refused: [...quiet, ...busy].filter((one) => one.status !== 200).length,
  };
}

async function enrolAll(server: ServerProcess, nodes: readonly SimNode[]): Promise<void> {
  const made = await server.call<{ key: string }>("POST", "/api/v1/keys", { reusable: true });
  const { id, secret } = parseEnrolmentKey(made.body.key);
  for (const node of nodes) {
    const { publicKey, name, key } = node;
    const signature = signEnrolment({ publicKey, secret, name }, key).toString("base64url");
    const body = {
      keyId: id.toString("base64url"),
      secret: secret.toString("base64url"),
      publicKey: publicKey.toString("base64url"),
      name,
      signature,
    };
    const { status } = await server.call("POST", "/ingest/v1/enrol", body);
    if (status !== 200) throw new Error(`enrolling ${name} was answered with ${status}`);
  }
}

/** One frame per `everyMs`, whatever the answers take; each node's own frames stay in order. */
async function sendAll(
  url: string,
  frames: readonly Uint8Array[],
  everyMs: number,
): Promise<Sent[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: NODES });
  const last = new Map<string, Promise<unknown>>();
  const sent: Promise<Sent>[] = [];
  const beganMs = performance.now();
  for (const [index, frame] of frames.entries()) {
    const waitMs = beganMs + index * everyMs - performance.now();
    if (waitMs > 1) await pause(waitMs);
    const node = Buffer.from(frame.subarray(4, 20)).toString("hex");
    // From when it was due: a server that falls behind delays what waits, and that counts.
    const dueMs = performance.now();
    const one = (last.get(node) ?? Promise.resolve()).then(() => send(url, frame, agent, dueMs));
    last.set(node, one);
    sent.push(one);
  }
  const all = await Promise.all(sent);
  agent.destroy();
  return all;
}

function send(url: string, frame: Uint8Array, agent: Agent, dueMs: number): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const headers = {
      "content-type": "application/vnd.tallystick.batch",
      "content-length": frame.length,
    };
    const sending = request(
      new URL("/ingest/v1/batches", url),
      { method: "POST", agent, headers },
      (answer) => {
        answer.resume();
        answer.on("end", () =>
          resolve({ latencyMs: performance.now() - dueMs, status: answer.statusCode ?? 0 }),
        );
      },
    );
    sending.on("error", reject);
    sending.end(frame);
  });
}

async function askAgain(server: ServerProcess, signal: AbortSignal): Promise<number> {
  let answered = 0;
  while (!signal.aborted) {
    const { status } = await server.call("POST", "/api/v1/sql", { sql: HEAVY });
    if (status === 200) answered++;
    else await pause(100);
  }
  return answered;
}

async function caughtUp(server: ServerProcess): Promise<void> {
  for (;;) {
    const { body } = await server.call<{ store: { lag_records: number } }>("GET", "/api/v1/status");
    if (body.store.lag_records <= 1) return;
    await pause(50);
  }
}

function latency(sent: readonly Sent[]): Latency {
  const sorted = sent.map((one) => one.latencyMs).toSorted((a, b) => a - b);
  const at = (share: number) =>
    Math.round((sorted[Math.floor(sorted.length * share)] ?? 0) * 10) / 10;
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(0.999999) };
}

if (import.meta.main) {
  console.log(
    await benchAckLatency(Number(process.argv[2] ?? 100_000), Number(process.argv[3] ?? 15)),
  );
}
