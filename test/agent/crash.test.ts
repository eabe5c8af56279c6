/** The agent is killed at every crash point; the next start must make an honest whole of what is left. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { CRASH_POINTS, type CrashPoint } from "../../src/std/crash-point.ts";
import { nodeOf } from "./run.ts";
import { World } from "./world.ts";

const PROGRAM = join(import.meta.dirname, "agent-process.ts");

interface Child {
  readonly process: ChildProcess;
  /** Numbers that were given, by text. */
  readonly given: Map<string, number>;
  readonly exit: Promise<unknown>;
  /** Resolves with the line, or undefined when the process ended first. */
  until(holds: (line: string) => boolean): Promise<string | undefined>;
  say(body: string): void;
}

const nothing = (): void => undefined;

function start(world: World, how: { crashAt?: string; optOut?: string } = {}): Child {
  const args = [
    world.url,
    world.state("state"),
    world.keyText,
    ...(how.optOut === undefined ? [] : [how.optOut]),
  ];
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, TALLYSTICK_CRASH_AT: how.crashAt ?? "" },
  });
  child.stdin?.on("error", () => undefined);
  const lines: string[] = [];
  const given = new Map<string, number>();
  const exit = once(child, "exit");
  let wake = nothing;
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    const [seq = "", ...body] = line.split(" ");
    if (seq !== "ready") given.set(body.join(" "), Number(seq));
    wake();
  });
  return {
    process: child,
    given,
    exit,
    say: (body) => void child.stdin?.write(`${body}\n`),
    async until(holds) {
      for (;;) {
        const line = lines.find(holds);
        if (line !== undefined) return line;
        const another = new Promise<boolean>((resolve) => (wake = () => resolve(true)));
        const hasMore = await Promise.race([another, exit.then(() => false)]);
        if (!hasMore) return lines.find(holds);
      }
    },
  };
}

const POINTS = CRASH_POINTS.filter((point) => point.startsWith("agent: "));
const isOptOut = (point: CrashPoint): boolean => point.startsWith("agent: opt-out");

for (const [index, point] of POINTS.filter((each) => !isOptOut(each)).entries()) {
  // Every other one in its second pass: the first batch of a chain is a case of its own.
  const pass = point.includes("created") || point.includes("enrolment") ? 1 : 1 + (index % 2);
  test(`killed at ${point}, pass ${pass}`, { timeout: 60_000 }, async () => {
    await using world = await World.open();
    const first = start(world, { crashAt: `${point}#${pass}` });
    if ((await first.until((line) => line.startsWith("ready"))) !== undefined) {
      for (let at = 0; at < 50; at++) first.say(`first ${at}`);
      await keepBusy(world, first);
    }
    await first.exit;
    assert.equal(first.process.signalCode, "SIGKILL");
    const next = start(world);
    await next.until((line) => line.startsWith("ready"));
    next.say("after");
    await next.until((line) => line.endsWith("after"));
    next.process.kill("SIGTERM");
    await next.exit;
    checkWhole(world, first.given);
  });
}

/** One batch after the other until the point comes by. */
async function keepBusy(world: World, child: Child): Promise<void> {
  const node = nodeOf(world.state("state"));
  const arrived = (): number => world.arrived(node).length;
  for (let round = 0; round < 4 && child.process.signalCode === null; round++) {
    const before = arrived();
    child.say(`round ${round}`);
    await Promise.race([child.exit, world.until(() => arrived() > before)]);
  }
}

/** What was given a number came, or is declared; no number came twice; nobody was accused. */
function checkWhole(world: World, given: Map<string, number>): void {
  const node = nodeOf(world.state("state"));
  const seen = new Map<number, string>();
  const declared: (readonly [number, number])[] = [];
  for (const { header, entries } of world.arrived(node)) {
    assert.equal(header.epoch, 0);
    for (const { seq, entry } of entries) {
      assert.ok(!seen.has(seq), `number ${seq} came twice`);
      seen.set(seq, entry.kind === "log" ? entry.body : entry.kind);
      if (entry.kind === "gap" && entry.seqs !== undefined) declared.push(entry.seqs);
    }
  }
  for (const [body, seq] of given) {
    const isDeclared = declared.some(([first, last]) => first <= seq && seq <= last);
    assert.ok(seen.get(seq) === body || isDeclared, `${body} (${seq}) is lost without a word`);
  }
  const max = Math.max(...seen.keys());
  const holes = Array.from({ length: max }, (_, seq) => seq).filter(
    (seq) => !seen.has(seq) && !declared.some(([first, last]) => first <= seq && seq <= last),
  );
  assert.deepEqual(holes, []);
  assert.ok([...seen.values()].includes("after"));
  assert.deepEqual(world.findings, []);
}

for (const point of POINTS.filter(isOptOut)) {
  test(`killed at ${point}`, { timeout: 60_000 }, async () => {
    await using world = await World.open();
    const first = start(world);
    await first.until((line) => line.startsWith("ready"));
    first.process.kill("SIGTERM");
    await first.exit;
    const node = nodeOf(world.state("state"));
    const refusing = start(world, { crashAt: point, optOut: "flag" });
    await refusing.exit;
    const again = start(world, { optOut: "flag" });
    await again.until((line) => line.startsWith("ready"));
    await world.until(() => world.entries(node).some(({ kind }) => kind === "opt_out"));
    again.process.kill("SIGTERM");
    await again.exit;
    const said = world.entries(node).filter(({ kind }) => kind === "opt_out");
    assert.equal(said.length, 1);
    assert.deepEqual(world.findings, []);
  });
}
