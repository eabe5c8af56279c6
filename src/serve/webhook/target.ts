/** Where a webhook may point, and where a connection to it goes: never by a name that is resolved once for the check and again for the call. */
import { lookup } from "node:dns/promises";
import { addressFault, foreignHost, urlFault } from "../outbound/foreign-url.ts";
import { ServeError } from "../serve-error.ts";

const URL_CHARS_MAX = 2_000;

/** An address and where a connection to it goes. */
export interface Target {
  readonly url: URL;
  readonly address: string;
  readonly family: 4 | 6;
}

/** The form alone. Throws `bad_webhook`. */
export function parseTarget(text: string): URL {
  const url = URL.parse(text);
  if (url === null || text.length > URL_CHARS_MAX) throw bad("is no URL");
  const fault = urlFault(url);
  if (fault !== undefined) throw bad(fault);
  return url;
}

/** Resolved once; whoever connects goes to that address. Throws `bad_webhook`, and what the resolver throws. */
export async function resolveTarget(text: string, resolve = lookup): Promise<Target> {
  const url = parseTarget(text);
  const host = foreignHost(url);
  const found = await resolve(host, { all: true, verbatim: true });
  for (const { address } of found) {
    const fault = addressFault(url, address);
    if (fault !== undefined) throw bad(fault);
  }
  const [first] = found;
  if (first === undefined) throw bad(`names no address: ${host}`);
  return { url, address: first.address, family: first.family === 6 ? 6 : 4 };
}

function bad(what: string): ServeError {
  return new ServeError("bad_webhook", `the URL ${what}`);
}
