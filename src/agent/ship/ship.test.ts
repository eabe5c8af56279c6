/** The loop's manners, with a clock that the test holds and a server that is a function. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { chainHash, decodeFrame, FLAG, genesisHash, HEADER_BYTES } from "../../format/batch.ts";
import { keyIdOf, nodeIdOf, rawPublicKey } from "../../format/identity.ts";
import { signHead, signReceipt } from "../../format/receipt.ts";
import { ManualClock } from "../../std/clock.ts";
import { AgentLog } from "../agent-log.ts";
import { type Delivery, openDelivery } from "../delivery.ts";
import { makeStateDirectory, type StatePaths, statePaths } from "../state-directory.ts";
import type { Answer, RequestBody } from "./uplink.ts";

const server = generateKeyPairSync("ed25519");
const node = generateKeyPairSync("ed25519");
const publicKey = rawPublicKey(node.publicKey);
const identity = {
  key: node.privateKey,
  publicKey,
  nodeId: nodeIdOf(publicKey),
  keyId: keyIdOf(publicKey),
};

/** An answer that does not come. */
const SILENCE: Answer = { outcome: "later", reason: "aborted" };

function aborted(signal: AbortSignal | undefined): Promise<Answer> {
  return new Promise((resolve) => signal?.addEventListener("abort", () => resolve(SILENCE)));
}

interface Rig {
  readonly clock: ManualClock;
  readonly delivery: Delivery;
  readonly paths: StatePaths;
  /** Frames that arrived, accepted or not. */
  readonly frames: Buffer[];
  readonly requests: { readonly path: string; readonly atMs: number }[];
  /** What to answer to the next batches; empty: accept. */
  readonly answers: Answer[];
  /** What to answer to the next questions for the head; empty: the genesis. */
  readonly headAnswers: Answer[];
  /** What the shipper said of the node's key. */
  readonly said: string[];
  readonly say: (body: string) => void;
  /** Resolves when it holds and everything that follows without the clock has happened. */
  readonly until: (holds: () => boolean) => Promise<void>;
}

function rig(): Rig {
  const clock = new ManualClock();
  const paths = statePaths(mkdtempSync(join(tmpdir(), "tallystick-ship-")));
  makeStateDirectory(paths);
  const [frames, requests, answers]: [Buffer[], Rig["requests"], Answer[]] = [[], [], []];
  const said: string[] = [];
  const headAnswers: Answer[] = [];
  const post = async (path: string, body: RequestBody, signal?: AbortSignal): Promise<Answer> => {
    requests.push({ path, atMs: clock.nowMs() });
    if (!(body instanceof Uint8Array))
      return headAnswers.shift() ?? answerHead(String(body["nonce"]));
    frames.push(Buffer.from(body));
    const answer = answers.shift() ?? accept(body);
    return answer === SILENCE ? aborted(signal) : answer;
  };
  const delivery = openDelivery({
    paths,
    clock,
    random: () => 1,
    identity,
    enrolment: {
      node: identity.nodeId.toString("hex"),
      name: "n",
      server: "",
      serverKey: rawPublicKey(server.publicKey).toString("base64url"),
    },
    machine: { machineId: "m", bootId: "b" },
    sameMachine: true,
    spoolBytesMax: 2 ** 20,
    uplink: { post },
    log: new AgentLog({ clock, directory: paths.log, level: "error" }),
    completeToMs: () => 0,
    onEpoch: () => undefined,
    onRevoked: () => said.push("revoked"),
    onTakenBack: () => said.push("taken back"),
  });
  return {
    clock,
    delivery,
    paths,
    frames,
    requests,
    answers,
    headAnswers,
    said,
    say: (body) =>
      void delivery.stream.emit({
        kind: "log",
        atMs: clock.nowMs(),
        severity: 9,
        body,
        attributes: {},
      }),
    until: async (holds) => {
      do await setImmediate();
      while (!holds());
      await setImmediate();
    },
  };
}

function answerHead(nonce: string): Answer {
  const head = {
    nodeId: identity.nodeId,
    epoch: 0,
    batches: 0,
    head: genesisHash(publicKey),
    nextSeq: 0,
  };
  const bytes = signHead({ ...head, nonce: Buffer.from(nonce, "base64url") }, server.privateKey);
  return { outcome: "ok", body: { head: bytes.toString("base64url") } };
}

function accept(frame: Uint8Array, key = server.privateKey): Answer {
  const { header } = decodeFrame(frame);
  const { epoch, batchNo } = header;
  const head = chainHash(frame.subarray(0, HEADER_BYTES));
  const receipt = { nodeId: identity.nodeId, epoch, batchNo, head, index: 1, receivedMs: 5 };
  return { outcome: "ok", body: { receipt: signReceipt(receipt, key).toString("base64url") } };
}

