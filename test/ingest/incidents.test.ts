/** Replay, fork and forgery against a real server: each ends as one finding with its evidence. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Journal } from "../../src/journal/journal.ts";
import { SimNode } from "../simulate/sim-node.ts";
import { sendBatch } from "./client.ts";
import { auditJournal } from "./journal-audit.ts";
import { serveIngest } from "./serve.ts";

test("each attempt is one finding of the server's own stream; honest nodes have none", async () => {
  const directory = await mkdtemp(join(tmpdir(), "ingest-incidents-"));
  const journal = await Journal.open({ dir: join(directory, "journal") });
  const serving = await serveIngest({ directory, journal });
  const nodes = Array.from({ length: 5 }, () => new SimNode());
  const [honest, replayed, forked, forged, revoked] = nodes as [
    ...[SimNode, SimNode, SimNode, SimNode, SimNode],
  ];
  for (const node of nodes) serving.enrolTest(node);
  const code = async (frame: Buffer): Promise<unknown> => {
    const { status, body } = await sendBatch(serving.url, frame);
    return status === 200 ? "acked" : body["code"];
  };
  const old = replayed.next().frame;
  assert.equal(await code(old), "acked");
  for (const node of nodes) assert.equal(await code(node.next().frame), "acked");
  assert.equal(await code(old), "replayed");
  const twin = forked.sign({ entries: [forked.logEntry("one")] }).frame;
  assert.equal(await code(forked.next().frame), "acked");
  assert.equal(await code(twin), "fork");
  const key = new SimNode().key;
  assert.equal(await code(forged.sign({ key }).frame), "bad_signature");
  serving.nodes.set(revoked.id, revoked.known("revoked"));
  // It cannot know before it is told.
  assert.equal(await code(revoked.sign().frame), "revoked_key");
  assert.equal(await code(honest.next().frame), "acked");
  assert.equal(await code(new SimNode().next().frame), "unknown_node");
  await delay(50);
  await serving.close();
  await journal.close();

  const audit = await auditJournal(directory, nodes);
  const found = audit.findings.map((finding) => `${finding.finding} ${finding.node}`).toSorted();
  assert.deepEqual(found, [`forged ${forged.id}`, `fork ${forked.id}`, `replayed ${replayed.id}`]);
  assert.deepEqual(
    audit.evidence.map((record) => Buffer.from(record.frame)),
    [twin],
  );
  const fork = audit.findings.find((finding) => finding.finding === "fork");
  const samples = fork?.evidence["samples"] as Record<string, unknown>[] | undefined;
  const sample = samples?.[0];
  assert.equal(sample?.["evidenceIndex"], audit.evidence[0]?.index);
  assert.equal(sample?.["genuineHash"], audit.chains.get(forked.id)?.[1]);
  assert.equal(sample?.["remote"], "127.0.0.1");
  assert.deepEqual(serving.errors, []);
  await rm(directory, { recursive: true });
});
