/** One message to a receiver: delivered when it answers 2xx in time; what else it says is not read. */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import type { Clock } from "../../std/clock.ts";
import { printable } from "../../std/printable.ts";
import { type Message, signedHeaders } from "./sign.ts";
import { resolveTarget, type Target } from "./target.ts";

export type Posted =
  | { readonly ok: true; readonly status: number }
  | { readonly ok: false; readonly reason: string };

const ANSWER_MS_MAX = 10_000;
const LATE = "no answer within 10 s";
const REASON_CHARS_MAX = 300;

export interface PostOptions {
  readonly url: string;
  readonly secret: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Never rejects. */
export async function post(message: Message, options: PostOptions): Promise<Posted> {
  const { clock, signal } = options;
  const gone = new AbortController();
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => undefined);
  gone.signal.addEventListener("abort", () => ended.reject(gone.signal.reason as Error));
  const stop = () => gone.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const timer = clock.after(ANSWER_MS_MAX, () => gone.abort(new Error(LATE)));
  try {
    // A resolver cannot be stopped, but nobody has to wait for it.
    const target = await Promise.race([resolveTarget(options.url), ended.promise]);
    const sent = send(target, message, options, gone.signal);
    return outcomeOf(await Promise.race([sent, ended.promise]));
  } catch (error) {
    return { ok: false, reason: gone.signal.aborted ? textOf(gone.signal.reason) : textOf(error) };
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", stop);
    // Also of the connection: a body that goes on is nothing to us.
    gone.abort();
  }
}

function outcomeOf(status: number): Posted {
  if (status >= 200 && status < 300) return { ok: true, status };
  const isElsewhere = status >= 300 && status < 400;
  const why = isElsewhere ? "; redirects are not followed" : "";
  return { ok: false, reason: `it answered ${status}${why}` };
}

function send(
  { url, address, family }: Target,
  message: Message,
  { secret, clock }: PostOptions,
  signal: AbortSignal,
): Promise<number> {
  const call = url.protocol === "https:" ? httpsRequest : httpRequest;
  // Where the check looked, and nowhere else.
  const lookup: LookupFunction = (_host, { all }, done) => {
    if (all === true) done(null, [{ address, family }]);
    else done(null, address, family);
  };
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const request = call(url, {
    method: "POST",
    agent: false,
    lookup,
    signal,
    headers: {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(message.body),
      "user-agent": "tallystick-webhook",
      ...signedHeaders(message, secret, clock.nowMs()),
    },
  });
  request.on("error", reject);
  request.once("response", (response) => {
    response.on("error", () => undefined);
    resolve(response.statusCode ?? 0);
  });
  request.end(message.body);
  return promise;
}

/** In our words and the system's: nothing that the receiver wrote. */
function textOf(error: unknown): string {
  const { message = "", code = "" } = error as Partial<NodeJS.ErrnoException>;
  return printable(message === "" ? code : message).slice(0, REASON_CHARS_MAX);
}
