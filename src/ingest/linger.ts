/**
 * After a refusal that came before the end of the body: closing at once would make the kernel
 * answer with a reset, and the client might never read why. So what still comes is discarded, for
 * a bounded time and amount, and only then the connection is cut.
 */
import type { IncomingMessage } from "node:http";
import type { Clock } from "../std/clock.ts";
import { LINGER_BYTES_MAX, LINGER_MS } from "./limits.ts";

export function discardRest(request: IncomingMessage, clock: Clock): void {
  if (request.complete) return;
  const { socket } = request;
  let bytes = 0;
  const timer = clock.after(LINGER_MS, () => {
    if (!request.complete) socket.destroy();
  });
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > LINGER_BYTES_MAX) socket.destroy();
  });
  request.on("close", () => timer.cancel());
  request.resume();
}
