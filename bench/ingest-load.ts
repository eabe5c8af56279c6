/**
 * The load of bench/ingest.ts, in a process of its own: seals everything first, then sends each
 * node's batches one after the other over a kept connection, and prints what it measured as JSON.
 *
 * A raw socket instead of an HTTP client: on a small machine the client would be what is measured.
 */
import { connect, type Socket } from "node:net";
import { testNode } from "../test/ingest/server-process.ts";
import type { Entry } from "../src/format/entry.ts";

export interface LoadOptions {
  readonly url: string;
  readonly nodes: number;
  readonly batchesPerNode: number;
  readonly entriesPerBatch: number;
}

export interface LoadFigure {
  readonly seconds: number;
  readonly acks: number;
  readonly wireBytes: number;
  readonly rawBytes: number;
  readonly latenciesMs: readonly number[];
}

const PATH_LINE = "POST /ingest/v1/batches HTTP/1.1\r\nhost: bench\r\n";
const TYPE_LINE = "content-type: application/vnd.tallystick.batch\r\n";

interface Prepared {
  readonly requests: readonly Buffer[];
  readonly rawBytes: number;
}

async function run(options: LoadOptions): Promise<LoadFigure> {
  const prepared = Array.from({ length: options.nodes }, (_, node) => prepare(node, options));
  const port = Number(new URL(options.url).port);
  const latenciesMs: number[] = [];
  const startedMs = performance.now();
  await Promise.all(prepared.map(({ requests }) => sendAll(port, requests, latenciesMs)));
  const seconds = (performance.now() - startedMs) / 1000;
  const frames = prepared.flatMap(({ requests }) => requests);
  return {
    seconds,
    acks: latenciesMs.length,
    wireBytes: frames.reduce((sum, frame) => sum + frame.length, 0),
    rawBytes: prepared.reduce((sum, one) => sum + one.rawBytes, 0),
    latenciesMs,
  };
}

function prepare(number: number, { batchesPerNode, entriesPerBatch }: LoadOptions): Prepared {
  const node = testNode(number);
  const requests: Buffer[] = [];
  let rawBytes = 0;
  for (let batch = 0; batch < batchesPerNode; batch++) {
    const entries = Array.from({ length: entriesPerBatch }, (_, at) => open(at, node.atMs + batch));
    const { frame, header } = node.next({ entries });
    rawBytes += header.rawBytes;
    const head = `${PATH_LINE}${TYPE_LINE}content-length: ${frame.length}\r\n\r\n`;
    requests.push(Buffer.concat([Buffer.from(head), frame]));
  }
  return { requests, rawBytes };
}

function open(at: number, atMs: number): Entry {
  const tuple = {
    protocol: 6,
    initiatorIp: `10.${at & 15}.${(at >> 4) & 255}.7`,
    initiatorPort: 32_768 + ((at * 7_919) % 28_000),
    responderIp: "10.0.0.2",
    responderPort: 443,
  };
  return { kind: "open", atMs, role: "initiator", tuple, pickup: false };
}

async function sendAll(
  port: number,
  requests: readonly Buffer[],
  latenciesMs: number[],
): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  for (const request of requests) {
    const startedMs = performance.now();
    socket.write(request);
    await answer(socket);
    latenciesMs.push(performance.now() - startedMs);
  }
  socket.destroy();
}

/** An ack is one small packet that ends with its JSON. */
function answer(socket: Socket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let text = "";
  const onData = (chunk: Buffer): void => {
    text += chunk.toString("latin1");
    if (!text.endsWith("}")) return;
    socket.off("data", onData).off("error", reject);
    if (text.startsWith("HTTP/1.1 200 ")) resolve();
    else reject(new Error(text));
  };
  socket.on("data", onData).on("error", reject);
  return promise;
}

if (import.meta.main) {
  const figure = await run(JSON.parse(process.argv[2] ?? "{}") as LoadOptions);
  process.stdout.write(JSON.stringify(figure));
}
