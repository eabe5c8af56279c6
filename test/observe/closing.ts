/**
 * TCP connections that end in all the ways in which they do, for the observer's stories, run inside
 * a namespace.
 *
 * `node closing.ts serve` answers on port 7100; `node closing.ts talk ADDRESS ROUNDS FIRST-PORT`
 * opens one connection for each ending and round, some at a time, and prints for each one line of
 * JSON with what the two programs wrote. The first line of a connection says what is wanted.
 * `node closing.ts again ADDRESS ROUNDS PORT` opens one after the other from the same port.
 */
import { connect, createServer, type Socket } from "node:net";

/** Who ends it, and how. */
export const ENDINGS = [
  "initiator",
  "responder",
  "initiator-at-once",
  "responder-at-once",
  "initiator-half",
  "responder-late",
  "nothing-said",
  "initiator-resets",
  "responder-resets",
] as const;
export type Ending = (typeof ENDINGS)[number];

export interface Told {
  readonly ending: Ending;
  readonly port: number;
  readonly initiatorBytes: number;
  readonly responderBytes: number;
}

const PORT = 7100;
const AT_ONCE = 8;
const LATE_MS = 150;
/** The shortest that the kernel knows: it counts in seconds. */
const ASK_AFTER_MS = 1000;
/** What is still said after the initiator's end of stream. */
const AFTERWORD_BYTES = 1000;
const SIZES = [0, 1, 100, 1448, 20_000, 200_001] as const;

interface Wish {
  readonly ending: Ending;
  readonly requestBytes: number;
  readonly answerBytes: number;
}

function serve(): void {
  const server = createServer({ allowHalfOpen: true }, (socket) => void answer(socket));
  server.listen({ port: PORT, host: "::", backlog: 1024 }, () => process.stdout.write("ready\n"));
}

async function answer(socket: Socket): Promise<void> {
  socket.on("error", () => socket.destroy());
  const { wish, rest } = await firstLine(socket);
  if (wish === undefined) return void socket.end();
  await read(socket, wish.requestBytes - rest);
  if (wish.answerBytes > 0) socket.write(Buffer.alloc(wish.answerBytes, "a"));
  await responderEnds[wish.ending](socket);
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The next of these events; an error is followed by a close. */
function moved(socket: Socket, ...events: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) socket.off(event, done);
      resolve();
    };
    for (const event of events) socket.on(event, done);
  });
}

/** Reads on to the end of the stream. */
async function toTheEnd(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.readableEnded && !socket.destroyed) await moved(socket, "end", "close");
}

async function afterThem(socket: Socket): Promise<void> {
  await toTheEnd(socket);
  socket.end();
}

const responderEnds: Readonly<Record<Ending, (socket: Socket) => Promise<void>>> = {
  initiator: afterThem,
  responder: async (socket) => {
    socket.end();
    await toTheEnd(socket);
  },
  "initiator-at-once": afterThem,
  "responder-at-once": async (socket) => {
    // All is handed to the kernel before the socket is given up.
    await new Promise<void>((resolve) => socket.write("", () => resolve()));
    socket.destroy();
  },
  "initiator-half": async (socket) => {
    await toTheEnd(socket);
    socket.end(Buffer.alloc(AFTERWORD_BYTES, "w"));
  },
  "responder-late": async (socket) => {
    await toTheEnd(socket);
    await later(LATE_MS);
    socket.end();
  },
  "nothing-said": afterThem,
  "initiator-resets": afterThem,
  "responder-resets": async (socket) => {
    await later(20);
    socket.resetAndDestroy();
  },
};

async function firstLine(socket: Socket): Promise<{ wish: Wish | undefined; rest: number }> {
  let text = "";
  for (;;) {
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) text += chunk.toString("latin1");
    const end = text.indexOf("\n");
    if (end >= 0) return { wish: JSON.parse(text.slice(0, end)), rest: text.length - end - 1 };
    if (socket.readableEnded || socket.destroyed) return { wish: undefined, rest: 0 };
    await moved(socket, "readable", "end", "close");
  }
}

/** Reads so many bytes. */
async function read(socket: Socket, bytes: number): Promise<void> {
  let missing = bytes;
  while (missing > 0) {
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) missing -= chunk.length;
    else if (socket.readableEnded || socket.destroyed) return;
    else await moved(socket, "readable", "end", "close");
  }
}

async function talk(address: string, rounds: number, firstPort: number): Promise<void> {
  const wanted: (() => Promise<void>)[] = [];
  let port = firstPort;
  for (let round = 0; round < rounds; round++) {
    for (const ending of ENDINGS) {
      const requestBytes = SIZES[port % SIZES.length] ?? 0;
      const answerBytes = SIZES[(port >> 3) % SIZES.length] ?? 0;
      const plan = { port: port++, ending, requestBytes, answerBytes };
      wanted.push(() => one(address, plan));
    }
  }
  const next = async (): Promise<void> => {
    for (let make = wanted.shift(); make !== undefined; make = wanted.shift()) await make();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

/** The responder ends them: then the initiator's port is free at once. */
async function again(address: string, rounds: number, port: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const answerBytes = SIZES[round % SIZES.length] ?? 0;
    await one(address, { port, ending: "responder", requestBytes: 100 + round, answerBytes });
  }
}

interface Plan extends Wish {
  readonly port: number;
}

async function one(
  address: string,
  { port, ending, requestBytes, answerBytes }: Plan,
): Promise<void> {
  const socket = connect({ host: address, port: PORT, localPort: port, allowHalfOpen: true });
  socket.on("error", () => socket.destroy());
  await moved(socket, "connect", "close");
  if (socket.destroyed) throw new Error(`no connection from port ${port}`);
  // The one packet of a reset may be lost, and nobody sends it again: who only listens must ask.
  if (ending === "responder-resets") socket.setKeepAlive(true, ASK_AFTER_MS);
  const line =
    ending === "nothing-said" ? "" : `${JSON.stringify({ ending, requestBytes, answerBytes })}\n`;
  // All is handed to the kernel before the socket may be given up.
  const written = new Promise((resolve) =>
    socket.write(line + "r".repeat(line === "" ? 0 : requestBytes), resolve),
  );
  if (line !== "") await Promise.all([written, read(socket, answerBytes)]);
  await initiatorEnds[ending](socket);
  if (!socket.closed) await moved(socket, "close");
  const told: Told = {
    ending,
    port,
    initiatorBytes: line === "" ? 0 : line.length + requestBytes,
    responderBytes:
      (line === "" ? 0 : answerBytes) + (ending === "initiator-half" ? AFTERWORD_BYTES : 0),
  };
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

async function firstToEnd(socket: Socket): Promise<void> {
  socket.end();
  await toTheEnd(socket);
}

const initiatorEnds: Readonly<Record<Ending, (socket: Socket) => Promise<void>>> = {
  initiator: firstToEnd,
  responder: afterThem,
  "initiator-at-once": async (socket) => void socket.destroy(),
  "responder-at-once": afterThem,
  "initiator-half": firstToEnd,
  "responder-late": async (socket) => void socket.destroy(),
  "nothing-said": firstToEnd,
  "initiator-resets": async (socket) => void socket.resetAndDestroy(),
  "responder-resets": async (socket) => {
    await toTheEnd(socket);
    socket.destroy();
  },
};

if (import.meta.main) {
  const [mode, address = "127.0.0.1", rounds = "1", firstPort = "20000"] = process.argv.slice(2);
  if (mode === "serve") serve();
  else if (mode === "again") await again(address, Number(rounds), Number(firstPort));
  else await talk(address, Number(rounds), Number(firstPort));
}
