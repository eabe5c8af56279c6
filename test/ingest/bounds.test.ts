/** Bounds that hold while a request is still arriving, or while the disk is slow. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { HEAD_BYTES } from "../../src/ingest/admit.ts";
import { BATCH_MEDIA_TYPE } from "../../src/ingest/http.ts";
import { INGEST_LIMITS } from "../../src/ingest/limits.ts";
import { MemoryJournal } from "../simulate/memory-journal.ts";
import { SimNode } from "../simulate/sim-node.ts";
import { sendBatch } from "./client.ts";
import { type Serving, serveIngest } from "./serve.ts";

let directory: string;
let serving: Serving;
const journal = new MemoryJournal();

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "ingest-bounds-"));
  const limits = {
    ...INGEST_LIMITS,
    bodyMs: 3_000,
    requestsMax: 4,
    bytesInFlightMax: 300_000,
    bytesInFlightPerNodeMax: 200_000,
  };
  serving = await serveIngest({ directory, journal, limits });
});

after(async () => {
  await serving.close();
  await rm(directory, { recursive: true });
});

function enrolled(): SimNode {
  const node = new SimNode();
  serving.enrolTest(node);
  return node;
}

/** A batch whose payload does not compress. */
function large(node: SimNode): Buffer {
  const payload = Buffer.alloc(100_000, 1);
  return node.sign({ payload }).frame;
}

/** Sends the beginning of a request, and keeps it open. */
function begin(bytes: Uint8Array, length: number): Socket {
  const socket = connect(Number(new URL(serving.url).port), "127.0.0.1");
  const head = `POST /ingest/v1/batches HTTP/1.1\r\nhost: x\r\ncontent-type: ${BATCH_MEDIA_TYPE}\r\n`;
  socket.write(`${head}content-length: ${length}\r\n\r\n`);
  socket.write(bytes);
  return socket;
}

function firstData(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once("data", (chunk: Buffer) => resolve(chunk.toString()));
    socket.once("close", () => resolve("closed"));
  });
}

async function code(frame: Uint8Array): Promise<unknown> {
  const { status, body } = await sendBatch(serving.url, frame);
  return status === 200 ? "acked" : body["code"];
}

test("a stranger is refused by the first bytes, before the payload", async () => {
  const frame = large(new SimNode());
  const startedMs = performance.now();
  const socket = begin(frame.subarray(0, HEAD_BYTES), frame.length);
  assert.match(await firstData(socket), /^HTTP\/1\.1 401 [^]*"code":"unknown_node"/);
  assert.ok(performance.now() - startedMs < 2_000);
  socket.destroy();
});

test("more bytes than the signed header announces are refused as they come", async () => {
  const node = enrolled();
  const frame = large(node);
  const socket = begin(Buffer.concat([frame, Buffer.alloc(10)]), frame.length + 1_000);
  assert.match(await firstData(socket), /"code":"bad_payload"/);
  socket.destroy();
});

test("frames that are under way fill a bounded room; others are told to come back", async () => {
  const slow = [enrolled(), enrolled()];
  const open = slow.map((node) => begin(large(node).subarray(0, 500), 100_296));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const second = large(slow[0] ?? enrolled());
  const answers = open.map(firstData);
  assert.equal(await code(second), "busy", "a node's own share");
  assert.equal(await code(large(enrolled())), "busy", "the whole room");
  assert.equal(await code(enrolled().next().frame), "acked", "a small one fits");
  for (const answer of answers) assert.match(await answer, /"code":"slow_body"/);
  assert.equal(await code(large(enrolled())), "bad_payload", "there is room again");
});

test("requests at once are bounded, and the bound is given back", async () => {
  const durable = Promise.withResolvers<void>();
  journal.after = () => durable.promise;
  const frames = Array.from({ length: 6 }, () => enrolled().next().frame);
  const answers = Promise.all(frames.map(code));
  await new Promise((resolve) => setTimeout(resolve, 300));
  durable.resolve();
  journal.after = () => Promise.resolve();
  const codes = (await answers).map(String).toSorted();
  assert.deepEqual(codes, ["acked", "acked", "acked", "acked", "busy", "busy"]);
  assert.equal(await code(enrolled().next().frame), "acked");
});

test("a failed journal answers 503 to everybody, and a full one goes on", async () => {
  const node = enrolled();
  const { frame } = node.next();
  journal.before = () => Promise.reject(Object.assign(new Error("x"), { code: "journal_full" }));
  const full = await sendBatch(serving.url, frame);
  assert.deepEqual([full.status, full.body["code"]], [503, "journal_full"]);
  assert.ok(Number(full.headers.get("retry-after")) > 0);
  journal.before = () => Promise.resolve();
  assert.equal(await code(frame), "acked");
  journal.before = () => Promise.reject(new Error("gone"));
  const failed = await sendBatch(serving.url, node.next().frame);
  assert.deepEqual([failed.status, failed.body["code"]], [503, "journal_failed"]);
  journal.before = () => Promise.resolve();
  assert.equal(await code(enrolled().next().frame), "journal_failed");
  assert.equal(serving.errors.length, 1, "the process was told to end, once");
});
