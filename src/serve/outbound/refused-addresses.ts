/**
 * Where this server must not be sent by an address that somebody gives it. It has ways that its users
 * have not: to a cloud's metadata service above all, in whatever spelling.
 */
import { BlockList, isIPv6 } from "node:net";
import { isLoopback } from "../access/own-addresses.ts";

const refused = new BlockList();
for (const [net, prefix] of [
  ["0.0.0.0", 8], // this host
  ["169.254.0.0", 16], // link-local, metadata of clouds
  // Metadata of clouds that is not link-local.
  ["100.100.100.200", 32],
  ["168.63.129.16", 32],
  ["192.0.0.192", 32],
  ["224.0.0.0", 4], // multicast
  ["240.0.0.0", 4], // reserved, broadcast
] as const) {
  refused.addSubnet(net, prefix, "ipv4");
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
  refused.addSubnet(net, prefix, "ipv6");
}

export function isRefusedAddress(address: string): boolean {
  const plain = address.replace(/%.*$/, "");
  // The list takes `::ffff:…` for the IPv4 address in it.
  return !isLoopback(plain) && refused.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
}
