/** Payload bytes on a real kernel: both ends of each connection say what the programs wrote, whatever is lost on the way. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { enlargeEventBuffer } from "../lab/event-buffer.ts";
import { cannotRun, Mesh, type Host } from "../lab/namespaces.ts";
import { until } from "../lab/until.ts";
import type { Told } from "./closing.ts";
import { Observer, run, start, type Printed } from "./observer-process.ts";

const skip = cannotRun();
const CLOSING = fileURLToPath(new URL("closing.ts", import.meta.url));
const ROUNDS = 15;
const REUSES = 40;
/** A talker takes seconds. One that never ends would keep this process from ending anything. */
const TALK_S_MAX = 60;
const [PORT_OF_IPV4, PORT_OF_IPV6, REUSED_PORT] = [20_000, 30_000, 40_000];

/** `[initiatorBytes, responderBytes]`. */
type Payload = readonly [number, number];

interface Ends {
  readonly atA: Observer;
  readonly atB: Observer;
}

test(
  "payload bytes are what the programs wrote, at both ends, with 5 % of packets lost",
  { skip },
  async (context) => {
    await using mesh = await twoHosts();
    const [a, b] = [mesh.host("a"), mesh.host("b")];
    await mesh.lose(5);
    keepEnded(mesh);
    await using atA = await observe(a, context);
    await using atB = await observe(b, context);
    using serving = await serve(b);
    assert.notEqual(serving.pid, undefined);

    const told = [
      ...talk(a, "talk", b.ip, ROUNDS, PORT_OF_IPV4),
      ...talk(a, "talk", ipv6Of(b), ROUNDS, PORT_OF_IPV6),
    ];
    const orderly = told.filter(isOrderly);
    const enough = orderly.length * 0.9;
    await Promise.all([over(atA, orderly), over(atB, orderly)]);
    await until("nine of ten sockets read at both ends", async () => {
      const [ofA, ofB] = await Promise.all([atA.portsWithPayload(), atB.portsWithPayload()]);
      return orderly.filter(({ port }) => ofA.has(port) && ofB.has(port)).length >= enough;
    });
    await forgotten(a, atA, orderly);
    await forgotten(b, atB, orderly);

    const checked = told.map((one) => check(one, { atA, atB }));
    assert.deepEqual(
      checked.flatMap(({ wrong }) => wrong),
      [],
    );
    const noted = checked.filter(({ isNoted }) => isNoted).length;
    const short = checked.reduce((sum, one) => sum + one.short, 0);
    context.diagnostic(
      `${noted} of ${orderly.length} orderly connections have it at both ends; ${short} ends counted one byte less`,
    );
    assert.ok(noted >= enough, `${noted} of ${orderly.length}`);
    for (const observer of [atA, atB]) assert.deepEqual(observer.of("gap"), []);
  },
);

test(
  "a tuple that is used again at once never has another's payload",
  { skip },
  async (context) => {
    await using mesh = await twoHosts();
    const [a, b] = [mesh.host("a"), mesh.host("b")];
    await using atA = await observe(a, context);
    await using atB = await observe(b, context);
    using serving = await serve(b);
    assert.notEqual(serving.pid, undefined);
    const told = talk(a, "again", b.ip, REUSES, REUSED_PORT);
    assert.equal(told.length, REUSES);
    for (const [host, observer] of [
      [a, atA],
      [b, atB],
    ] as const) {
      await accounted(host, observer, REUSES);
      const payloads = payloadsOf(observer, REUSED_PORT);
      assert.equal(payloads.length, REUSES);
      const others = payloads.filter((payload, index) => {
        const { initiatorBytes = -1, responderBytes = -1 } = told[index] ?? {};
        return payload !== undefined && !isOf(payload, [initiatorBytes, responderBytes]);
      });
      assert.deepEqual(others, []);
      context.diagnostic(
        `${payloads.filter((one) => one !== undefined).length} of ${REUSES} have one`,
      );
    }
  },
);

test("a reader that dies is started again, and its loss is no gap", { skip }, async (context) => {
  await using mesh = await twoHosts();
  const [a, b] = [mesh.host("a"), mesh.host("b")];
  keepEnded(mesh);
  await using atA = await observe(a, context);
  using serving = await serve(b);
  assert.notEqual(serving.pid, undefined);
  const said = (pattern: RegExp): number =>
    atA.of("log").filter(({ body }) => pattern.test(String(body))).length;
  await until("the first", () => said(/^payload bytes of ended TCP connections are read/) === 1);
  process.kill(Number((await atA.status()).socketReaderPid), "SIGKILL");
  await until("the end", () => said(/reader of payload bytes ended.*SIGKILL/) === 1);
  await until("another one", () => said(/^payload bytes of ended TCP connections are read/) === 2);
  const orderly = talk(a, "talk", b.ip, 1, PORT_OF_IPV4).filter(isOrderly);
  await over(atA, orderly);
  await until("a socket read", async () => (await atA.portsWithPayload()).size > 0);
  await forgotten(a, atA, orderly);
  assert.ok(orderly.some(({ port }) => payloadsOf(atA, port)[0] !== undefined));
  assert.deepEqual(atA.of("gap"), []);
});