test("a body closes half a second after its first entry, and is sent once", async () => {
  const { clock, delivery, frames, say, until } = rig();
  delivery.shipper.start();
  say("one");
  await delivery.shipper.recovered;
  clock.advance(499);
  say("two");
  assert.ok(delivery.stream.queue.isEmpty);
  clock.advance(1);
  await until(() => frames.length > 0);
  assert.deepEqual(
    frames.map((frame) => decodeFrame(frame).header.entryCount),
    [2],
  );
  await delivery.stop(0);
});

test("silence is signed every 30 s", async () => {
  const { clock, delivery, frames, until } = rig();
  delivery.shipper.start();
  await until(() => delivery.shipper.status.state === "sending");
  for (let at = 1; at <= 3; at++) {
    clock.advance(29_999);
    assert.equal(frames.length, at - 1);
    clock.advance(1);
    await until(() => frames.length === at);
  }
  assert.ok(frames.every((frame) => decodeFrame(frame).header.flags === FLAG.heartbeat));
  await delivery.stop(0);
});

test("failures back off up to half a minute, and the same bytes come again", async () => {
  const { clock, delivery, frames, requests, answers, say, until } = rig();
  for (let at = 0; at < 9; at++) answers.push({ outcome: "later", reason: "ECONNREFUSED" });
  delivery.shipper.start();
  await until(() => delivery.shipper.status.state === "sending");
  say("one");
  clock.advance(500);
  for (let failures = 1; failures <= 9; failures++) {
    await until(() => delivery.shipper.status.failures === failures);
    const delayMs = Math.min(500 * 2 ** (failures - 1), 30_000);
    say("this does not hurry it");
    clock.advance(delayMs - 1);
    await setImmediate();
    assert.equal(frames.length, failures);
    clock.advance(1);
  }
  await until(() => delivery.shipper.status.failures === 0);
  assert.ok(frames.slice(1, 10).every((frame) => frame.equals(frames[0] ?? Buffer.alloc(0))));
  assert.equal(requests.filter(({ path }) => path.endsWith("head")).length, 1);
  await delivery.stop(0);
});

test("a server's wish to wait is obeyed, within reason", async () => {
  for (const [wishMs, waitMs] of [
    [7000, 7000],
    [86_400_000, 300_000],
  ] as const) {
    const { clock, delivery, frames, answers, say, until } = rig();
    answers.push({ outcome: "later", reason: "busy", retryAfterMs: wishMs });
    delivery.shipper.start();
    await until(() => delivery.shipper.status.state === "sending");
    say("one");
    clock.advance(500);
    await until(() => delivery.shipper.status.failures === 1);
    clock.advance(waitMs - 1);
    await setImmediate();
    assert.equal(frames.length, 1);
    clock.advance(1);
    await until(() => frames.length === 2);
    await delivery.stop(0);
  }
});

test("a receipt from anybody else is none: the batch is sent again", async () => {
  const { clock, delivery, frames, answers, say, until } = rig();
  delivery.shipper.start();
  await until(() => delivery.shipper.status.state === "sending");
  const stranger = generateKeyPairSync("ed25519").privateKey;
  answers.push({ outcome: "ok", body: {} });
  say("one");
  clock.advance(500);
  await until(() => delivery.shipper.status.failures === 1);
  answers.push(accept(frames[0] ?? Buffer.alloc(0), stranger));
  clock.advance(500);
  await until(() => delivery.shipper.status.failures === 2);
  assert.equal(delivery.shipper.status.lastReceiptMs, 0);
  clock.advance(1000);
  await until(() => delivery.shipper.status.failures === 0);
  assert.equal(frames.length, 3);
  assert.equal(delivery.shipper.status.lastReceiptMs, 5);
  await delivery.stop(0);
});

test("an unknown refusal waits for somebody to look, ten minutes at a time", async () => {
  const { clock, delivery, frames, answers, say, until } = rig();
  delivery.shipper.start();
  await until(() => delivery.shipper.status.state === "sending");
  answers.push({ outcome: "refused", status: 401, code: "unknown_node", detail: "" });
  say("one");
  clock.advance(500);
  await until(() => delivery.shipper.status.failures === 1);
  clock.advance(599_999);
  await setImmediate();
  assert.equal(frames.length, 1);
  clock.advance(1);
  await until(() => frames.length === 2);
  await delivery.stop(0);
});

