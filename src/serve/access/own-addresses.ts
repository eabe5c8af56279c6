/** Whether an address is this machine's own. */
import { BlockList, isIP, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { auditAddress } from "./principal.ts";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Asked afresh each time: a mesh interface may come after us. */
export function isOwnAddress(address: string): boolean {
  const plain = auditAddress(address);
  if (isLoopback(plain)) return true;
  return Object.values(networkInterfaces()).some((list) =>
    list?.some((one) => one.address === plain),
  );
}

export function isLoopback(address: string): boolean {
  const plain = auditAddress(address);
  return isIP(plain) !== 0 && loopback.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
}
