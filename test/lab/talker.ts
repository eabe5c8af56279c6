/**
 * What a host of a lab talks with: `node test/lab/talker.ts` answers on TCP and UDP, over IPv4 and
 * IPv6, and does what it is told. Orders come as JSON lines on stdin, what came of them goes as JSON
 * lines to stdout, with the times at which it happened.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";

export interface Order {
  readonly id: number;
  /** `end` ends a TCP connection that is held, by its id. */
  readonly do: "tcp" | "udp" | "end";
  readonly to: string;
  /** Of our own choice: a port that comes twice would be one connection more or less. */
  readonly fromPort: number;
  /** TCP: bytes asked for, at once and, where it is held, every 100 ms. */
  readonly bytes?: number;
  /** TCP: keep it until it is ended. */
  readonly hold?: boolean;
}

/** Printed twice per order: when the connection stands, and when it is over. */
export interface Talked {
  readonly id: number;
  readonly event: "opened" | "closed" | "failed";
  readonly atMs: number;
  readonly error?: string;
}

export const TALK_PORT = 7000;
const EVERY_MS = 100;
const EXCHANGES = 3;

async function serve(): Promise<void> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    // A request is as many bytes as are wanted in return: the sizes of both directions are ours to choose.
    socket.on("data", (request) => socket.write(request));
  });
  server.listen({ port: TALK_PORT, host: "::", backlog: 1024 });
  const echo = createSocket("udp6");
  echo.on("message", (message, from) => echo.send(message, from.port, from.address));
  echo.bind(TALK_PORT);
  await Promise.all([once(server, "listening"), once(echo, "listening")]);
}

function say(talked: Talked): void {
  process.stdout.write(`${JSON.stringify(talked)}\n`);
}

/** Ids of the connections that are kept. */
const held = new Set<number>();

const actions = { tcp: overTcp, udp: overUdp, end: endHeld } satisfies Record<
  Order["do"],
  (order: Order) => Promise<void>
>;

async function overTcp(order: Order): Promise<void> {
  const startedMs = Date.now();
  const socket = connect({ host: order.to, port: TALK_PORT, localPort: order.fromPort });
  await once(socket, "connect");
  if (order.hold === true) held.add(order.id);
  say({ id: order.id, event: "opened", atMs: startedMs });
  const request = Buffer.alloc(order.bytes ?? 100, "t");
  await answered(socket, request);
  while (held.has(order.id)) {
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    await answered(socket, request);
  }
  socket.end();
  await once(socket, "close");
}

function endHeld({ id }: Order): Promise<void> {
  held.delete(id);
  return Promise.resolve();
}

async function answered(socket: ReturnType<typeof connect>, request: Buffer): Promise<void> {
  const all = Promise.withResolvers<void>();
  let left = request.length;
  const take = (chunk: Buffer): void => {
    left -= chunk.length;
    if (left <= 0) all.resolve();
  };
  socket.on("data", take);
  socket.write(request);
  await Promise.race([all.promise, once(socket, "close")]);
  socket.off("data", take);
}

/** Three questions and answers, so that both kernels call the session lasting. */
async function overUdp(order: Order): Promise<void> {
  const startedMs = Date.now();
  const socket = createSocket(order.to.includes(":") ? "udp6" : "udp4");
  socket.bind(order.fromPort);
  await once(socket, "listening");
  for (let exchange = 0; exchange < EXCHANGES; exchange++) {
    socket.send(Buffer.alloc(order.bytes ?? 100, "u"), TALK_PORT, order.to);
    await once(socket, "message");
    if (exchange === 0) say({ id: order.id, event: "opened", atMs: startedMs });
  }
  socket.close();
}

async function obey(order: Order): Promise<void> {
  try {
    await actions[order.do](order);
    if (order.do !== "end") say({ id: order.id, event: "closed", atMs: Date.now() });
  } catch (error) {
    say({ id: order.id, event: "failed", atMs: Date.now(), error: String(error) });
  }
}

if (import.meta.main) {
  await serve();
  process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
  createInterface({ input: process.stdin })
    .on("line", (line) => void obey(JSON.parse(line) as Order))
    .on("close", () => process.exit(0));
}
