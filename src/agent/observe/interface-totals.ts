/**
 * What the node's interfaces carried since they were made, from the kernel's own files: all but
 * loopback, what has carried nothing, and the ports of a bridge or bond, whose traffic the bridge
 * or bond counts too.
 */
import { existsSync, readFileSync } from "node:fs";
import type { InterfaceTotals } from "../../format/entry.ts";

export interface InterfaceFiles {
  /** Counts of all interfaces of this network namespace. */
  readonly counts: string;
  /** A folder for each interface. */
  readonly folder: string;
}

const LINUX: InterfaceFiles = { counts: "/proc/net/dev", folder: "/sys/class/net" };
/** ARPHRD_LOOPBACK. */
const LOOPBACK_TYPE = "772";

export interface NodeInterfaces {
  readonly totals: readonly InterfaceTotals[];
  readonly hasWireGuard: boolean;
}

/** `claimed`: the interfaces that carry addresses of the node. Throws where the files are not as expected: half a list would say too little. */
export function readInterfaces(claimed: ReadonlySet<string>, files = LINUX): NodeInterfaces {
  const totals: InterfaceTotals[] = [];
  let hasWireGuard = false;
  for (const line of readFileSync(files.counts, "latin1").split("\n").slice(2)) {
    const { name, counts } = parseCounts(line);
    if (name === "" || !counts.some((count) => count > 0)) continue;
    const folder = `${files.folder}/${name}`;
    if (isCountedElsewhere(folder)) continue;
    const about = readFileSync(`${folder}/uevent`, "latin1");
    hasWireGuard ||= /^DEVTYPE=wireguard$/m.test(about);
    const [receivedBytes = 0, receivedPackets = 0, sentBytes = 0, sentPackets = 0] = counts;
    totals.push({
      index: indexIn(about, name),
      name,
      claimed: claimed.has(name),
      receivedBytes,
      sentBytes,
      receivedPackets,
      sentPackets,
    });
  }
  return { totals, hasWireGuard };
}

function isCountedElsewhere(folder: string): boolean {
  return (
    readFileSync(`${folder}/type`, "latin1").trim() === LOOPBACK_TYPE ||
    existsSync(`${folder}/brport`) ||
    existsSync(`${folder}/bonding_slave`)
  );
}

function indexIn(about: string, name: string): number {
  const index = Number(/^IFINDEX=(\d+)$/m.exec(about)?.[1]);
  if (!Number.isSafeInteger(index)) throw new Error(`the kernel names no index of ${name}`);
  return index;
}

/** Eight counts of what came in, then eight of what went out; bytes and packets lead each. */
function parseCounts(line: string): { name: string; counts: readonly number[] } {
  const colon = line.lastIndexOf(":");
  if (colon < 0) return { name: "", counts: [] };
  const fields = line
    .slice(colon + 1)
    .trim()
    .split(/\s+/)
    .map(Number);
  const counts = [fields[0] ?? -1, fields[1] ?? -1, fields[8] ?? -1, fields[9] ?? -1];
  const name = line.slice(0, colon).trim();
  if (!counts.every((count) => Number.isSafeInteger(count) && count >= 0)) {
    throw new Error(`the kernel's counts of ${name} are not understood`);
  }
  return { name, counts };
}
