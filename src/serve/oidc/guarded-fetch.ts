/**
 * Requests to the OpenID provider, at addresses that somebody else names. Over https, or http on this
 * machine; to no address that is refused, whatever a name resolves to; where nothing is followed, and
 * nothing is waited for or read without end.
 */
import { lookup as systemLookup, type LookupAddress } from "node:dns";
import { request as requestHttp, type IncomingMessage, type RequestOptions } from "node:http";
import { request as requestHttps } from "node:https";
import type { Clock } from "../../std/clock.ts";
import { addressFault, foreignHost, urlFault } from "../outbound/foreign-url.ts";
import { ServeError } from "../serve-error.ts";

/** For connecting, waiting and reading together. */
export const FETCH_MS_MAX = 10_000;
/** Discovery documents and key sets of large providers are about 10 KiB. */
export const FETCH_BYTES_MAX = 256 * 1024;

/** All addresses of a name, by DNS and what else the system asks. */
export type Lookup = (
  name: string,
  done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

export interface GuardedFetchOptions {
  readonly clock: Clock;
  readonly lookup?: Lookup;
}

export interface FetchInit {
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
}

/** Throws `bad_issuer` for what is not allowed, `oidc_unreachable` for what does not work. */
export type GuardedFetch = (url: string, init?: FetchInit) => Promise<Response>;

export function guardedFetch({ clock, lookup = everyAddress }: GuardedFetchOptions): GuardedFetch {
  return async (url, init = {}) => {
    const target = checkedUrl(url);
    const controller = new AbortController();
    const timer = clock.after(FETCH_MS_MAX, () =>
      controller.abort(unreachable(target, `no whole answer within ${FETCH_MS_MAX / 1_000} s`)),
    );
    try {
      return await answerOf(target, init, { lookup, signal: controller.signal });
    } catch (error) {
      throw serveErrorOf(controller.signal.aborted ? controller.signal.reason : error, target);
    } finally {
      timer.cancel();
    }
  };
}

/** Of an address that this server or a browser is sent to. Throws `bad_issuer`. */
export function checkedUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new ServeError("bad_issuer", `${shown(text)} is no URL`);
  const fault = urlFault(url);
  if (fault !== undefined) throw badHost(url, fault);
  return url;
}

interface Bounds {
  readonly lookup: Lookup;
  readonly signal: AbortSignal;
}

async function answerOf(url: URL, init: FetchInit, bounds: Bounds): Promise<Response> {
  const response = await sent(url, init, bounds);
  const status = response.statusCode ?? 0;
  if (status >= 300 && status < 400) {
    response.destroy();
    throw new ServeError(
      "bad_issuer",
      `${foreignHost(url)} answers with a redirect, none is followed`,
    );
  }
  const body = await bodyOf(response, url);
  const type = response.headers["content-type"];
  const headers = type === undefined ? {} : { "content-type": type };
  return new Response(body.length === 0 ? null : body, { status, headers });
}

function sent(url: URL, init: FetchInit, { lookup, signal }: Bounds): Promise<IncomingMessage> {
  const { method = "GET", headers = {}, body } = init;
  const options: RequestOptions = {
    method,
    headers,
    signal,
    // A connection that is kept would be used again without a look at its address.
    agent: false,
    lookup: (name, { all }, done) => {
      lookup(name, (error, addresses) => {
        const refusal = error ?? refusalOf(url, addresses);
        const [first] = addresses;
        if (refusal !== null || first === undefined) done(refusal ?? noAddress(url), "");
        else if (all === true) done(null, [...addresses]);
        else done(null, first.address, first.family);
      });
    },
  };
  return new Promise((resolve, reject) => {
    const call = (url.protocol === "https:" ? requestHttps : requestHttp)(url, options);
    call.once("response", resolve).once("error", reject);
    call.end(body);
  });
}

function refusalOf(url: URL, addresses: readonly LookupAddress[]): Error | null {
  for (const { address } of addresses) {
    const fault = addressFault(url, address);
    if (fault !== undefined) return badHost(url, fault);
  }
  return null;
}

/** The host alone: whoever put a password into the URL is not told it back. */
function badHost(url: URL, fault: string): ServeError {
  return new ServeError("bad_issuer", `the URL of ${shown(foreignHost(url))} ${fault}`);
}

async function bodyOf(response: IncomingMessage, url: URL): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > FETCH_BYTES_MAX) {
      throw new ServeError("bad_issuer", `${foreignHost(url)} answers with more than 256 KiB`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function everyAddress(name: string, done: Parameters<Lookup>[1]): void {
  systemLookup(name, { all: true }, done);
}

function serveErrorOf(error: unknown, url: URL): ServeError {
  if (error instanceof ServeError) return error;
  const { code } = error as { code?: unknown };
  return unreachable(url, typeof code === "string" ? code : "the connection broke", error);
}

function unreachable(url: URL, why: string, cause?: unknown): ServeError {
  return new ServeError("oidc_unreachable", `${url.host} could not be asked: ${why}`, { cause });
}

function noAddress(url: URL): ServeError {
  return unreachable(url, "the name has no address");
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 120));
}
