/** The observer on a real kernel: two hosts in network namespaces, real connections between them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runLoad } from "../../bench/connection-load.ts";
import { enlargeEventBuffer } from "../lab/event-buffer.ts";
import { cannotRun, Mesh, type Host } from "../lab/namespaces.ts";
import { until } from "../lab/until.ts";
import { kernelDrops, Observer, run, start, type Printed } from "./observer-process.ts";

const skip = cannotRun();
const TRAFFIC = fileURLToPath(new URL("traffic.ts", import.meta.url));
const SECOND_MS = 1000;

function twoHosts(): Promise<Mesh> {
  return Mesh.open({ prefix: `tsob-${process.pid}`, hosts: ["a", "b"] });
}

test(
  "both ends say the same of each connection, with the kernel's counters",
  { skip },
  async (context) => {
    await using link = await twoHosts();
    const [a, b] = [link.host("a"), link.host("b")];
    const buffer = enlargeEventBuffer();
    context.after(() => buffer[Symbol.dispose]());
    using kernel = watchEnds(a);
    await using atA = await Observer.start(a);
    await using atB = await Observer.start(b);
    buffer[Symbol.dispose]();
    using answering = start(b, process.execPath, TRAFFIC, "answer");
    await firstOutput(answering);

    await runLoad({ from: a.namespace, to: b.namespace, address: b.ip, rate: 150, seconds: 2 });
    run(a, process.execPath, TRAFFIC, "ask", b.ip, "50");
    run(a, process.execPath, TRAFFIC, "refused", b.ip, "20");
    await atA.settled();
    await atB.settled();

    assert.equal(atA.of("open").length, 300 + 100 + 20);
    assert.deepEqual(tuples(atA), tuples(atB));
    assert.deepEqual(new Set(atA.of("open").map(({ role }) => role)), new Set(["initiator"]));
    assert.deepEqual(new Set(atB.of("open").map(({ role }) => role)), new Set(["responder"]));

    // Reading the table makes the kernel let go of what has timed out, instead of within a minute.
    for (const [host, observer] of [
      [a, atA],
      [b, atB],
    ] as const) {
      await until("the final counters of all", async () => {
        run(host, "conntrack", "-L");
        await observer.settled();
        return [...finals(observer).values()].length === 420;
      });
    }
    assert.deepEqual(states(atA), { SF: 350, REJ: 20, S0: 50 });
    assert.deepEqual(states(atB), { SF: 350, REJ: 20, S0: 50 });
    assert.deepEqual(ofBothEnds(atA), ofBothEnds(atB));
    await until("the kernel's own account", () => kernel.ends.size >= 420);
    for (const [key, counters] of finals(atA)) assert.equal(counters, kernel.ends.get(key), key);
    for (const observer of [atA, atB]) assert.deepEqual(observer.of("gap"), []);
  },
);

test("time stands still while the reader is stopped", { skip }, async () => {
  await using link = await twoHosts();
  const [a, b] = [link.host("a"), link.host("b")];
  await using observer = await Observer.start(a);
  const pid = await observer.readerPid();
  process.kill(pid, "SIGSTOP");
  const stoppedAtMs = Date.now();
  run(a, process.execPath, TRAFFIC, "refused", b.ip, "3");
  await until("three seconds later", () => Date.now() > stoppedAtMs + 3 * SECOND_MS);
  assert.ok((await observer.completeToMs()) <= stoppedAtMs);
  assert.equal(observer.of("open").length, 0);
  process.kill(pid, "SIGCONT");
  await observer.settled();
  assert.equal(observer.of("open").length, 3);
  assert.deepEqual(observer.of("gap"), []);
});

test("a killed reader is a gap, and what began meanwhile is found", { skip }, async () => {
  await using link = await twoHosts();
  const [a, b] = [link.host("a"), link.host("b")];
  await using observer = await Observer.start(a);
  using answering = start(b, process.execPath, TRAFFIC, "answer");
  await firstOutput(answering);
  await observer.settled();
  const pid = await observer.readerPid();
  // Stopped first, so that it does not see the connection before it dies.
  process.kill(pid, "SIGSTOP");
  using holding = start(a, process.execPath, TRAFFIC, "hold", b.ip);
  await firstOutput(holding);
  const killedAtMs = Date.now();
  process.kill(pid, "SIGKILL");
  await until("the gap", () => observer.of("gap").length > 0);
  const [gap] = observer.of("gap");
  assert.partialDeepStrictEqual(gap, { cause: "restart", count: null });
  assert.ok(Number(gap?.fromMs) <= killedAtMs && Number(gap?.toMs) >= killedAtMs);
  await until("the connection found", () => observer.of("open").length > 0);
  assert.partialDeepStrictEqual(observer.of("open"), [{ role: "initiator", pickup: true }]);
  holding.kill("SIGKILL");
  await until("its end", () => observer.of("close").length > 0);
});

test("every event that the kernel dropped is in a gap", { skip }, async () => {
  await using link = await twoHosts();
  const [a, b] = [link.host("a"), link.host("b")];
  await using observer = await Observer.start(a);
  const pid = await observer.readerPid();
  process.kill(pid, "SIGSTOP");
  let attempted = 0;
  await until("dropped events", async () => {
    const load = { from: a.namespace, to: b.namespace, address: b.ip, rate: 2000, seconds: 2 };
    attempted += (await runLoad(load)).attempted;
    return kernelDrops(pid) > 0;
  });
  const dropped = kernelDrops(pid);
  await until("all of them in gaps", () => lost(observer) >= dropped);
  // Not one more than the kernel says; each second's mark is dropped too.
  assert.ok(lost(observer) <= kernelDrops(pid));
  process.kill(pid, "SIGCONT");
  await observer.settled();
  assert.ok(observer.of("open").length <= attempted, "no half twice");
});

test(
  "under 10,000 connections a second it degrades and nothing is lost unsaid",
  { skip },
  async () => {
    await using link = await twoHosts();
    const [a, b] = [link.host("a"), link.host("b")];
    await using observer = await Observer.start(a);
    const load = { from: a.namespace, to: b.namespace, address: b.ip, rate: 10_000, seconds: 4 };
    const { attempted, succeeded } = await runLoad(load);
    await observer.settled();
    assert.equal(succeeded, attempted, "the host's traffic is not dropped");
    // A busy machine may not reach the rate; then there is nothing to degrade for.
    const lostEvents = lost(observer);
    if (lostEvents > 1000) {
      assert.partialDeepStrictEqual(observer.of("degraded"), [{ events: "ends" }]);
    }
    // Tuples are reused at this rate, so instances are counted: none missing unsaid, none twice.
    const opened = observer.of("open").length;
    assert.ok(opened <= attempted, `${opened} opened of ${attempted}`);
    assert.ok(opened + lostEvents >= attempted, `${opened} opened, ${lostEvents} lost`);
  },
);

/** How many halves ended how. */
function states(observer: Observer): Record<string, number> {
  const count: Record<string, number> = {};
  for (const { state } of observer.of("close")) {
    count[String(state)] = (count[String(state)] ?? 0) + 1;
  }
  return count;
}

