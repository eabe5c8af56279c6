/**
 * What runs on a host besides the agent: a web server, a name-server-like UDP service, and a client
 * that does what it is told. Orders come as JSON lines on stdin, answers go as JSON lines to stdout.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, request, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";

export interface Order {
  readonly id: number;
  readonly do: "http" | "udp" | "refused" | "silent";
  readonly to: string;
  /** Body bytes of an HTTP answer. */
  readonly bytes?: number;
}

export interface Done {
  readonly id: number;
  /** Source port of the connection or exchange. */
  readonly port: number;
  /** What came of it, for people: `200`, `reply`, `ECONNREFUSED`, `timeout`. */
  readonly outcome: string;
}

export const PORTS = { http: 80, udp: 53, refused: 81, silent: 82 } as const;
const SILENT_WAIT_MS = 1_500;

async function serve(): Promise<void> {
  const web = createServer((req, res) => {
    const bytes = Number(new URL(req.url ?? "/", "http://host").searchParams.get("bytes") ?? 0);
    res.setHeader("connection", "close");
    res.end(Buffer.alloc(bytes, "t"));
  });
  web.listen(PORTS.http, "0.0.0.0");
  const names = createSocket("udp4");
  names.on("message", (message, from) => names.send(message, from.port, from.address));
  names.bind(PORTS.udp);
  await Promise.all([once(web, "listening"), once(names, "listening")]);
}

const actions = {
  http: fetchPage,
  udp: ask,
  refused: (order) => knock(order.to, PORTS.refused),
  silent: (order) => knock(order.to, PORTS.silent),
} satisfies Record<Order["do"], (order: Order) => Promise<Omit<Done, "id">>>;

async function fetchPage(order: Order): Promise<Omit<Done, "id">> {
  const asked = request({
    host: order.to,
    port: PORTS.http,
    path: `/?bytes=${order.bytes ?? 0}`,
    agent: false,
  });
  let port = 0;
  asked.on("socket", (socket: Socket) =>
    socket.once("connect", () => (port = socket.localPort ?? 0)),
  );
  asked.end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  answer.resume();
  await once(answer, "close");
  return { port, outcome: String(answer.statusCode) };
}

/** Three questions and answers on one socket, as a resolver with retries makes them. */
async function ask(order: Order): Promise<Omit<Done, "id">> {
  const socket = createSocket("udp4");
  socket.bind();
  await once(socket, "listening");
  const { port } = socket.address();
  for (let question = 0; question < 3; question++) {
    socket.send(`question ${question}`, PORTS.udp, order.to);
    await once(socket, "message");
  }
  socket.close();
  return { port, outcome: "reply" };
}

async function knock(to: string, at: number): Promise<Omit<Done, "id">> {
  const socket = connect({ host: to, port: at });
  // The source port exists only between the attempt and its failure.
  const attempted = once(socket, "connectionAttempt").then(() => socket.localPort ?? 0);
  const failed = once(socket, "connect").then(
    () => "connected",
    (error: NodeJS.ErrnoException) => error.code ?? "error",
  );
  const timer = setTimeout(
    () => socket.destroy(Object.assign(new Error("no answer"), { code: "timeout" })),
    SILENT_WAIT_MS,
  );
  const outcome = await failed;
  clearTimeout(timer);
  const port = await Promise.race([attempted, Promise.resolve(0)]);
  socket.destroy();
  return { port, outcome };
}

if (import.meta.main) {
  await serve();
  console.log(JSON.stringify({ ready: true }));
  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line) as Order;
    const done = await actions[order.do](order);
    console.log(JSON.stringify({ id: order.id, ...done } satisfies Done));
  }
  process.exit(0);
}
