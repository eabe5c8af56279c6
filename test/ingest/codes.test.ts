/** Every answer of ingest over real HTTP: which request leads to which code. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chainHash, encodeHeader, FLAG } from "../../src/format/batch.ts";
import { signEnrolment } from "../../src/format/enrolment.ts";
import type { Entry } from "../../src/format/entry.ts";
import { openHead, openReceipt } from "../../src/format/receipt.ts";
import { publicKeyFromRaw } from "../../src/format/identity.ts";
import { INGEST_ERRORS, type IngestErrorCode } from "../../src/ingest/errors.ts";
import { BATCH_MEDIA_TYPE } from "../../src/ingest/http.ts";
import { FRAME_BYTES_MAX, INGEST_LIMITS } from "../../src/ingest/limits.ts";
import { MemoryJournal } from "../simulate/memory-journal.ts";
import { SimNode } from "../simulate/sim-node.ts";
import { type Answer, post, sendBatch, sendJson } from "./client.ts";
import { type Serving, serveIngest, TEST_SECRET } from "./serve.ts";

let directory: string;
let serving: Serving;
const journal = new MemoryJournal();
const reached = new Set<string>();

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "ingest-codes-"));
  const limits = { ...INGEST_LIMITS, bodyMs: 300, entriesBurst: 50, entriesPerS: 1 };
  serving = await serveIngest({ directory, journal, limits });
});

after(async () => {
  await serving.close();
  await rm(directory, { recursive: true });
});

function enrolled(state: "active" | "revoked" = "active"): SimNode {
  const node = new SimNode();
  serving.nodes.set(node.id, node.known(state));
  return node;
}

function expectCode(answer: Answer, code: IngestErrorCode): void {
  assert.equal(answer.body["code"], code, JSON.stringify(answer.body));
  assert.equal(answer.status, INGEST_ERRORS[code].status);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  for (const field of ["title", "detail", "hint"]) {
    assert.ok(String(answer.body[field]).length > 3, `${field} says something`);
  }
  if (answer.status === 429 || answer.status === 503) {
    assert.ok(Number(answer.headers.get("retry-after")) >= 1);
  }
  reached.add(code);
}

function sendEnrolment(body: object): Promise<Answer> {
  return sendJson(serving.url, "enrol", body);
}

async function send(code: IngestErrorCode, frame: Uint8Array): Promise<Answer> {
  const answer = await sendBatch(serving.url, frame);
  expectCode(answer, code);
  return answer;
}

async function expectAck(node: SimNode, frame: Buffer): Promise<Answer> {
  const answer = await sendBatch(serving.url, frame);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.ok(serving.nodes.has(node.id));
  return answer;
}

test("a batch is acked with a receipt that verifies and names its place", async () => {
  const node = enrolled();
  const { frame, header } = node.next();
  const answer = await expectAck(node, frame);
  const serverKey = publicKeyFromRaw(serving.serverKey.publicKeyBytes);
  const receipt = openReceipt(Buffer.from(String(answer.body["receipt"]), "base64url"), serverKey);
  assert.equal(receipt.batchNo, 0);
  assert.deepEqual(Buffer.from(receipt.head), chainHash(encodeHeader(header)));
  assert.deepEqual(Buffer.from(journal.records[receipt.index]?.frame ?? []), frame);
  const again = await expectAck(node, frame);
  assert.deepEqual(again.body, { receipt: answer.body["receipt"], duplicate: true });
});

test("a chain goes on: epochs, opt-out, resume", async () => {
  const node = enrolled();
  await expectAck(node, node.next().frame);
  await expectAck(node, node.nextEpoch().frame);
  const optOut: Entry = { kind: "opt_out", atMs: node.atMs, origin: "flag" };
  await expectAck(node, node.next({ entries: [optOut], header: { flags: FLAG.optOut } }).frame);
  expectCode(await sendBatch(serving.url, node.sign().frame), "opted_out");
  expectCode(await sendBatch(serving.url, node.sign({ entries: [] }).frame), "opted_out");
  await expectAck(node, node.next({ entries: [{ kind: "resume", atMs: node.atMs }] }).frame);
  await expectAck(node, node.next({ entries: [], header: { flags: FLAG.heartbeat } }).frame);
});

test("what is not in the format", async () => {
  const node = enrolled();
  const { frame } = node.sign();
  const tick: Entry = { kind: "tick", atMs: node.atMs };
  const cases: readonly (readonly [IngestErrorCode, Uint8Array])[] = [
    ["bad_header", frame.subarray(0, 100)],
    ["bad_header", Buffer.concat([Buffer.from([9]), frame.subarray(1)])],
    ["bad_payload", frame.subarray(0, frame.length - 1)],
    ["bad_payload", Buffer.concat([frame.subarray(0, -1), Buffer.from([0])])],
    ["bad_payload", node.sign({ payload: Buffer.from("not zstd") }).frame],
    ["bad_payload", node.sign({ header: { rawBytes: 7 } }).frame],
    ["bad_payload", node.sign({ header: { entryCount: 2 } }).frame],
    ["bad_payload", node.sign({ header: { lastAtMs: node.atMs + 1 } }).frame],
    ["bad_payload", node.sign({ header: { flags: FLAG.optOut } }).frame],
    [
      "bad_header",
      Buffer.concat([frame.subarray(0, 3), Buffer.from([FLAG.heartbeat]), frame.subarray(4)]),
    ],
    ["bad_entry", node.sign({ raw: Buffer.from('["log",1,{}]\n') }).frame],
    ["bad_entry", node.sign({ raw: Buffer.from(`${"[".repeat(60_000)}\n`) }).frame],
    ["bad_entry", node.sign({ entries: [tick] }).frame],
  ];
  for (const [code, bytes] of cases) await send(code, bytes);
  await expectAck(node, frame);
});

test("who may not send", async () => {
  expectCode(await sendBatch(serving.url, new SimNode().sign().frame), "unknown_node");
  const node = enrolled();
  const key = new SimNode().key;
  expectCode(await sendBatch(serving.url, node.sign({ key }).frame), "bad_signature");
  const keyId = Buffer.alloc(4);
  expectCode(await sendBatch(serving.url, node.sign({ header: { keyId } }).frame), "bad_signature");
  expectCode(await sendBatch(serving.url, enrolled("revoked").sign().frame), "revoked_key");
});

test("chains that do not fit", async () => {
  const node = enrolled();
  const { frame: old } = node.next();
  await expectAck(node, old);
  await expectAck(node, node.next().frame);
  await send("replayed", old);
  await send("fork", node.sign({ header: { batchNo: 1 } }).frame);
  await send("fork", node.sign({ header: { prevHash: Buffer.alloc(32) } }).frame);
  const gap = await send("chain_gap", node.sign({ header: { batchNo: 5 } }).frame);
  assert.deepEqual([gap.body["epoch"], gap.body["batches"]], [0, 2]);
  await send("seq_reused", node.sign({ header: { seqFirst: 0 } }).frame);
  const rollback = { epoch: 1, batchNo: 0, flags: FLAG.epochStart };
  await send("bad_entry", node.sign({ header: rollback }).frame);
  const late = node.sign().frame;
  await expectAck(node, node.nextEpoch().frame);
  await send("stale_epoch", late);
});

test("too much at once", async () => {
  const node = enrolled();
  const entries = Array.from({ length: 40 }, () => node.logEntry());
  await expectAck(node, node.next({ entries }).frame);
  const second = await sendBatch(serving.url, node.sign({ entries }).frame);
  expectCode(second, "rate_limited");
  assert.ok(Number(second.headers.get("retry-after")) >= 30);
  const large = Buffer.alloc(FRAME_BYTES_MAX + 1);
  expectCode(await sendBatch(serving.url, large), "payload_too_large");
  const stream = new Blob([large]).stream();
  const chunked = { body: stream, type: "application/json" };
  expectCode(await post(serving.url, "head", chunked), "payload_too_large");
});

test("requests that are not ours", async () => {
  const node = enrolled();
  const { frame } = node.sign();
  expectCode(
    await post(serving.url, "batches", { body: frame, type: "text/plain" }),
    "unsupported_media_type",
  );
  expectCode(
    await post(serving.url, "batches", { body: "{}", type: "application/json" }),
    "unsupported_media_type",
  );
  expectCode(
    await post(serving.url, "nothing", { body: frame, type: BATCH_MEDIA_TYPE }),
    "not_found",
  );
  expectCode(
    await post(serving.url, "head", { body: "{", type: "application/json" }),
    "bad_request",
  );
  const got = await fetch(`${serving.url}/ingest/v1/batches`);
  expectCode(
    { status: got.status, headers: got.headers, body: (await got.json()) as never },
    "method_not_allowed",
  );
});

test("a body that does not come is cut", async () => {
  const body = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.alloc(10)) });
  expectCode(await post(serving.url, "batches", { body, type: BATCH_MEDIA_TYPE }), "slow_body");
});

test("the head is signed, fresh, and only for the node", async () => {
  const node = enrolled();
  await expectAck(node, node.next().frame);
  const request = node.headRequest();
  const { body } = await sendJson(serving.url, "head", request);
  const serverKey = publicKeyFromRaw(serving.serverKey.publicKeyBytes);
  const bytes = Buffer.from(String(body["head"]), "base64url");
  const head = openHead(bytes, serverKey, Buffer.from(request.nonce, "base64url"));
  assert.deepEqual(
    { ...head, head: Buffer.from(head.head), nodeId: Buffer.from(head.nodeId), nonce: undefined },
    { nodeId: node.nodeId, epoch: 0, batches: 1, head: node.head, nextSeq: 1, nonce: undefined },
  );
  const forged = { ...new SimNode().headRequest(), node: node.id };
  expectCode(await sendJson(serving.url, "head", forged), "bad_signature");
  expectCode(await sendJson(serving.url, "head", new SimNode().headRequest()), "unknown_node");
  expectCode(await sendJson(serving.url, "head", enrolled("revoked").headRequest()), "revoked_key");
  expectCode(await sendJson(serving.url, "head", { ...request, nonce: "AA" }), "bad_request");
  expectCode(await sendJson(serving.url, "head", null), "bad_request");
});

test("enrolment", async () => {
  const node = new SimNode();
  const enrolment = (name: string, secret = TEST_SECRET, signer = node): object => ({
    keyId: Buffer.alloc(6).toString("base64url"),
    secret: secret.toString("base64url"),
    publicKey: node.publicKey.toString("base64url"),
    name,
    signature: signEnrolment({ publicKey: node.publicKey, secret, name }, signer.key).toString(
      "base64url",
    ),
  });
  expectCode(await sendEnrolment(enrolment("web", Buffer.alloc(24))), "bad_enrolment_key");
  expectCode(await sendEnrolment({ ...enrolment("web"), name: "-web" }), "bad_name");
  expectCode(await sendEnrolment(enrolment("web", TEST_SECRET, new SimNode())), "bad_signature");
  const { body } = await sendEnrolment(enrolment("web"));
  const serverKey = serving.serverKey.publicKeyBytes.toString("base64url");
  assert.deepEqual(body, { node: node.id, name: "web", serverKey });
  assert.deepEqual((await sendEnrolment(enrolment("web", Buffer.alloc(24)))).body, body);
  await expectAck(node, node.next().frame);
  const second = new SimNode();
  const taken = { ...enrolment("web"), publicKey: second.publicKey.toString("base64url") };
  const signature = signEnrolment(
    { publicKey: second.publicKey, secret: TEST_SECRET, name: "web" },
    second.key,
  ).toString("base64url");
  expectCode(await sendEnrolment({ ...taken, signature }), "name_taken");
});

test("the codes that were not reached here are the ones of other tests", () => {
  const all = Object.keys(INGEST_ERRORS);
  const elsewhere = [
    "approval_needed",
    "busy",
    "header_too_large",
    "internal",
    "journal_failed",
    "journal_full",
  ];
  assert.deepEqual(all.filter((code) => !reached.has(code)).toSorted(), elsewhere);
  assert.deepEqual(serving.errors, []);
});
