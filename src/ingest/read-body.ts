/**
 * Reads request bodies with every bound checked while they arrive: the announced length, the real
 * one, the room that all requests share, and the time it may take. Of a batch, the sender is
 * authenticated by its first bytes: a stranger never occupies room for a payload. Nothing here
 * throws for what a sender can cause.
 */
import type { IncomingMessage } from "node:http";
import type { Clock } from "../std/clock.ts";
import { HEAD_BYTES, type Sender } from "./admit.ts";
import { type Refusal, refused } from "./errors.ts";
import { busy, type Pass } from "./gate.ts";

export interface BodyBounds {
  readonly bytesMax: number;
  readonly bodyMs: number;
  readonly clock: Clock;
}

/** A frame whose sender is known. */
export interface SentFrame {
  readonly sender: Sender;
  readonly frame: Buffer;
}

/** A small body, whole. */
export async function readSmall(
  request: IncomingMessage,
  bounds: BodyBounds,
): Promise<Buffer | Refusal> {
  const body = new Body(request, bounds);
  return (await body.upTo(Infinity)) ?? body.take();
}

/** Authenticates by the head, makes room for the rest, then waits for it; it stays charged to the pass. */
export async function readFrame(
  request: IncomingMessage,
  bounds: BodyBounds,
  pass: Pass,
  authenticate: (head: Buffer) => Sender | Refusal,
): Promise<SentFrame | Refusal> {
  const body = new Body(request, bounds);
  const early = await body.upTo(HEAD_BYTES);
  if (early !== undefined) return early;
  const sender = authenticate(body.take());
  if ("outcome" in sender) return body.stop(sender);
  if (!pass.take(sender.frameBytes, sender.nodeId)) {
    return body.stop(busy("the frames being handled fill the room for them"));
  }
  const refusal = await body.upTo(Infinity, sender.frameBytes);
  return refusal ?? { sender, frame: body.take() };
}

/** A request's body as it grows. Listens until it is whole, or refused. */
class Body {
  readonly #request: IncomingMessage;
  readonly #bounds: BodyBounds;
  readonly #timer: { cancel(): void };
  #chunks: Buffer[] = [];
  #bytes = 0;
  #bytesMax: number;
  #wanted = Infinity;
  #ended = false;
  #refusal: Refusal | undefined;
  #wake: () => void = () => undefined;

  constructor(request: IncomingMessage, bounds: BodyBounds) {
    this.#request = request;
    this.#bounds = bounds;
    this.#bytesMax = bounds.bytesMax;
    this.#timer = bounds.clock.after(bounds.bodyMs, () =>
      this.stop(refused("slow_body", `the body did not arrive within ${bounds.bodyMs} ms`)),
    );
    if (Number(request.headers["content-length"] ?? 0) > bounds.bytesMax) {
      this.stop(tooLarge(bounds.bytesMax));
      return;
    }
    request.on("data", this.#onData).on("end", this.#onEnd);
    request.on("error", this.#onGone).on("close", this.#onGone);
  }

  /** Resolves when so many bytes are there, or the end, or a refusal. `bytesMax` narrows the bound. */
  async upTo(bytes: number, bytesMax = this.#bounds.bytesMax): Promise<Refusal | undefined> {
    this.#wanted = bytes;
    this.#bytesMax = bytesMax;
    if (this.#bytes > bytesMax) this.stop(longerThan(bytesMax, this.#bounds));
    while (this.#refusal === undefined && !this.#ended && this.#bytes < bytes) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    return this.#refusal;
  }

  /** What is there. One chunk is handed over as it came, which is the case for small batches. */
  take(): Buffer {
    const [only] = this.#chunks;
    if (only !== undefined && this.#chunks.length === 1) return only;
    // Memory of its own: a slice of a shared pool would keep the pool alive.
    const all = Buffer.allocUnsafeSlow(this.#bytes);
    let at = 0;
    for (const chunk of this.#chunks) at += chunk.copy(all, at);
    this.#chunks = [all];
    return all;
  }

  stop(refusal: Refusal): Refusal {
    this.#refusal ??= refusal;
    this.#finish();
    return this.#refusal;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
    if (this.#bytes > this.#bytesMax) this.stop(longerThan(this.#bytesMax, this.#bounds));
    else if (this.#bytes >= this.#wanted) this.#wake();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#finish();
  };

  readonly #onGone = (): void => {
    this.stop(refused("bad_request", "the connection ended within the body"));
  };

  #finish(): void {
    this.#timer.cancel();
    const request = this.#request;
    request.off("data", this.#onData).off("end", this.#onEnd);
    request.off("error", this.#onGone).off("close", this.#onGone);
    // A late error of a refused request is nobody's concern, but must not be unhandled.
    request.on("error", () => undefined);
    this.#wake();
  }
}

function longerThan(bytesMax: number, bounds: BodyBounds): Refusal {
  if (bytesMax === bounds.bytesMax) return tooLarge(bytesMax);
  return refused("bad_payload", `the header announces a frame of ${bytesMax} bytes, more came`);
}

function tooLarge(bytesMax: number): Refusal {
  return refused("payload_too_large", `at most ${bytesMax} bytes of body are allowed`);
}
