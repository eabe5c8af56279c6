import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeFrame, FLAG, verifyHeader } from "../format/batch.ts";
import type { AuditEntry, Entry } from "../format/entry.ts";
import { publicKeyFromRaw } from "../format/identity.ts";
import { decodeEntries, decompressPayload } from "../format/payload.ts";
import { ManualClock } from "../std/clock.ts";
import { MemoryDisk } from "../std/memory-disk.ts";
import { ChainWriter } from "./chain-writer.ts";
import { MemoryJournal } from "../../test/simulate/memory-journal.ts";
import { OwnStream } from "./own-stream.ts";
import { loadServerKey, serverKeyFromSeed } from "./server-key.ts";

const key = serverKeyFromSeed(Buffer.alloc(32, 9));

function log(body: string): Entry {
  return { kind: "log", atMs: 1_800_000_000_000, severity: 9, body, attributes: {} };
}

const id = "00112233445566778899aabbccddeeff";
const audit: AuditEntry = {
  kind: "audit",
  atMs: 1_800_000_000_000,
  id,
  group: id,
  actor: { type: "user", id: "1", name: "ada" },
  address: "10.0.0.1",
  origin: "api",
  action: "view.create",
  read: false,
  target: { type: "view", id: "2", name: "night" },
  changes: [],
  outcome: "done",
  code: "",
  facts: {},
};

async function openStream(
  journal: MemoryJournal,
  clock: ManualClock,
): Promise<{ own: OwnStream; writer: ChainWriter }> {
  const snapshot = { disk: new MemoryDisk(), path: "/heads" };
  const writer = await ChainWriter.open({ journal, snapshot, onFatal: () => undefined });
  return { own: new OwnStream({ key, writer, clock }), writer };
}

/** All entries of the journal; checks every link and signature on the way. */
function entriesOf(journal: MemoryJournal): Entry[] {
  const publicKey = publicKeyFromRaw(key.publicKeyBytes);
  let batchNo = 0;
  return journal.records.flatMap(({ frame }) => {
    const { header, headerBytes, signature, payload } = decodeFrame(frame);
    assert.ok(verifyHeader(headerBytes, signature, publicKey));
    assert.equal(header.batchNo, batchNo++);
    return decodeEntries(decompressPayload(payload, header.rawBytes), header);
  });
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("own stream: appends that come together share a batch, in order", async () => {
  const journal = new MemoryJournal();
  const { own } = await openStream(journal, new ManualClock());
  const written = await Promise.all([own.append([log("a")]), own.append([log("b"), log("c")])]);
  assert.deepEqual(written, [{ index: 0 }, { index: 0 }]);
  assert.deepEqual(
    entriesOf(journal).map((entry) => (entry.kind === "log" ? entry.body : entry.kind)),
    ["tick", "a", "b", "c"],
  );
});

test("own stream: it ticks every five seconds and says when it stops", async () => {
  const journal = new MemoryJournal();
  const clock = new ManualClock();
  const { own } = await openStream(journal, clock);
  for (let round = 0; round < 3; round++) {
    await settle();
    clock.advance(5_000);
  }
  await settle();
  await own.close();
  const ticks = entriesOf(journal).map((entry) => entry.atMs - 1_800_000_000_000);
  assert.deepEqual(ticks, [0, 5_000, 10_000, 15_000]);
  const last = decodeFrame(journal.records.at(-1)?.frame ?? Buffer.alloc(0));
  assert.equal(last.header.flags, FLAG.stop);
  await assert.rejects(own.append([log("late")]), { code: "closed" });
});

test("own stream: it goes on where its journal ends", async () => {
  const journal = new MemoryJournal();
  const first = await openStream(journal, new ManualClock());
  await first.own.append([log("a")]);
  await first.own.close();
  const second = await openStream(journal, new ManualClock());
  await second.own.append([log("b")]);
  assert.equal(entriesOf(journal).length, 4);
});

test("own stream: a full journal refuses, and the next append goes on", async () => {
  const journal = new MemoryJournal();
  const { own } = await openStream(journal, new ManualClock());
  await settle();
  journal.before = () => Promise.reject(Object.assign(new Error(), { code: "journal_full" }));
  await assert.rejects(own.append([log("a")]), { code: "journal_full" });
  journal.before = () => Promise.resolve();
  assert.deepEqual(await own.append([log("b")]), { index: 1 });
  assert.equal(entriesOf(journal).length, 2);
});

test("own stream: what no batch can hold is the caller's mistake", async () => {
  const { own } = await openStream(new MemoryJournal(), new ManualClock());
  await assert.rejects(own.append([log("x".repeat(70_000))]), { code: "bad_entry" });
  await assert.rejects(own.append([log("€".repeat(22_000))]), { code: "bad_entry" });
  await assert.rejects(own.append(Array.from({ length: 5_000 }, () => log("x"))), RangeError);
});

test("own stream: what no reader of the journal would take is not written", async () => {
  const journal = new MemoryJournal();
  const { own } = await openStream(journal, new ManualClock());
  await settle();
  const twice = {
    ...audit,
    changes: [{ property: "a", old: null, new: { "\ud800": 1, "\udbff": 2 } }],
  };
  let deep: unknown = 1;
  for (let level = 0; level < 40; level++) deep = [deep];
  const nested = { ...audit, changes: [{ property: "a", old: null, new: deep }] };
  for (const entry of [twice, nested, { ...audit, action: "" }]) {
    await assert.rejects(own.append([audit, entry]), { code: "bad_entry" });
  }
  assert.deepEqual(await own.append([audit]), { index: 1 });
  assert.equal(entriesOf(journal).filter(({ kind }) => kind === "audit").length, 1);
});

test("own stream: many appends are split into batches and all are there", async () => {
  const journal = new MemoryJournal();
  const { own } = await openStream(journal, new ManualClock());
  const body = "y".repeat(5_000);
  await Promise.all(Array.from({ length: 2_000 }, () => own.append([log(body), log("z")])));
  assert.equal(entriesOf(journal).length, 4_001);
  assert.ok(journal.records.length > 3);
});

test("server key: made once, and never made anew for a journal that exists", async () => {
  const disk = new MemoryDisk();
  await disk.mkdir("/data");
  await assert.rejects(loadServerKey(disk, "/data", false), { code: "bad_server_key" });
  const made = await loadServerKey(disk, "/data", true);
  const again = await loadServerKey(disk, "/data", false);
  assert.deepEqual(again.nodeId, made.nodeId);
});
