/** kill -9 under load: what was acked is there once, in order, and every chain goes on by itself. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { chainHash, encodeHeader } from "../../src/format/batch.ts";
import type { Sealed, SimNode } from "../simulate/sim-node.ts";
import { sendBatch } from "./client.ts";
import { auditJournal } from "./journal-audit.ts";
import { testNode } from "./server-process.ts";
import { IngestProcess } from "./spawn-server.ts";

const NODES = 6;
const KILLS = 5;
const RUN_MS = 400;

interface Sender {
  readonly node: SimNode;
  /** Chain hashes that a receipt was given for, in order. */
  readonly acked: string[];
  /** Sealed and sent, its fate unknown. */
  unknown: Sealed | undefined;
}

/** Sends until the server is gone, as an agent does: the same batch again until it is acked. */
async function send(sender: Sender, url: string): Promise<void> {
  for (;;) {
    const sealed = sender.unknown ?? sender.node.next();
    sender.unknown = sealed;
    let status: number;
    try {
      status = (await sendBatch(url, sealed.frame)).status;
    } catch {
      return;
    }
    assert.equal(status, 200);
    sender.acked.push(chainHash(encodeHeader(sealed.header)).toString("hex"));
    sender.unknown = undefined;
  }
}

test("kill -9 under load, five times: nothing acked is missing, nothing is twice", async () => {
  const directory = await mkdtemp(join(tmpdir(), "ingest-crash-"));
  const senders = Array.from({ length: NODES }, (_, number): Sender => {
    return { node: testNode(number), acked: [], unknown: undefined };
  });
  for (let round = 0; round < KILLS; round++) {
    const server = await IngestProcess.start(directory, NODES);
    const sending = senders.map((sender) => send(sender, server.url));
    await delay(RUN_MS + round * 37);
    await server.kill();
    await Promise.all(sending);
  }
  const last = await IngestProcess.start(directory, NODES);
  for (const sender of senders) {
    const { frame } = sender.unknown ?? sender.node.next();
    const answer = await sendBatch(last.url, frame);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    sender.acked.push(Buffer.from(sender.node.head).toString("hex"));
  }
  assert.equal(await last.stop(), 0);
  const nodes = senders.map((sender) => sender.node);
  const { chains, findings } = await auditJournal(directory, nodes);
  for (const { node, acked } of senders) assert.deepEqual(chains.get(node.id), acked);
  assert.ok(senders.every((sender) => sender.acked.length > KILLS));
  assert.deepEqual(findings, []);
  await rm(directory, { recursive: true });
});
