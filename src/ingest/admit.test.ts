import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { test } from "node:test";
import { openReceipt } from "../format/receipt.ts";
import { ManualClock } from "../std/clock.ts";
import { MemoryDisk } from "../std/memory-disk.ts";
import { Admission, type AdmitResult } from "./admit.ts";
import { ChainWriter } from "./chain-writer.ts";
import type { IngestError } from "./errors.ts";
import type { Incident } from "./incident.ts";
import { INGEST_LIMITS, type IngestLimits } from "./limits.ts";
import { MemoryJournal } from "../../test/simulate/memory-journal.ts";
import type { KnownNode } from "./node-directory.ts";
import { serverKeyFromSeed } from "./server-key.ts";
import { SimNode } from "../../test/simulate/sim-node.ts";

const serverKey = serverKeyFromSeed(Buffer.alloc(32, 3));

interface Bench {
  readonly journal: MemoryJournal;
  readonly clock: ManualClock;
  readonly nodes: Map<string, KnownNode>;
  readonly incidents: Incident[];
  readonly fatal: IngestError[];
  readonly writer: ChainWriter;
  readonly admission: Admission;
  enrolled(): SimNode;
  send(frame: Uint8Array): Promise<AdmitResult>;
  code(frame: Uint8Array): Promise<string>;
}

async function open(
  journal = new MemoryJournal(),
  limits: Partial<IngestLimits> = {},
): Promise<Bench> {
  const clock = new ManualClock();
  const nodes = new Map<string, KnownNode>();
  const incidents: Incident[] = [];
  const fatal: IngestError[] = [];
  const snapshot = { disk: new MemoryDisk(), path: "/heads" };
  const onFatal = (error: IngestError): void => void fatal.push(error);
  const writer = await ChainWriter.open({ journal, snapshot, onFatal });
  const admission = new Admission({
    lookup: (id) => nodes.get(id),
    writer,
    journal,
    serverKey: serverKey.privateKey,
    clock,
    report: (incident) => void incidents.push(incident),
    limits: { ...INGEST_LIMITS, ...limits },
  });
  const send = async (frame: Uint8Array): Promise<AdmitResult> => {
    const sender = admission.authenticate(frame, "192.0.2.1");
    return "outcome" in sender ? sender : admission.admit(sender, frame);
  };
  return {
    journal,
    clock,
    nodes,
    incidents,
    fatal,
    writer,
    admission,
    send,
    enrolled: () => {
      const node = new SimNode();
      nodes.set(node.id, node.known());
      return node;
    },
    code: async (frame) => {
      const result = await send(frame);
      if (result.outcome === "refused") return result.code;
      return result.duplicate ? "duplicate" : "acked";
    },
  };
}

