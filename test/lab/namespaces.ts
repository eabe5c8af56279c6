/**
 * Hosts on one machine: network namespaces on a bridge of their own. Nothing of it touches the
 * machine's own network, and `close` leaves nothing behind.
 */
import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Host {
  readonly name: string;
  readonly ip: string;
  readonly namespace: string;
}

export interface MeshOptions {
  /** Begins the name of every namespace, so that two meshes do not meet. */
  readonly prefix: string;
  /** Host names in the order of their addresses: the first is 10.77.0.1. */
  readonly hosts: readonly string[];
}

/**
 * Short lives for finished connections, so that the kernel's final counters come within seconds.
 * Seconds; only ever set in the mesh's own namespaces.
 */
const TIMEOUTS_S = {
  nf_conntrack_tcp_timeout_time_wait: 3,
  nf_conntrack_tcp_timeout_close: 3,
  nf_conntrack_tcp_timeout_syn_sent: 6,
  nf_conntrack_udp_timeout: 4,
  nf_conntrack_udp_timeout_stream: 6,
} as const;

export class Mesh {
  readonly hosts: readonly Host[];
  readonly #switch: string;

  private constructor(options: MeshOptions) {
    this.#switch = `${options.prefix}-switch`;
    this.hosts = options.hosts.map((name, index) => ({
      name,
      ip: `10.77.0.${index + 1}`,
      namespace: `${options.prefix}-${name}`,
    }));
  }

  static async open(options: MeshOptions): Promise<Mesh> {
    const mesh = new Mesh(options);
    await mesh.close();
    await ip("netns", "add", mesh.#switch);
    await mesh.#inSwitch("link", "add", "br0", "type", "bridge");
    await mesh.#inSwitch("link", "set", "br0", "up");
    for (const host of mesh.hosts) await mesh.#attach(host);
    return mesh;
  }

  host(name: string): Host {
    const host = this.hosts.find((one) => one.name === name);
    if (host === undefined) throw new Error(`the mesh has no host ${name}`);
    return host;
  }

  /** From now on the switch loses so many packets of a hundred, at random. */
  async lose(percent: number): Promise<void> {
    const rules = [
      "add table bridge loss",
      "add chain bridge loss passing { type filter hook forward priority 0; }",
      `add rule bridge loss passing ether type { ip, ip6 } numgen random mod 100 < ${percent} drop`,
    ].join("; ");
    await ip("netns", "exec", this.#switch, "nft", rules);
  }

  /** Its hosts are joined here; nothing but the switch is in it. */
  get switchNamespace(): string {
    return this.#switch;
  }

  /** The switch's end of the host's link. */
  portOf(host: Host): string {
    return `port${this.hosts.indexOf(host)}`;
  }

  /** Removes the namespaces; with them go their interfaces, rules and tables. */
  async close(): Promise<void> {
    const own = new Set(this.hosts.map((host) => host.namespace)).add(this.#switch);
    for (const name of await namespaces()) {
      // A container is named after its host.
      if (own.has(name.replace(/-box$/, ""))) await ip("netns", "delete", name);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #attach(host: Host): Promise<void> {
    const port = this.portOf(host);
    await ip("netns", "add", host.namespace);
    await this.#inSwitch(
      "link",
      "add",
      port,
      "type",
      "veth",
      "peer",
      "name",
      "mesh0",
      "netns",
      host.namespace,
    );
    await this.#inSwitch("link", "set", port, "master", "br0", "up");
    await ip("-n", host.namespace, "addr", "add", `${host.ip}/24`, "dev", "mesh0");
    await ip("-n", host.namespace, "link", "set", "mesh0", "up");
    await ip("-n", host.namespace, "link", "set", "lo", "up");
    for (const [name, seconds] of Object.entries(TIMEOUTS_S)) {
      await inside(host, "sysctl", "-qw", `net.netfilter.${name}=${seconds}`);
    }
  }

  #inSwitch(...args: string[]): Promise<unknown> {
    return ip("-n", this.#switch, ...args);
  }
}

/** Runs a program in a host's network to its end; its output. */
export async function inside(host: Host, program: string, ...args: string[]): Promise<string> {
  const { stdout } = await run("ip", ["netns", "exec", host.namespace, program, ...args]);
  return stdout;
}

/**
 * Makes the kernel look through a host's connection table, which ends what has timed out: left
 * alone it does so within a minute.
 */
export async function sweep(host: Host): Promise<void> {
  await run("ip", ["netns", "exec", host.namespace, "conntrack", "-L", "-o", "id"], {
    maxBuffer: 64 * 1024 * 1024,
  });
}

/** Why stories on a real kernel cannot run here, or false. */
export function cannotRun(): string | false {
  if (process.getuid?.() !== 0) return "needs root, for network namespaces";
  for (const program of ["ip", "nft", "conntrack"]) {
    if (spawnSync("which", [program]).status !== 0) return `needs the program ${program}`;
  }
  return false;
}

/** Whether this process may make namespaces, and why not. */
export async function namespaceProblem(): Promise<string | undefined> {
  const name = `tallystick-probe-${process.pid}`;
  try {
    await ip("netns", "add", name);
    await ip("netns", "delete", name);
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[1] ?? error.message) : String(error);
  }
}

async function namespaces(): Promise<string[]> {
  const { stdout } = await run("ip", ["netns", "list"]);
  return stdout.split("\n").map((line) => line.split(" ")[0] ?? "");
}

/** Runs `ip` to its end. */
export function ip(...args: string[]): Promise<unknown> {
  return run("ip", args);
}
