/**
 * Reads a request body with every bound checked while it arrives: its announced length, its real
 * length, the room that all requests share, and the time it may take. Never throws for what a
 * sender can cause.
 */
import type { IncomingMessage } from "node:http";
import type { Clock } from "../std/clock.ts";
import { type Refusal, refused } from "./errors.ts";
import { busy, type Pass } from "./gate.ts";

export interface BodyBounds {
  readonly bytesMax: number;
  readonly bodyMs: number;
  readonly clock: Clock;
  readonly pass: Pass;
}

/** The body; it stays charged to the pass. */
export function readBody(request: IncomingMessage, bounds: BodyBounds): Promise<Buffer | Refusal> {
  const announced = announcedBytes(request);
  if (announced !== undefined && announced > bounds.bytesMax) {
    return Promise.resolve(tooLarge(bounds.bytesMax));
  }
  if (announced !== undefined && !bounds.pass.take(announced)) {
    return Promise.resolve(busy("the frames being handled fill the room for them"));
  }
  return collect(request, bounds, announced);
}

function collect(
  request: IncomingMessage,
  bounds: BodyBounds,
  announced: number | undefined,
): Promise<Buffer | Refusal> {
  const { promise, resolve } = Promise.withResolvers<Buffer | Refusal>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const timer = bounds.clock.after(bounds.bodyMs, () =>
    finish(refused("slow_body", `the body did not arrive within ${bounds.bodyMs} ms`)),
  );
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > bounds.bytesMax) finish(tooLarge(bounds.bytesMax));
    else if (announced === undefined && !bounds.pass.take(chunk.length)) {
      finish(busy("the frames being handled fill the room for them"));
    } else chunks.push(chunk);
  };
  const onEnd = (): void =>
    finish(chunks.length === 1 && chunks[0] ? chunks[0] : join(chunks, bytes));
  const onGone = (): void => finish(refused("bad_request", "the connection ended within the body"));
  const finish = (result: Buffer | Refusal): void => {
    timer.cancel();
    request.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone);
    // A late error of a refused request is nobody's concern, but must not be unhandled.
    request.on("error", () => undefined);
    resolve(result);
  };
  request.on("data", onData).on("end", onEnd).on("error", onGone).on("close", onGone);
  return promise;
}

/** Into memory of its own: a slice of a shared pool would keep the pool alive. */
function join(chunks: readonly Buffer[], bytes: number): Buffer {
  const all = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const chunk of chunks) at += chunk.copy(all, at);
  return all;
}

function announcedBytes(request: IncomingMessage): number | undefined {
  const text = request.headers["content-length"];
  return text === undefined ? undefined : Number(text);
}

function tooLarge(bytesMax: number): Refusal {
  return refused("payload_too_large", `at most ${bytesMax} bytes of body are allowed`);
}
