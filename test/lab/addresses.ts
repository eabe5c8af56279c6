/** How the hosts of a lab are addressed. */
import type { Host } from "./namespaces.ts";

/** The host's other address: 10.77.0.1 is fd77::1 too. */
export function ipv6Of(host: Host): string {
  return `fd77::${host.ip.split(".").at(-1)}`;
}
