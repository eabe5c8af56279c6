/**
 * URLs that somebody gives this server to ask: a webhook's receiver, an OpenID provider. Over https, or
 * http on this machine, and to no address that is refused. What is wrong is said as a sentence's rest,
 * `leads to 169.254.169.254, …`; whoever asks knows the code that it gets.
 */
import { isIP } from "node:net";
import { isLoopback } from "../access/own-addresses.ts";
import { isRefusedAddress } from "./refused-addresses.ts";

/** As far as it shows before a name is resolved; undefined: nothing. */
export function urlFault(url: URL): string | undefined {
  if (url.username !== "" || url.password !== "") return "has a name or password in it";
  const { protocol } = url;
  const host = foreignHost(url);
  if (protocol !== "https:" && protocol !== "http:") return "does not begin with https://";
  if (isIP(host) !== 0) return addressFault(url, host);
  const isHere = protocol === "https:" || host === "localhost";
  return isHere ? undefined : "does not begin with https://, and is not on this machine";
}

/** Of an address that it has, or that its name resolves to. One that is refused speaks against all that a name has. */
export function addressFault({ protocol }: URL, address: string): string | undefined {
  if (isRefusedAddress(address)) return `leads to ${address}, where nothing is asked`;
  const isHere = protocol === "https:" || isLoopback(address);
  return isHere ? undefined : `leads to ${address}, which is not on this machine, without https`;
}

/** The host as a resolver takes it: an IPv6 address without its brackets. */
export function foreignHost({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}
