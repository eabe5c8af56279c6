/** The mesh of the long run: cables, hosts, agents and chatters. */
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import type { Child } from "../../../demo/child.ts";
import type { Lie } from "../../../demo/lying-agent.ts";
import { ipv6Of } from "../../lab/addresses.ts";
import { addContainer, moveBehind } from "../../lab/masquerade.ts";
import { MeshLab, type AgentStart } from "../../lab/mesh-lab.ts";
import { inside, type Host, type Mesh } from "../../lab/namespaces.ts";
import { routeSwitch } from "../../lab/routed-switch.ts";
import { slowDown } from "../../lab/slow-line.ts";
import {
  callsOf,
  CAST,
  CLOCK_OFFSET_MS,
  NARROW_PORTS,
  PUBLISHED,
  SLOW_LINE,
  type Name,
} from "./cast.ts";
import type { Account, Plan } from "./chatter.ts";
import { KINDS } from "./kinds.ts";

export interface WorldOptions {
  readonly seed: number;
  readonly lossPercent: number;
  /** Of calls; 1 is some 60 connections a second in all. */
  readonly rate: number;
  readonly withLiar: boolean;
}

const CHATTER = fileURLToPath(new URL("chatter.ts", import.meta.url));
const ODD_AGENT = [
  process.execPath,
  fileURLToPath(new URL("../../lab/odd-agent.ts", import.meta.url)),
];
/** Seconds. Some ends are lost on the way: what waits for them is given up within the run. */
const TIMEOUTS_S = {
  nf_conntrack_tcp_timeout_fin_wait: 30,
  nf_conntrack_tcp_timeout_close_wait: 30,
  nf_conntrack_tcp_timeout_last_ack: 15,
  nf_conntrack_tcp_timeout_syn_recv: 30,
} as const;
/** Every other host's kernel is more patient with UDP, so that pauses split a session at one end only. */
const PATIENT_UDP = [
  "net.netfilter.nf_conntrack_udp_timeout=12",
  "net.netfilter.nf_conntrack_udp_timeout_stream=20",
];

export class World implements AsyncDisposable {
  readonly lab: MeshLab;
  readonly #options: WorldOptions;
  readonly #chatters = new Map<Host, Child>();
  readonly #slowLine: Child;

  private constructor(lab: MeshLab, slowLine: Child, options: WorldOptions) {
    this.lab = lab;
    this.#slowLine = slowLine;
    this.#options = options;
  }

  /** Everybody observes and serves when it resolves; nobody talks yet. */
  static async open(options: WorldOptions): Promise<World> {
    const lines: Child[] = [];
    const lab = await MeshLab.open({
      prefix: `tslong-${process.pid}`,
      hosts: Object.keys(CAST),
      timeoutsS: TIMEOUTS_S,
      shape: async (mesh) => void lines.push(await layCables(mesh, options.lossPercent)),
    });
    const [slowLine] = lines;
    if (slowLine === undefined) throw new Error("the slow line was not laid");
    const world = new World(lab, slowLine, options);
    try {
      await world.#settle();
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  host(name: Name): Host {
    return this.lab.host(name);
  }

  startAgent(host: Host, words: readonly string[] = []): Promise<void> {
    return this.lab.startAgent(host, { ...this.#howOf(host), words });
  }

  /** Everybody begins to talk. */
  talk(): void {
    const called = this.lab.hosts.filter(({ name }) => name !== "inn");
    for (const [index, [host, chatter]] of [...this.#chatters].entries()) {
      const plan: Plan = {
        seed: this.#options.seed + index,
        log: join(this.lab.directory, `calls of ${host.name}`),
        calls: callsOf(host, called, this.#options.rate),
      };
      chatter.send(plan);
    }
  }

  /** Everybody falls silent; what was made, by kind, and what failed. */
  async hush(): Promise<Account> {
    const all = [...this.#chatters.values()].map(async (chatter) => {
      const account = chatter.line((line) => line["ended"] === true);
      chatter.send({});
      return (await account) as unknown as Account;
    });
    const accounts = await Promise.all(all);
    return {
      made: sum(accounts.map(({ made }) => made)),
      failed: sum(accounts.map(({ failed }) => failed)),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab[Symbol.asyncDispose]();
    await this.#slowLine.end("SIGKILL");
  }

  async #settle(): Promise<void> {
    const { lab } = this;
    await inside(this.host("cat"), "sysctl", "-qw", `net.ipv4.ip_local_port_range=${NARROW_PORTS}`);
    for (const [index, host] of lab.hosts.entries()) {
      await inside(host, "nft", SILENCE);
      if (index % 2 === 1) await inside(host, "sysctl", "-qw", ...PATIENT_UDP);
    }
    const boxed = [this.host("ann"), this.host("ben")];
    const boxes = await Promise.all(boxed.map((host) => addContainer(host, PUBLISHED)));
    for (const host of lab.hosts) await this.startAgent(host);
    await Promise.all([...lab.hosts, ...boxes].map((host) => this.#startChatter(host)));
  }

  async #startChatter(host: Host): Promise<void> {
    const command = [process.execPath, CHATTER];
    const chatter = this.lab.start(host, `chatter of ${host.name}`, command);
    this.#chatters.set(host, chatter);
    await chatter.line((line) => line["ready"] === true);
  }

  #howOf(host: Host): AgentStart {
    if (host.name === "dot") {
      return { program: [...ODD_AGENT, "--clock-offset-ms", String(CLOCK_OFFSET_MS)] };
    }
    if (host.name !== "leo" || !this.#options.withLiar) return {};
    return { program: [...ODD_AGENT, "--lies", JSON.stringify(this.#lies())] };
  }

  #lies(): Lie[] {
    const about = (name: Name, lie: Lie["lie"]): Lie[] =>
      [this.host(name).ip, ipv6Of(this.host(name))].map((peer) => ({ lie, peer }));
    return [...about("ann", "forget"), ...about("ben", "alter")];
  }
}

/** Before the tracker sees it: no reset, no record. */
const SILENCE = `add table inet quiet;
  add chain inet quiet pre { type filter hook prerouting priority -400; };
  add rule inet quiet pre tcp dport ${KINDS.silent.port} drop`;

async function layCables(mesh: Mesh, lossPercent: number): Promise<Child> {
  const inner = mesh.host("inn");
  const slowLine = await slowDown(mesh, mesh.host("far"), SLOW_LINE);
  await moveBehind(mesh, inner, mesh.host("gate"));
  const routed = mesh.hosts.filter((host) => host !== inner);
  await routeSwitch(mesh, routed, { lossPercent });
  return slowLine;
}

function sum(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const [name, count] of counts.flatMap(Object.entries<number>)) {
    total[name] = (total[name] ?? 0) + count;
  }
  return total;
}