test("a stop does not wait for a server that is gone", async () => {
  // Known to be down, and then gone without a word: 300 ms. Gone between two batches: a second.
  for (const [known, waitMs] of [
    [true, 300],
    [false, 1000],
  ] as const) {
    const { clock, delivery, frames, answers, say, until } = rig();
    delivery.shipper.start();
    await until(() => delivery.shipper.status.state === "sending");
    if (known) answers.push({ outcome: "later", reason: "ETIMEDOUT" });
    answers.push(SILENCE);
    say("one");
    clock.advance(500);
    await until(() => frames.length === 1);
    const stopped = delivery.stop(5000);
    let isStopped = false;
    void stopped.then(() => (isStopped = true));
    await until(() => frames.length === (known ? 2 : 1));
    clock.advance(waitMs - 1);
    await setImmediate();
    assert.ok(!isStopped);
    clock.advance(1);
    await stopped;
    assert.equal(delivery.chain.last?.header.entryCount, 1);
  }
});

test("a stop after two refused connections does not try a third", async () => {
  const { clock, delivery, frames, answers, say, until } = rig();
  for (let at = 0; at < 9; at++) answers.push({ outcome: "later", reason: "ECONNREFUSED" });
  delivery.shipper.start();
  await until(() => delivery.shipper.status.state === "sending");
  say("one");
  clock.advance(500);
  await until(() => delivery.shipper.status.failures === 1);
  await delivery.stop(5000);
  assert.equal(frames.length, 2);
});

test("a stop goes on for as long as the server takes one batch after the other", async () => {
  const { delivery, frames, say, until } = rig();
  delivery.shipper.start();
  await until(() => delivery.shipper.status.state === "sending");
  for (let at = 0; at < 4; at++) {
    say("x".repeat(50_000));
    delivery.stream.closeBody(FLAG.stop);
  }
  await delivery.stop(5000);
  assert.ok(frames.length >= 4);
  assert.ok(delivery.stream.queue.isEmpty);
});

test("with a revoked key nothing is sent, and the loop rests", async () => {
  const { clock, delivery, answers, requests, say, until } = rig();
  answers.push({ outcome: "refused", status: 403, code: "revoked_key", detail: "" });
  delivery.shipper.start();
  await delivery.shipper.recovered;
  say("one");
  clock.advance(500);
  await until(() => delivery.shipper.status.state === "halted");
  const sent = requests.length;
  clock.advance(60_000);
  await setImmediate();
  let pauses = 0;
  const after = clock.after.bind(clock);
  clock.after = (delayMs, call) => {
    pauses++;
    return after(delayMs, call);
  };
  for (let ms = 0; ms < 100; ms++) {
    clock.advance(1);
    await setImmediate();
  }
  assert.ok(pauses <= 1, `${pauses} pauses within 100 ms`);
  assert.equal(requests.length, sent);
});

test("a revoked node asks every hour, and goes on where it was once it is taken back", async () => {
  const { clock, delivery, answers, frames, headAnswers, requests, said, say, until } = rig();
  const revoked: Answer = { outcome: "refused", status: 403, code: "revoked_key", detail: "" };
  delivery.shipper.start();
  await delivery.shipper.recovered;
  answers.push(revoked);
  say("one");
  clock.advance(500);
  await until(() => delivery.shipper.status.state === "halted");
  headAnswers.push(revoked, { outcome: "later", reason: "ECONNREFUSED" });
  for (const count of [3, 4, 5]) {
    assert.equal(requests.length, count - 1);
    clock.advance(3_599_999);
    await setImmediate();
    assert.equal(requests.length, count - 1);
    assert.deepEqual(said, ["revoked"]);
    clock.advance(1);
    await until(() => requests.length >= count);
  }
  await until(() => frames.length === 2);
  assert.deepEqual(said, ["revoked", "taken back"]);
  assert.deepEqual(frames[1], frames[0]);
  await delivery.stop(0);
});

test("a spool that cannot be made anew ends nothing: it is said once, and tried again", async () => {
  const { delivery, paths } = rig();
  rmSync(paths.spool, { recursive: true });
  writeFileSync(paths.spool, "in the way");
  for (let look = 0; look < 3; look++) delivery.checkSpool();
  rmSync(paths.spool);
  delivery.checkSpool();
  const said = readFileSync(join(paths.log, "agent.log"), "utf8").trim().split("\n");
  assert.equal(said.filter((line) => line.includes("cannot be made anew")).length, 1);
  assert.match(said.at(-1) ?? "", /somebody removed the spool/);
  await delivery.stop(0);
});
