/**
 * Names under which the server answers. A page that a browser loaded from elsewhere can make its own
 * name point here (DNS rebinding); its requests carry that name, and are refused.
 */
import { isIP } from "node:net";
import { hostname } from "node:os";
import { isLoopback, isOwnAddress } from "./own-addresses.ts";

export interface HostNames {
  /** As given to --listen; an address or a name. */
  readonly listenHost: string;
  /** Host of --public-url. */
  readonly publicHost?: string;
}

/** `header` is the value of Host, with or without a port. */
export function isKnownHost(header: string | undefined, names: HostNames): boolean {
  const host = hostOf(header ?? "");
  if (host === undefined) return false;
  if (host === "localhost" || host === names.listenHost.toLowerCase()) return true;
  if (host === names.publicHost?.toLowerCase()) return true;
  if (isIP(host) !== 0) return isLoopback(host) || isOwnAddress(host);
  return host === hostname().toLowerCase();
}

function hostOf(header: string): string | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::\d{1,5})?$/.exec(header);
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, "");
}
