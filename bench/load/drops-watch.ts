/**
 * How many events the kernel could not deliver in a host's network, by the column `Drops` of
 * /proc/net/netlink, read apart from the agent. A socket's count goes with the socket, so it is read
 * often and the last value of each socket is kept.
 */
import { readFileSync } from "node:fs";

const NETFILTER = "12";
const EVERY_MS = 20;

export class DropsWatch {
  readonly #pid: number;
  readonly #byInode = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  /** `pid` is any process of the network namespace. */
  constructor(pid: number) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.#read(), EVERY_MS);
  }

  end(): void {
    this.#read();
    clearInterval(this.#timer);
  }

  get total(): number {
    return [...this.#byInode.values()].reduce((sum, drops) => sum + drops, 0);
  }

  /** How many sockets there were: each reader that was replaced may have dropped a little after it was last seen. */
  get sockets(): number {
    return this.#byInode.size;
  }

  #read(): void {
    for (const line of netlinkTable(this.#pid)) {
      const [, protocol, , groups = "0", , , , , drops, inode] = line.trim().split(/\s+/);
      const listens = protocol === NETFILTER && Number.parseInt(groups, 16) > 0;
      if (listens && inode !== undefined) this.#byInode.set(inode, Number(drops));
    }
  }
}

function netlinkTable(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/net/netlink`, "latin1").split("\n");
  } catch {
    return [];
  }
}