async function twoHosts(): Promise<Mesh> {
  const mesh = await Mesh.open({ prefix: `tspb-${process.pid}`, hosts: ["a", "b"] });
  for (const host of mesh.hosts)
    run(host, "ip", "addr", "add", `${ipv6Of(host)}/64`, "dev", "mesh0", "nodad");
  return mesh;
}

/**
 * The kernel keeps an ended connection for 120 s, as on any host, and not for the mesh's 3 s: how
 * busy the machine is does not decide whether its socket is read meanwhile.
 */
function keepEnded(mesh: Mesh): void {
  for (const host of mesh.hosts)
    run(host, "sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_timeout_time_wait=120");
}

function isOrderly({ ending }: Told): boolean {
  return !ending.endsWith("resets");
}

function ipv6Of(host: Host): string {
  return `fd77::${host.ip.split(".").at(-1)}`;
}

async function observe(host: Host, context: TestContext): Promise<Observer> {
  const buffer = enlargeEventBuffer();
  context.after(() => buffer[Symbol.dispose]());
  const observer = await Observer.start(host);
  buffer[Symbol.dispose]();
  return observer;
}

async function serve(host: Host): Promise<ReturnType<typeof start>> {
  const child = start(host, process.execPath, CLOSING, "serve");
  if (child.stdout !== null) await once(child.stdout, "data");
  return child;
}

function talk(from: Host, mode: string, address: string, rounds: number, port: number): Told[] {
  const talker = [process.execPath, CLOSING, mode, address, String(rounds), String(port)];
  const text = run(from, "timeout", String(TALK_S_MAX), ...talker);
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Told);
}

async function over(observer: Observer, told: readonly Told[]): Promise<void> {
  await until("the end of each", () => told.every(({ port }) => has(observer, "close", port)));
}

/**
 * Makes the kernel forget all, and waits for the final counters of each of these. Resets have such
 * counters too, so how many there are would not say whose.
 */
async function forgotten(host: Host, observer: Observer, told: readonly Told[]): Promise<void> {
  run(host, "conntrack", "-F");
  await until("the final counters of each", () =>
    told.every(({ port }) => has(observer, "account", port)),
  );
}

/** Reading the table makes the kernel let go of what has timed out. */
async function accounted(host: Host, observer: Observer, count: number): Promise<void> {
  await until("the final counters of all", async () => {
    run(host, "conntrack", "-L");
    await observer.settled();
    return observer.of("account").length >= count;
  });
}

interface Checked {
  readonly isNoted: boolean;
  /** Ends that counted one byte less than they were sent. */
  readonly short: number;
  readonly wrong: readonly string[];
}

function check(told: Told, { atA, atB }: Ends): Checked {
  const { initiatorBytes, responderBytes, port, ending } = told;
  const [a, b] = [payloadsOf(atA, port)[0], payloadsOf(atB, port)[0]];
  const ofA: Payload = a ?? [initiatorBytes, responderBytes];
  const ofB: Payload = b ?? [initiatorBytes, responderBytes];
  // What an end sent is exact; what it received may be one byte short.
  const isRight =
    ofA[0] === initiatorBytes &&
    ofB[1] === responderBytes &&
    isOf(ofA, [initiatorBytes, responderBytes]) &&
    isOf(ofB, [initiatorBytes, responderBytes]);
  const isReset = ending.endsWith("resets") && (a !== undefined || b !== undefined);
  return {
    isNoted: a !== undefined && b !== undefined,
    short: initiatorBytes - ofB[0] + responderBytes - ofA[1],
    wrong: isRight && !isReset ? [] : [JSON.stringify({ told, a, b })],
  };
}

function isOf(payload: Payload, sent: Payload): boolean {
  return payload.every((bytes, index) => [0, 1].includes((sent[index] ?? 0) - bytes));
}

function has(observer: Observer, kind: string, port: number): boolean {
  const [open] = observer.of("open").filter((one) => portOf(one) === port);
  return open !== undefined && observer.of(kind).some(({ openSeq }) => openSeq === open.seq);
}

/** Of each connection from this port, in the order in which they began; undefined where there is none. */
function payloadsOf(observer: Observer, port: number): (Payload | undefined)[] {
  const opens = observer.of("open").filter((open) => portOf(open) === port);
  return opens.map(({ seq }) => {
    const amended = observer.entries.find((entry) => entry.openSeq === seq && "payload" in entry);
    const payload = amended?.payload as
      | { initiatorBytes: number; responderBytes: number }
      | undefined;
    return payload === undefined ? undefined : [payload.initiatorBytes, payload.responderBytes];
  });
}

function portOf(open: Printed): number {
  return (open.tuple as { initiatorPort: number }).initiatorPort;
}
