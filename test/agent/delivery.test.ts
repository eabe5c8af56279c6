/** From an entry on a node to the journal, over real HTTP: what arrives, and what is said when it cannot. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { cp, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { FLAG } from "../../src/format/batch.ts";
import type { Entry } from "../../src/format/entry.ts";
import { statePaths } from "../../src/agent/state-directory.ts";
import { readStatus } from "../../src/agent/status.ts";
import { startAgent } from "./run.ts";
import { World } from "./world.ts";

const bodies = (entries: readonly Entry[]): string[] =>
  entries.flatMap((entry) =>
    entry.kind === "log" && !("source" in entry.attributes) ? [entry.body] : [],
  );
const kinds = (entries: readonly Entry[]): string[] => entries.map(({ kind }) => kind);
const has = (world: World, node: string, body: string): boolean =>
  bodies(world.entries(node)).includes(body);

test("a run arrives whole: start first, stop last, numbers without a hole", async () => {
  await using world = await World.open();
  const agent = await startAgent(world);
  for (let at = 0; at < 1000; at++) agent.say(`one ${at}`);
  await world.until(() => has(world, agent.node, "one 999"));
  await agent.stop("SIGTERM");
  const arrived = world.arrived(agent.node);
  const entries = world.entries(agent.node);
  assert.equal(entries[0]?.kind, "start");
  assert.deepEqual(entries.at(-1), { kind: "stop", atMs: entries.at(-1)?.atMs, reason: "SIGTERM" });
  assert.equal((arrived.at(-1)?.header.flags ?? 0) & FLAG.stop, FLAG.stop);
  assert.deepEqual(
    arrived.flatMap((batch) => batch.entries.map(({ seq }) => seq)),
    entries.map((_, seq) => seq),
  );
  assert.deepEqual(world.findings, []);
});

test("a clean restart goes on in the same chain without a gap", async () => {
  await using world = await World.open();
  const first = await startAgent(world);
  first.say("before");
  await first.stop();
  const second = await startAgent(world);
  second.say("after");
  await second.stop();
  assert.equal(second.node, first.node);
  const entries = world.entries(first.node);
  assert.deepEqual(bodies(entries), ["before", "after"]);
  assert.ok(!kinds(entries).includes("gap"));
  assert.ok(world.arrived(first.node).every(({ header }) => header.epoch === 0));
});

test("a killed run is counted from what it last sent, though its status was never written", async () => {
  await using world = await World.open();
  const first = await startAgent(world);
  await first.stop();
  // As a kill leaves it that came before the first status: numbers reserved, the status an old one.
  const paths = statePaths(first.state);
  const { reservedTo } = JSON.parse(readFileSync(paths.numbering, "utf8")) as Record<
    string,
    number
  >;
  const reserved = { reservedTo: (reservedTo ?? 0) + 65_536, clean: false };
  writeFileSync(paths.numbering, JSON.stringify(reserved));
  writeFileSync(paths.status, JSON.stringify({ ...readStatus(paths), updatedMs: 1000 }));
  const second = await startAgent(world);
  await second.stop();
  const gap = world.entries(first.node).find((entry) => entry.kind === "gap");
  assert.deepEqual([gap?.cause, gap?.count], ["restart", null]);
  const closedAtMs = world.arrived(first.node)[0]?.header.closedAtMs ?? Infinity;
  assert.ok((gap?.fromMs ?? 0) >= closedAtMs);
});

test("while the server is away entries wait on disk, and come in few batches afterwards", async () => {
  await using world = await World.open();
  const agent = await startAgent(world);
  await world.until(() => world.entries(agent.node).length > 0);
  await world.stop();
  for (let at = 0; at < 20; at++) agent.say(`waiting ${at}`);
  await agent.stop();
  await world.start();
  const next = await startAgent(world);
  await next.stop();
  assert.equal(bodies(world.entries(agent.node)).length, 20);
  assert.ok(!kinds(world.entries(agent.node)).includes("gap"));
});

test("a full spool gives up its oldest, and says exactly which", async () => {
  await using world = await World.open();
  const first = await startAgent(world);
  await first.stop();
  await world.stop();
  const agent = await startAgent(world, { spoolBytesMax: 1024 * 1024 });
  const last = Array.from({ length: 60 }, () => agent.say(noise())).at(-1) ?? 0;
  await agent.stop();
  await world.start();
  const next = await startAgent(world);
  await next.stop();
  const seqs = new Set(
    world.arrived(agent.node).flatMap(({ entries }) => entries.map(({ seq }) => seq)),
  );
  const gaps = world.entries(agent.node).filter((entry) => entry.kind === "gap");
  assert.ok(gaps.length > 0);
  let declared = 0;
  for (const gap of gaps) {
    assert.equal(gap.cause, "spool");
    assert.ok(gap.seqs !== undefined);
    for (let seq = gap.seqs[0]; seq <= gap.seqs[1]; seq++) {
      declared++;
      assert.ok(!seqs.has(seq), `${seq} was declared lost and arrived`);
      seqs.add(seq);
    }
  }
  assert.equal(
    declared,
    gaps.reduce((sum, gap) => sum + (gap.count ?? 0), 0),
  );
  for (let seq = 0; seq <= last; seq++)
    assert.ok(seqs.has(seq), `${seq} neither came nor was declared`);
});

test("a state directory brought back from a copy begins a new epoch with rollback{state}", async () => {
  await using world = await World.open();
  const first = await startAgent(world);
  await first.stop();
  await cp(first.state, world.state("copy"), { recursive: true });
  const second = await startAgent(world);
  second.say("later");
  await second.stop();
  const restored = await startAgent(world, { at: "copy" });
  restored.say("restored");
  await restored.stop();
  assert.deepEqual(epochsOf(world, first.node), [0, 1]);
  const epoch = world.arrived(first.node).filter(({ header }) => header.epoch === 1);
  const [rollback, gap] = epoch.flatMap(({ entries }) => entries.map(({ entry }) => entry));
  assert.ok(rollback?.kind === "rollback" && gap?.kind === "gap");
  assert.equal(rollback.cause, "state");
  assert.deepEqual([gap.cause, gap.count], ["restart", null]);
  assert.ok(has(world, first.node, "restored"));
});

test("what waited when a state directory was copied is not sent twice, and one gap says what is unknown", async () => {
  await using world = await World.open();
  const first = await startAgent(world);
  await world.until(() => world.entries(first.node).length > 0);
  await world.stop();
  first.say("waited");
  await setTimeout(700);
  await cp(first.state, world.state("copy"), { recursive: true });
  await rm(statePaths(world.state("copy")).lock, { force: true });
  await world.start();
  first.say("later");
  await first.stop();
  const restored = await startAgent(world, { at: "copy" });
  restored.say("restored");
  await restored.stop();
  const entries = world.entries(first.node);
  assert.deepEqual(bodies(entries), ["waited", "later", "restored"]);
  const gaps = entries.filter((entry) => entry.kind === "gap");
  assert.deepEqual(
    gaps.map(({ cause, count }) => [cause, count]),
    [["restart", null]],
  );
  assert.deepEqual(epochsOf(world, first.node), [0, 1]);
  assert.deepEqual(world.findings, []);
});

test("a copied state that ran on without its server keeps what it recorded", async () => {
  await using world = await World.open();
  const first = await startAgent(world);
  await world.until(() => world.entries(first.node).length > 0);
  await first.stop();
  await cp(first.state, world.state("copy"), { recursive: true });
  const second = await startAgent(world);
  for (let at = 0; at < 200; at++) second.say(`other ${at}`);
  await second.stop();
  await world.stop();
  const alone = await startAgent(world, { at: "copy" });
  alone.say("alone");
  await alone.stop();
  await world.start();
  const restored = await startAgent(world, { at: "copy" });
  await restored.stop();
  assert.ok(has(world, first.node, "alone"), "its number was given to another entry as well");
});

test("a copy on another machine says that it is a clone", async () => {
  await using world = await World.open();
  const first = await startAgent(world);
  await first.stop();
  await cp(first.state, world.state("copy"), { recursive: true });
  const second = await startAgent(world);
  await second.stop();
  const machineIdFile = join(import.meta.dirname, "run.ts");
  const clone = await startAgent(world, { at: "copy", hooks: { machineIdFile } });
  await clone.stop();
  const rollback = world.entries(first.node).find((entry) => entry.kind === "rollback");
  assert.equal(rollback?.cause, "clone");
  const again = await startAgent(world, { at: "copy", hooks: { machineIdFile } });
  await again.stop();
  assert.deepEqual(epochsOf(world, first.node), [0, 1]);
});

test("a spool removed between two runs is rollback{state} and a gap that nobody can count", async () => {
  await using world = await World.open();
  const first = await startAgent(world);
  await first.stop();
  await rm(join(first.state, "spool"), { recursive: true });
  const second = await startAgent(world);
  second.say("after");
  await second.stop();
  const epoch = world.arrived(first.node).filter(({ header }) => header.epoch === 1);
  const entries = epoch.flatMap((batch) => batch.entries.map(({ entry }) => entry));
  assert.deepEqual(kinds(entries).slice(0, 2), ["rollback", "gap"]);
  assert.equal(kinds(entries).filter((kind) => kind === "gap").length, 1);
  assert.ok(has(world, first.node, "after"));
});

test("a spool removed under a running agent is declared, and the chain goes on", async () => {
  await using world = await World.open();
  const agent = await startAgent(world);
  agent.say("before");
  await world.until(() => has(world, agent.node, "before"));
  await rm(join(agent.state, "spool"), { recursive: true });
  agent.say("after");
  await world.until(() => world.entries(agent.node).some(({ kind }) => kind === "gap"));
  await agent.stop();
  assert.deepEqual(bodies(world.entries(agent.node)), ["before", "after"]);
  const gap = world.entries(agent.node).find((entry) => entry.kind === "gap");
  assert.deepEqual([gap?.cause, gap?.count], ["lost", null]);
  assert.deepEqual(epochsOf(world, agent.node), [0]);
});

test("damage in the middle of the spool is declared by number, and the rest arrives", async () => {
  await using world = await World.open();
  const first = await startAgent(world);
  await first.stop();
  await world.stop();
  const agent = await startAgent(world, { spoolBytesMax: 2 ** 20 * 4 });
  for (let at = 0; at < 30; at++) agent.say(noise());
  agent.say("last");
  await agent.stop();
  const spool = join(agent.state, "spool");
  const [file = ""] = (await readdir(spool)).filter((name) => name.startsWith("bodies-")).sort();
  const bytes = readFileSync(join(spool, file));
  writeFileSync(join(spool, file), bytes.fill(0, bytes.length >> 1, (bytes.length >> 1) + 8));
  await world.start();
  const next = await startAgent(world);
  await next.stop();
  assert.ok(has(world, agent.node, "last"));
  const seqs = new Set(
    world.arrived(agent.node).flatMap(({ entries }) => entries.map((e) => e.seq)),
  );
  const gaps = world.entries(agent.node).filter((entry) => entry.kind === "gap");
  assert.deepEqual(
    gaps.map(({ cause, count }) => [cause, count]),
    [["lost", null]],
  );
  const missing = Array.from({ length: Math.max(...seqs) }, (_, seq) => seq).filter(
    (seq) => !seqs.has(seq),
  );
  assert.deepEqual(gaps[0]?.seqs, [missing[0], missing.at(-1)]);
});

test("a server that comes back from a backup gets again what it lacks, while it is still here", async () => {
  await using world = await World.open();
  const agent = await startAgent(world);
  for (const body of ["one", "two", "three"]) {
    agent.say(body);
    await world.until(() => has(world, agent.node, body));
  }
  await agent.stop();
  await world.stop();
  while (has(world, agent.node, "two")) world.forget(1);
  await world.start();
  const next = await startAgent(world);
  await next.stop();
  assert.deepEqual(bodies(world.entries(agent.node)), ["one", "two", "three"]);
  assert.deepEqual(epochsOf(world, agent.node), [0]);
  assert.ok(!kinds(world.entries(agent.node)).includes("rollback"));
});

test("a server that lacks more than is still here: a new epoch, and the loss by number", async () => {
  await using world = await World.open();
  const agent = await startAgent(world, { spoolBytesMax: 64 * 1024 * 1024 });
  for (let at = 0; at < 300; at++) agent.say(noise());
  agent.say("last");
  await world.until(() => has(world, agent.node, "last"));
  await agent.stop();
  const lastSeq = world.arrived(agent.node).at(-1)?.entries.at(-1)?.seq;
  await world.stop();
  while (world.arrived(agent.node).length > 1) world.forget(1);
  const keptSeq = world.arrived(agent.node)[0]?.entries.at(-1)?.seq ?? 0;
  await world.start();
  const next = await startAgent(world);
  next.say("after");
  await next.stop();
  const epoch = world.arrived(agent.node).filter(({ header }) => header.epoch === 1);
  const [rollback, gap] = epoch.flatMap(({ entries }) => entries.map(({ entry }) => entry));
  assert.ok(rollback?.kind === "rollback" && gap?.kind === "gap");
  assert.equal(rollback.cause, "server");
  assert.deepEqual(gap.seqs, [keptSeq + 1, lastSeq]);
  assert.ok(has(world, agent.node, "after"));
});

test("two machines with one key: each break is said, and what both saw arrives", async () => {
  await using world = await World.open();
  const first = await startAgent(world);
  await first.stop();
  await cp(first.state, world.state("copy"), { recursive: true });
  const [one, two] = [await startAgent(world), await startAgent(world, { at: "copy" })];
  for (const round of [1, 2]) {
    for (const agent of [one, two]) {
      const said = `${agent.state} ${round}`;
      agent.say(said);
      await world.until(() => has(world, first.node, said));
    }
  }
  await Promise.all([one.stop(), two.stop()]);
  const epochs = epochsOf(world, first.node);
  assert.deepEqual(
    epochs,
    epochs.map((_, epoch) => epoch),
  );
  assert.ok(epochs.length >= 4);
  assert.ok(world.findings.every(({ finding }) => ["fork", "replayed"].includes(finding)));
});

test("a batch that the server refuses for good is declared lost, once, and the stream goes on", async () => {
  await using world = await World.open();
  const agent = await startAgent(world);
  await world.until(() => world.entries(agent.node).length > 0);
  // An entry that only the server may write stands for a mistake of ours.
  const poison = agent.emit({ kind: "tick", atMs: Date.now() });
  await world.until(() => epochsOf(world, agent.node).includes(1));
  agent.say("after");
  await agent.stop();
  assert.ok(has(world, agent.node, "after"));
  const gaps = world.entries(agent.node).filter((entry) => entry.kind === "gap");
  assert.equal(gaps.length, 1);
  const [first = 0, last = -1] = gaps[0]?.seqs ?? [];
  assert.ok(first <= poison && poison <= last);
  assert.equal(gaps[0]?.count, last - first + 1);
});

test("a revoked key: the agent stays up, rests, keeps what is unsent, and says so", async () => {
  await using world = await World.open();
  const lines: string[] = [];
  const agent = await startAgent(world, { hooks: { print: (line) => void lines.push(line) } });
  await world.until(() => world.entries(agent.node).length > 0);
  world.revoke(agent.node);
  const before = world.arrived(agent.node).length;
  agent.say("unheard");
  const paths = statePaths(agent.state);
  while (readStatus(paths)?.state !== "revoked") await setTimeout(100);
  assert.match(readStatus(paths)?.lastError ?? "", /^revoked_key/);
  await agent.stop();
  assert.equal(world.arrived(agent.node).length, before);
  assert.ok(lines.some((line) => line.includes("revoked")));

  const again = await startAgent(world);
  assert.equal(readStatus(paths)?.state, "revoked");
  await again.stop();
  assert.equal(world.arrived(agent.node).length, before);
  assert.ok((readStatus(paths)?.unsentEntries ?? 0) > 0);
});

test("one agent at a time has a state directory", async () => {
  await using world = await World.open();
  const agent = await startAgent(world);
  await assert.rejects(startAgent(world), { code: "state_in_use" });
  await agent.stop();
});

test("what the node keeps is for its owner alone", async () => {
  await using world = await World.open();
  const agent = await startAgent(world);
  await agent.stop();
  for (const entry of await readdir(agent.state, { recursive: true, withFileTypes: true })) {
    const { mode } = await stat(join(entry.parentPath, entry.name));
    assert.equal(mode & 0o077, 0, entry.name);
  }
});

/** What no compression makes small. */
function noise(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(44_000))).toString("base64");
}

function epochsOf(world: World, node: string): number[] {
  return [...new Set(world.arrived(node).map(({ header }) => header.epoch))];
}
