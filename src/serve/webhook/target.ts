/**
 * Where a webhook may point. The server has ways that its users have not: it must not be sent to a
 * cloud's metadata service, nor by a name that is resolved once for the check and again for the call.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { isLoopback } from "../access/own-addresses.ts";
import { isRefusedAddress } from "../access/refused-addresses.ts";
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
  if (url.protocol !== "https:" && url.protocol !== "http:") throw bad("must begin with https://");
  if (url.username !== "" || url.password !== "") throw bad("has a name or password in it");
  const host = hostOf(url);
  if (isIP(host) !== 0) checkAddress(url, host);
  else if (url.protocol === "http:" && host !== "localhost") throw bad("must begin with https://");
  return url;
}

/** Resolved once; whoever connects goes to that address. Throws `bad_webhook`, and what the resolver throws. */
export async function resolveTarget(text: string, resolve = lookup): Promise<Target> {
  const url = parseTarget(text);
  const host = hostOf(url);
  const found = await resolve(host, { all: true, verbatim: true });
  for (const { address } of found) checkAddress(url, address);
  const [first] = found;
  if (first === undefined) throw bad(`names no address: ${host}`);
  return { url, address: first.address, family: first.family === 6 ? 6 : 4 };
}

function checkAddress({ protocol }: URL, address: string): void {
  if (protocol === "http:" && !isLoopback(address)) {
    throw bad("must begin with https:// beyond this machine");
  }
  if (isRefusedAddress(address)) throw bad(`leads to ${address}, which is no receiver's`);
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

function bad(what: string): ServeError {
  return new ServeError("bad_webhook", `the URL ${what}`);
}
