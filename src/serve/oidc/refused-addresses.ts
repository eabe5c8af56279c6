/** Where no provider of anybody's lives, and what this machine must not be made to ask. */
import { BlockList, isIPv6 } from "node:net";

const refused = new BlockList();
// This network, broadcast, multicast; a cloud's metadata service answers at link-local addresses.
refused.addSubnet("0.0.0.0", 8, "ipv4");
refused.addSubnet("169.254.0.0", 16, "ipv4");
refused.addSubnet("224.0.0.0", 4, "ipv4");
refused.addAddress("255.255.255.255", "ipv4");
refused.addAddress("::", "ipv6");
refused.addSubnet("fe80::", 10, "ipv6");
refused.addSubnet("ff00::", 8, "ipv6");
// The same, as translators write IPv4 in IPv6; and a metadata service that is not link-local.
refused.addSubnet("64:ff9b::a9fe:0", 112, "ipv6");
refused.addSubnet("64:ff9b:1::", 48, "ipv6");
refused.addSubnet("2002:a9fe::", 32, "ipv6");
refused.addAddress("fd00:ec2::254", "ipv6");

export function isRefusedAddress(address: string): boolean {
  const plain = address.replace(/%.*$/, "");
  return refused.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
}
