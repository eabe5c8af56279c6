/** One connection of each kind, from its beginning to its end. */
import { createSocket, type Socket as Datagrams } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { SeededRandom } from "../../../src/std/seeded-random.ts";
import { QUESTION_BYTES } from "./answer.ts";
import { KINDS, type Kind } from "./kinds.ts";

export interface Call {
  readonly kind: Kind;
  readonly to: string;
  /** Absent: the kernel's choice. */
  readonly fromPort?: number;
  readonly random: SeededRandom;
  /** Ends those that last. */
  readonly signal: AbortSignal;
}

const DEADLINE_MS = 60_000;
const SILENT_MS = 3_000;
const ANSWER_MS = 1_000;
const BURST = 100;
const PAUSE_MS = 9_000;
const LONG_S = { min: 20, max: 200 } as const;

const actions = {
  short: askOnce,
  boxed: askOnce,
  published: askOnce,
  inner: askOnce,
  reuse: askOnce,
  refused: knock,
  silent: knock,
  long: lasting,
  reset: broken,
  exchange: (call) => questions(call, 3, 0),
  innerudp: (call) => questions(call, 3, 0),
  paused: (call) => questions(call, 3, PAUSE_MS),
  burst,
  oneway,
} satisfies Record<Kind, (call: Call) => Promise<void>>;

/** Rejects when it failed: whatever came of it, the kernels saw it. */
export function place(call: Call): Promise<void> {
  return actions[call.kind](call);
}

async function askOnce(call: Call): Promise<void> {
  const socket = await connected(call, DEADLINE_MS);
  await asked(socket, sizeOf(call.random));
  await ended(socket);
}

async function lasting(call: Call): Promise<void> {
  const { random, signal } = call;
  const endMs = Date.now() + random.integer(LONG_S.min, LONG_S.max) * 1000;
  const socket = await connected(call, DEADLINE_MS);
  while (Date.now() < endMs && !signal.aborted) {
    await asked(socket, sizeOf(random));
    await sleep(random.integer(200, 3_000));
  }
  await ended(socket);
}

async function broken(call: Call): Promise<void> {
  const socket = await connected(call, DEADLINE_MS);
  await asked(socket, sizeOf(call.random));
  socket.resetAndDestroy();
}

async function knock(call: Call): Promise<void> {
  const socket = await connected(call, SILENT_MS);
  await ended(socket);
}

async function connected(call: Call, deadlineMs: number): Promise<Socket> {
  const { to: host, fromPort: localPort } = call;
  const { port } = KINDS[call.kind];
  const socket = connect({ host, port, ...(localPort === undefined ? {} : { localPort }) });
  socket.setTimeout(deadlineMs, () => socket.destroy(new Error("deadline")));
  await once(socket, "connect");
  socket.on("error", () => socket.destroy());
  return socket;
}

async function asked(socket: Socket, bytes: number): Promise<void> {
  const all = Promise.withResolvers<void>();
  let left = bytes;
  const take = (chunk: Buffer): void => {
    left -= chunk.length;
    if (left <= 0) all.resolve();
  };
  socket.on("data", take);
  const question = Buffer.alloc(QUESTION_BYTES);
  question.writeUInt32BE(bytes);
  socket.write(question);
  const closed = once(socket, "close");
  closed.catch(() => undefined);
  await Promise.race([all.promise, closed]);
  socket.off("data", take);
}

async function ended(socket: Socket): Promise<void> {
  if (socket.closed) return;
  socket.end();
  await once(socket, "close");
}

/** Mostly small, some of many segments. */
function sizeOf(random: SeededRandom): number {
  return random.chance(0.9) ? random.integer(1, 3_000) : random.integer(20_000, 200_000);
}

async function questions(call: Call, count: number, pauseMs: number): Promise<void> {
  await using socket = await bound(call);
  for (let question = 0; question < count; question++) {
    if (question > 0) await sleep(pauseMs);
    await answered(call, socket.socket);
  }
}

/** As a resolver does: asked again twice when nothing comes. */
async function answered(call: Call, socket: Datagrams): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    socket.send(Buffer.alloc(call.random.integer(1, 1_000), "u"), KINDS[call.kind].port, call.to);
    const signal = AbortSignal.timeout(ANSWER_MS);
    if (
      await once(socket, "message", { signal }).then(
        () => true,
        () => false,
      )
    )
      return;
  }
}

async function burst(call: Call): Promise<void> {
  await using socket = await bound(call);
  const datagram = Buffer.alloc(call.random.integer(50, 1_200), "b");
  for (let sent = 0; sent < BURST; sent++) {
    socket.socket.send(datagram, KINDS.burst.port, call.to);
  }
  await sleep(ANSWER_MS);
}

async function oneway(call: Call): Promise<void> {
  await using socket = await bound(call);
  for (let sent = 0; sent < 3; sent++) {
    socket.socket.send("nothing is expected", KINDS.oneway.port, call.to);
    await sleep(50);
  }
}

interface Bound extends AsyncDisposable {
  readonly socket: Datagrams;
}

async function bound(call: Call): Promise<Bound> {
  const socket = createSocket(call.to.includes(":") ? "udp6" : "udp4");
  socket.on("error", () => undefined);
  socket.bind(call.fromPort ?? 0);
  await once(socket, "listening");
  const close = (): Promise<void> => new Promise((resolve) => void socket.close(() => resolve()));
  return { socket, [Symbol.asyncDispose]: close };
}
