import assert from "node:assert/strict";
import { test } from "node:test";
import { replaceFile, readFile } from "../std/durable-file.ts";
import { MemoryDisk } from "../std/memory-disk.ts";
import { chainHash, encodeHeader } from "../format/batch.ts";
import { ChainWriter } from "./chain-writer.ts";
import { recoverHeads } from "./head-snapshot.ts";
import type { JournalRecord } from "./journal-port.ts";
import { MemoryJournal } from "../../test/simulate/memory-journal.ts";
import { SimNode } from "../../test/simulate/sim-node.ts";

const PATH = "/data/heads";

class CountingJournal extends MemoryJournal {
  readCount = 0;

  override async *read(fromIndex: number): AsyncIterable<JournalRecord> {
    for await (const record of super.read(fromIndex)) {
      this.readCount++;
      yield record;
    }
  }
}

/** A journal with `count` batches of three nodes, and a snapshot as a clean stop leaves it. */
async function written(count: number): Promise<{ journal: CountingJournal; disk: MemoryDisk }> {
  const journal = new CountingJournal();
  const disk = new MemoryDisk();
  await disk.mkdir("/data");
  await extend(journal, disk, count);
  return { journal, disk };
}

function onFatal(error: Error): never {
  throw error;
}

async function extend(journal: CountingJournal, disk: MemoryDisk, count: number): Promise<void> {
  const writer = await ChainWriter.open({ journal, snapshot: { disk, path: PATH }, onFatal });
  for (let sent = 0; sent < count; sent++) {
    const node = NODES[sent % 3] ?? new SimNode();
    const { header, frame } = node.next();
    const link = { header, hash: chainHash(encodeHeader(header)) };
    await writer.accept(node.id, link, { frame, receivedMs: 1_000 + sent });
    if (sent % 10 === 0) await writer.keepEvidence(frame, 1_000 + sent);
  }
  await writer.close();
}

let NODES: SimNode[] = [];

function fresh(): void {
  NODES = [new SimNode(), new SimNode(), new SimNode()];
}

async function expectHeads(journal: CountingJournal, disk: MemoryDisk): Promise<number> {
  journal.readCount = 0;
  const heads = await recoverHeads({ disk, path: PATH }, journal);
  for (const node of NODES) {
    const state = heads.get(node.id)?.state;
    assert.deepEqual(Buffer.from(state?.head ?? []), Buffer.from(node.head));
    assert.equal(state?.batches, node.batchNo);
    assert.equal(state?.nextSeq, node.nextSeq);
    const last = heads.get(node.id)?.recent.at(-1);
    assert.deepEqual(last?.hash, state?.head);
    assert.equal(journal.records[last?.index ?? -1]?.receivedMs, last?.receivedMs);
  }
  assert.equal(heads.nextIndex, journal.records.length);
  return journal.readCount;
}

test("snapshot: a start after a clean stop reads only the record that it ends with", async () => {
  fresh();
  const { journal, disk } = await written(100);
  assert.equal(await expectHeads(journal, disk), 1);
});

test("snapshot: what came after it is read from the journal", async () => {
  fresh();
  const { journal, disk } = await written(50);
  const old = await readFile(disk, PATH);
  await extend(journal, disk, 30);
  await replaceFile(disk, PATH, old ?? "");
  assert.equal(await expectHeads(journal, disk), 1 + 33);
});

const BROKEN: readonly (readonly [string, (text: string) => string])[] = [
  ["empty", () => ""],
  ["cut", (text) => text.slice(0, text.length / 2)],
  ["changed", (text) => text.replace('"version":1', '"version":2')],
  ["without its hash", (text) => text.slice(0, -66)],
  ["not text", () => "\u0000\u0001\n\n"],
];

for (const [name, change] of BROKEN) {
  test(`snapshot: one that is ${name} is not used`, async () => {
    fresh();
    const { journal, disk } = await written(40);
    const text = (await readFile(disk, PATH))?.toString() ?? "";
    await replaceFile(disk, PATH, change(text));
    assert.equal(await expectHeads(journal, disk), journal.records.length);
  });
}

test("snapshot: one of another journal, or of a longer one, is not used", async () => {
  fresh();
  const { disk } = await written(40);
  fresh();
  const { journal } = await written(40);
  assert.ok((await expectHeads(journal, disk)) >= journal.records.length);
  fresh();
  const long = await written(40);
  long.journal.records.splice(20);
  const heads = await recoverHeads({ disk: long.disk, path: PATH }, long.journal);
  assert.equal(heads.nextIndex, 20);
});