test("admit: nothing is acked before it is durable", async () => {
  const bench = await open();
  const durable = Promise.withResolvers<void>();
  bench.journal.after = () => durable.promise;
  const node = bench.enrolled();
  let acked = false;
  const result = bench.send(node.next().frame).then((answer) => {
    acked = true;
    return answer;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(acked, false);
  assert.equal(bench.writer.chain(node.id), undefined);
  durable.resolve();
  const answer = await result;
  assert.ok(answer.outcome === "acked");
  const key = createPublicKey(serverKey.privateKey);
  assert.equal(openReceipt(answer.receipt, key).index, 0);
});

test("admit: the same batch twice at once is one record and one receipt", async () => {
  const bench = await open();
  const { frame } = bench.enrolled().next();
  const answers = await Promise.all([1, 2, 3].map(() => bench.send(Buffer.from(frame))));
  assert.equal(bench.journal.records.length, 1);
  const receipts = answers.map((one) => one.outcome === "acked" && one.receipt.toString("hex"));
  assert.equal(new Set(receipts).size, 1);
  assert.deepEqual(
    answers.map((one) => one.outcome === "acked" && one.duplicate),
    [false, true, true],
  );
});

test("admit: a node's batches sent at once are taken in their order", async () => {
  const bench = await open();
  const node = bench.enrolled();
  const frames = Array.from({ length: 20 }, () => node.next().frame);
  const codes = await Promise.all(frames.map((frame) => bench.code(frame)));
  assert.deepEqual(new Set(codes), new Set(["acked"]));
  assert.deepEqual(
    bench.journal.records.map((record) => Buffer.from(record.frame)),
    frames,
  );
});

interface Fault {
  readonly name: string;
  readonly when: "before" | "after";
  /** The error's code; undefined: one that says nothing. */
  readonly error: string | undefined;
  readonly expect: string;
  readonly fatal: boolean;
  /** What the same batch gets next, from the same process or, when that died, the next one. */
  readonly next: string;
}

const FAULTS: readonly Fault[] = [
  {
    name: "the journal is full",
    when: "before",
    error: "journal_full",
    expect: "journal_full",
    fatal: false,
    next: "acked",
  },
  {
    name: "the journal is busy",
    when: "before",
    error: "journal_busy",
    expect: "busy",
    fatal: false,
    next: "acked",
  },
  {
    name: "the journal is closing",
    when: "before",
    error: "journal_closed",
    expect: "journal_failed",
    fatal: false,
    next: "acked",
  },
  {
    name: "not persisted, reported as failed",
    when: "before",
    error: "journal_failed",
    expect: "journal_failed",
    fatal: true,
    next: "acked",
  },
  {
    name: "persisted, reported as failed",
    when: "after",
    error: "journal_failed",
    expect: "journal_failed",
    fatal: true,
    next: "duplicate",
  },
  {
    name: "persisted, an unknown error",
    when: "after",
    error: undefined,
    expect: "journal_failed",
    fatal: true,
    next: "duplicate",
  },
];

for (const fault of FAULTS) {
  test(`admit: ${fault.name} → ${fault.expect}, then ${fault.next}`, async () => {
    const first = await open();
    const node = first.enrolled();
    assert.equal(await first.code(node.next().frame), "acked");
    first.journal[fault.when] = () =>
      Promise.reject(Object.assign(new Error("broken"), { code: fault.error }));
    const { frame } = node.next();
    assert.equal(await first.code(frame), fault.expect);
    assert.equal(first.fatal.length, fault.fatal ? 1 : 0);
    assert.equal(first.writer.chain(node.id)?.state.batches, 1, "the head has not moved");
    first.journal[fault.when] = () => Promise.resolve();
    if (fault.fatal) assert.equal(await first.code(frame), "journal_failed");
    const then = fault.fatal ? await open(first.journal) : first;
    then.nodes.set(node.id, node.known());
    assert.equal(await then.code(frame), fault.next);
    assert.equal(await then.code(node.next().frame), "acked");
    assert.equal(then.journal.records.length, 3);
  });
}

test("admit: heads after a restart are those of the journal", async () => {
  const first = await open();
  const node = first.enrolled();
  const frames = Array.from({ length: 30 }, () => node.next().frame);
  for (const frame of frames) assert.equal(await first.code(frame), "acked");
  const second = await open(first.journal);
  second.nodes.set(node.id, node.known());
  assert.equal(await second.code(frames[29] ?? Buffer.alloc(0)), "duplicate");
  assert.equal(await second.code(frames[3] ?? Buffer.alloc(0)), "replayed");
  assert.equal(await second.code(node.next().frame), "acked");
  const replay = second.incidents[0];
  assert.equal(replay?.kind, "replayed");
  assert.equal(replay?.genuine?.index, 3);
});

test("admit: an old number with another content is found in the journal to be a fork", async () => {
  const bench = await open();
  const node = bench.enrolled();
  await bench.send(node.next().frame);
  const early = node.place();
  for (let sent = 0; sent < 40; sent++) await bench.send(node.next().frame);
  const late = node.place();
  node.rewind(early);
  const forked = node.sign({ entries: [node.logEntry("another past")] }).frame;
  assert.equal(await bench.code(forked), "fork");
  node.rewind(late);
  assert.equal(await bench.code(node.next().frame), "acked");
  await new Promise((resolve) => setImmediate(resolve));
  const incident = bench.incidents[0];
  assert.equal(incident?.kind, "fork");
  assert.equal(incident?.genuine?.index, 1);
  const evidence = bench.journal.records[incident?.evidenceIndex ?? -1];
  assert.equal(evidence?.type, "evidence");
  assert.deepEqual(Buffer.from(evidence?.frame ?? []), forked);
});

test("admit: forks are kept as evidence a bounded number of times", async () => {
  const bench = await open(undefined, { evidencePerNodeDayMax: 3 });
  const node = bench.enrolled();
  await bench.send(node.next().frame);
  for (let attempt = 0; attempt < 10; attempt++) {
    const prevHash = Buffer.alloc(32, attempt);
    assert.equal(await bench.code(node.sign({ header: { prevHash } }).frame), "fork");
  }
  await new Promise((resolve) => setImmediate(resolve));
  const kept = (): number => bench.journal.records.filter((one) => one.type === "evidence").length;
  assert.equal(kept(), 3);
  assert.equal(bench.incidents.length, 10);
  bench.clock.advance(24 * 3_600_000);
  await bench.code(node.sign({ header: { prevHash: Buffer.alloc(32, 99) } }).frame);
  assert.equal(kept(), 4);
});

test("admit: a fork whose payload is not its own keeps only header and signature", async () => {
  const bench = await open();
  const node = bench.enrolled();
  await bench.send(node.next().frame);
  const { frame } = node.sign({ header: { prevHash: Buffer.alloc(32) } });
  frame[frame.length - 1] = (frame.at(-1) ?? 0) ^ 1;
  assert.equal(await bench.code(frame), "fork");
  assert.equal(bench.journal.records[1]?.frame.length, 296);
});

test("admit: a key revoked while its batch waits is refused", async () => {
  const bench = await open();
  const node = bench.enrolled();
  const durable = Promise.withResolvers<void>();
  bench.journal.after = () => durable.promise;
  const first = bench.code(node.next().frame);
  const second = bench.code(node.next().frame);
  bench.nodes.set(node.id, node.known("revoked"));
  const settled = bench.admission.settled(node.id);
  durable.resolve();
  assert.deepEqual([await first, await second], ["acked", "revoked_key"]);
  assert.equal((await settled)?.batches, 1);
});

test("admit: a bomb is refused for the size that it announces, or for not keeping to it", async () => {
  const bench = await open();
  const node = bench.enrolled();
  const raw = Buffer.alloc(16 * 1024 * 1024 - 1, "a");
  const bomb = { raw, header: { rawBytes: 100 } };
  assert.equal(await bench.code(node.sign(bomb).frame), "bad_payload");
  assert.equal(await bench.code(node.sign({ raw }).frame), "bad_payload");
});

test("admit: a node's share refills with time", async () => {
  const bench = await open(undefined, { entriesPerS: 10, entriesBurst: 10 });
  const node = bench.enrolled();
  const entries = Array.from({ length: 10 }, () => node.logEntry());
  assert.equal(await bench.code(node.next({ entries }).frame), "acked");
  const sealed = node.sign({ entries });
  assert.equal(await bench.code(sealed.frame), "rate_limited");
  bench.clock.advance(1_000);
  assert.equal(await bench.code(sealed.frame), "acked");
  const other = bench.enrolled();
  assert.equal(await bench.code(other.next({ entries }).frame), "acked");
});
