/**
 * Where a webhook may point. The server has ways that its users have not: it must not be sent to a
 * cloud's metadata service, nor by a name that is resolved once for the check and again for the call.
 */
import { lookup } from "node:dns/promises";
import { BlockList, isIP, isIPv6 } from "node:net";
import { isLoopback } from "../access/own-addresses.ts";
import { ServeError } from "../serve-error.ts";

const URL_CHARS_MAX = 2_000;

const forbidden = new BlockList();
for (const [net, prefix] of [
  ["0.0.0.0", 8], // this host
  ["169.254.0.0", 16], // link-local, metadata of clouds
  ["224.0.0.0", 4], // multicast
  ["240.0.0.0", 4], // reserved, broadcast
] as const) {
  forbidden.addSubnet(net, prefix, "ipv4");
}
for (const [net, prefix] of [
  ["::", 96], // unspecified, and IPv4 in an old form
  ["64:ff9b::", 96], // IPv4 behind a translator
  ["64:ff9b:1::", 48],
  ["2002::", 16], // IPv4 by 6to4
  ["fe80::", 10], // link-local
  ["fec0::", 10], // what site-local was
  ["ff00::", 8], // multicast
  ["fd00:ec2::254", 128], // metadata of a cloud
] as const) {
  forbidden.addSubnet(net, prefix, "ipv6");
}

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
  const isOwn = isLoopback(address);
  if (protocol === "http:" && !isOwn) throw bad("must begin with https:// beyond this machine");
  if (!isOwn && isForbidden(address)) throw bad(`leads to ${address}, which is no receiver's`);
}

function isForbidden(address: string): boolean {
  const plain = address.replace(/%.*$/, "");
  // Takes `::ffff:…` for the IPv4 address in it.
  return forbidden.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

function bad(what: string): ServeError {
  return new ServeError("bad_webhook", `the URL ${what}`);
}
