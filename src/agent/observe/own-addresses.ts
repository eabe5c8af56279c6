/**
 * The machine's addresses, asked for every few seconds: those that name this node, by network, and
 * those that name nobody because they belong to container bridges and the like.
 */
import { networkInterfaces, type NetworkInterfaceInfo } from "node:os";
import { isIPv4 } from "node:net";
import { canonicalAddress, formatAddress, parseAddress } from "../../format/address.ts";
import { ADDRESSES_MAX } from "../../format/limits.ts";
import { isNeverNaming, type LocalAddresses } from "./address-scope.ts";

/** Interfaces whose addresses exist on many machines alike. */
const INNER_INTERFACE =
  /^(docker\d|br-[0-9a-f]{6,}|veth|cni|virbr|podman|lxc|lxd|incusbr|flannel|cali|cilium|kube-|nodelocaldns|weave)/;

export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

export function readLocalAddresses(interfaces: Interfaces = networkInterfaces()): LocalAddresses {
  const own = new Set<string>();
  const unnamed = new Set<string>();
  const inner = new Set<string>();
  const broadcasts = new Set<string>();
  for (const [name, infos = []] of Object.entries(interfaces)) {
    for (const { address: text, cidr } of infos) {
      const address = canonicalAddress(withoutZone(text));
      if (isNeverNaming(address) || cidr === null) continue;
      if (isIPv4(address)) addBroadcast(broadcasts, address, cidr);
      if (!INNER_INTERFACE.test(name)) own.add(address);
      else {
        unnamed.add(address);
        inner.add(cidr);
      }
    }
  }
  return {
    own: [...own].sort().slice(0, ADDRESSES_MAX),
    unnamed: [...unnamed].sort(),
    inner: [...inner].sort(),
    broadcasts: [...broadcasts].sort(),
  };
}

/** Names of the interfaces that carry addresses which name this node. */
export function claimingInterfaces(interfaces: Interfaces = networkInterfaces()): Set<string> {
  const names = new Set<string>();
  for (const [name, infos = []] of Object.entries(interfaces)) {
    if (INNER_INTERFACE.test(name)) continue;
    const claims = infos.some(
      ({ address, cidr }) =>
        cidr !== null && !isNeverNaming(canonicalAddress(withoutZone(address))),
    );
    // An address with a label of its own, `eth0:1`, is on the interface before the colon.
    if (claims) names.add(name.split(":")[0] ?? name);
  }
  return names;
}

/** The claim for the `addresses` entry: own addresses by network. */
export function claimedAddresses(
  local: LocalAddresses,
  networkOf: (address: string) => string | undefined,
): Record<string, string[]> {
  const networks: Record<string, string[]> = { default: [] };
  for (const address of local.own) (networks[networkOf(address) ?? "default"] ??= []).push(address);
  return networks;
}

export function sameAddresses(a: LocalAddresses, b: LocalAddresses): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/, "");
}

/** The last address of an IPv4 subnet; point-to-point subnets (/31, /32) have none. */
function addBroadcast(broadcasts: Set<string>, address: string, cidr: string): void {
  const prefix = Number(cidr.split("/")[1]);
  if (prefix > 30) return;
  const bytes = parseAddress(address);
  const view = new DataView(bytes.buffer);
  view.setUint32(12, (view.getUint32(12) | (0xffff_ffff >>> prefix)) >>> 0);
  broadcasts.add(formatAddress(bytes));
}
