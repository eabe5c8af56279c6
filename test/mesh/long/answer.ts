/** What every host of the long run serves. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { KINDS } from "./kinds.ts";

const TCP_PORTS = ["short", "long", "reuse", "reset", "boxed", "published", "inner"] as const;
const UDP_PORTS = ["exchange", "burst", "paused", "innerudp"] as const;
/** A client whose reset was lost is never heard again. */
const IDLE_MS = 25_000;
/** A question is the number of bytes that are wanted in return, 32 bits. */
export const QUESTION_BYTES = 4;

export async function serve(): Promise<void> {
  const listening: Promise<unknown>[] = [];
  for (const kind of TCP_PORTS) {
    const server = createServer(answer);
    server.listen({ port: KINDS[kind].port, host: "::", backlog: 1024 });
    listening.push(once(server, "listening"));
  }
  for (const kind of UDP_PORTS) {
    const echo = createSocket("udp6");
    echo.on("message", (message, from) => echo.send(message, from.port, from.address));
    echo.on("error", () => undefined);
    echo.bind(KINDS[kind].port);
    listening.push(once(echo, "listening"));
  }
  const sink = createSocket("udp6");
  sink.bind(KINDS.oneway.port);
  await Promise.all([...listening, once(sink, "listening")]);
}

function answer(socket: Socket): void {
  socket.on("error", () => socket.destroy());
  socket.setTimeout(IDLE_MS, () => socket.end());
  let asked = Buffer.alloc(0);
  socket.on("data", (bytes: Buffer) => {
    asked = Buffer.concat([asked, bytes]);
    while (asked.length >= QUESTION_BYTES) {
      socket.write(Buffer.alloc(asked.readUInt32BE(), "t"));
      asked = asked.subarray(QUESTION_BYTES);
    }
  });
}