function tuples(observer: Observer): string[] {
  return observer
    .of("open")
    .map(({ tuple }) => JSON.stringify(tuple))
    .sort();
}

/** Tuple and final counters, where both ends must say the same: all here, without loss or offload. */
function ofBothEnds(observer: Observer): string[] {
  return [...finals(observer)].map(([key, counters]) => `${key} ${counters}`).sort();
}

/** Last counters of each half, by `protocol:port→port`. */
function finals(observer: Observer): Map<string, string> {
  const keys = new Map(observer.of("open").map((open) => [open.seq, keyOf(open)]));
  const found = new Map<string, string>();
  for (const entry of observer.entries) {
    const { counters, openSeq } = entry as { counters?: Record<string, number>; openSeq?: number };
    const key = keys.get(openSeq ?? -1);
    if (counters !== undefined && key !== undefined) found.set(key, Object.values(counters).join());
  }
  return found;
}

function keyOf(open: Printed): string {
  const tuple = open.tuple as Record<string, number>;
  return `${tuple.protocol}:${tuple.initiatorPort}→${tuple.responderPort}`;
}

function lost(observer: Observer): number {
  const overflows = observer.of("gap").filter(({ cause }) => cause === "overflow");
  return overflows.reduce((sum, { count }) => sum + Number(count), 0);
}

/** The kernel's counters at each end of an entry, read by another process than the observer's. */
function watchEnds(host: Host): Disposable & { readonly ends: Map<string, string> } {
  const child = start(host, "conntrack", "-E", "-e", "DESTROY", "-o", "id");
  const ends = new Map<string, string>();
  let text = "";
  child.stdout?.on("data", (chunk) => {
    text += String(chunk);
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      const all = (name: string): string[] =>
        [...line.matchAll(new RegExp(` ${name}=(\\d+)`, "g"))].map(([, value]) => value ?? "");
      const protocol = line.includes(" tcp ") ? 6 : 17;
      const [sent, received] = all("packets");
      const [sentBytes, receivedBytes] = all("bytes");
      if (line.includes("dst=127.")) continue;
      const key = `${protocol}:${all("sport")[0]}→${all("dport")[0]}`;
      ends.set(key, [sent, sentBytes, received, receivedBytes].join());
    }
  });
  return { ends, [Symbol.dispose]: () => void child.kill("SIGKILL") };
}

async function firstOutput(child: ReturnType<typeof start>): Promise<void> {
  if (child.stdout !== null) await once(child.stdout, "data");
}
