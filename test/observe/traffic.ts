/**
 * UDP and odd TCP traffic for the observer's stories, run inside a namespace.
 *
 * `node traffic.ts answer` answers each datagram on port 7 and listens on TCP port 7 without ever
 * answering; `node traffic.ts ask ADDRESS N` sends N datagrams from N ports to port 7 and waits
 * for the answers, then N to port 8, where nobody answers; `node traffic.ts refused ADDRESS N`
 * connects N times to a closed port; `node traffic.ts hold ADDRESS` keeps one connection open.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer } from "node:net";

const [mode, address = "127.0.0.1", count = "1"] = process.argv.slice(2);

async function answer(): Promise<void> {
  const socket = createSocket("udp4");
  socket.on("message", (message, from) => socket.send(message, from.port, from.address));
  socket.bind(7);
  // Bound and silent: a closed port would answer with ICMP.
  createSocket("udp4").bind(8);
  createServer(() => {}).listen(7);
  await once(socket, "listening");
  process.stdout.write("ready\n");
}

async function ask(): Promise<void> {
  for (const port of [7, 8]) {
    for (let index = 0; index < Number(count); index++) {
      const socket = createSocket("udp4");
      // Ports of our choice: a random one may come twice.
      socket.bind(port * 1000 + index);
      await new Promise((resolve) => socket.send("question", port, address, resolve));
      if (port === 7) await once(socket, "message");
      socket.close();
    }
  }
}

async function refused(): Promise<void> {
  for (let index = 0; index < Number(count); index++) {
    const socket = connect({ host: address, port: 9 });
    await new Promise((resolve) => socket.on("error", resolve));
  }
}

async function hold(): Promise<void> {
  const socket = connect({ host: address, port: 7 });
  await once(socket, "connect");
  process.stdout.write("ready\n");
}

const modes: Record<string, () => Promise<void>> = { answer, ask, refused, hold };
await modes[mode ?? ""]?.();
