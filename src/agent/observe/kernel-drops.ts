/**
 * How many messages the kernel could not deliver to a process's event socket, by the kernel's own
 * count: column `Drops` of /proc/net/netlink, for the socket found by its inode. (The `Pid` column
 * there is a port number that only happens to look like a process id.)
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export class KernelDrops {
  readonly #pid: number;
  #inodes: ReadonlySet<string> = new Set();

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** True once the process, or a child of it, listens to a netlink group. */
  get isListening(): boolean {
    if (this.#inodes.size === 0) this.read();
    return this.#inodes.size > 0;
  }

  /** Messages dropped since the socket was opened; undefined when it is not there (yet, or any more). */
  read(): number | undefined {
    const rows = listeners(this.#pid);
    if (this.#inodes.size === 0) this.#inodes = this.#findSockets(rows);
    const own = rows.filter(({ inode }) => this.#inodes.has(inode));
    return own.length === 0 ? undefined : own.reduce((sum, { drops }) => sum + drops, 0);
  }

  #findSockets(rows: readonly Listener[]): ReadonlySet<string> {
    const found = new Set<string>();
    if (rows.length === 0) return found;
    const open = new Set(processTree(this.#pid).flatMap(socketsOf));
    for (const { inode } of rows) if (open.has(inode)) found.add(inode);
    return found;
  }
}

interface Listener {
  readonly inode: string;
  readonly drops: number;
}

/** NETLINK_NETFILTER. */
const PROTOCOL = "12";

/** Netfilter sockets of the process's network namespace that listen to a group. */
function listeners(pid: number): Listener[] {
  const rows: Listener[] = [];
  for (const line of readText(`/proc/${pid}/net/netlink`).split("\n")) {
    const [, protocol, , groups = "0", , , , , drops, inode] = line.trim().split(/\s+/);
    if (protocol !== PROTOCOL || inode === undefined || Number.parseInt(groups, 16) === 0) continue;
    rows.push({ inode, drops: Number(drops) });
  }
  return rows;
}

function processTree(pid: number): number[] {
  const children = readText(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean);
  return [pid, ...children.flatMap((child) => processTree(Number(child)))];
}

function socketsOf(pid: number): string[] {
  const inodes: string[] = [];
  for (const fd of readNames(`/proc/${pid}/fd`)) {
    const target = readTarget(`/proc/${pid}/fd/${fd}`);
    if (target.startsWith("socket:[")) inodes.push(target.slice("socket:[".length, -1));
  }
  return inodes;
}

/** A process may end between two of these reads: then there is nothing to read. */
function readText(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function readNames(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function readTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
