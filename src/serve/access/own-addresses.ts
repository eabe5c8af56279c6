/** Whether an address is this machine's own. */
import { networkInterfaces } from "node:os";
import { BlockList, isIPv6 } from "node:net";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Asked afresh each time: a mesh interface may come after us. */
export function isOwnAddress(address: string): boolean {
  const plain = unmapped(address);
  if (isLoopback(plain)) return true;
  return Object.values(networkInterfaces()).some((list) =>
    list?.some((one) => one.address === plain),
  );
}

export function isLoopback(address: string): boolean {
  const plain = unmapped(address);
  return loopback.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
}

/** A dual-stack socket shows IPv4 peers as `::ffff:10.0.0.1`. */
function unmapped(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
}
