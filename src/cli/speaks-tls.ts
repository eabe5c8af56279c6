/** Whether a port answers a TLS greeting: a server that expects one hangs up on plain http without a word. */
import { connect } from "node:tls";

const GREETING_MS_MAX = 3_000;

/** Trusts nobody and sends nothing after the handshake. */
export function speaksTls({ hostname, port }: URL): Promise<boolean> {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port: Number(port || 80), rejectUnauthorized: false });
  socket.setTimeout(GREETING_MS_MAX, () => resolve(false));
  socket.once("secureConnect", () => resolve(true));
  socket.once("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
}
