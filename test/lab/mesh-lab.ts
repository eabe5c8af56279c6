/**
 * A mesh on one machine with nothing made up: hosts in network namespaces, the real server in one of
 * its own, the real agent on each host, enrolled with a real key. The server's host is no node.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Child } from "../../demo/child.ts";
import { inside, Mesh, sweep, type Host } from "./namespaces.ts";
import { KernelDrops } from "../../src/agent/observe/kernel-drops.ts";
import { enlargeEventBuffer } from "./event-buffer.ts";
import { ipv6Of } from "./addresses.ts";
import { until } from "./until.ts";

export type { Host };

export interface LabOptions {
  /** Begins the name of every namespace. */
  readonly prefix: string;
  readonly hosts: readonly string[];
  /** Lays the cables anew before anything runs; then every host is alone on its link, a /128. */
  readonly shape?: (mesh: Mesh) => Promise<void>;
  /** Seconds by name below net.netfilter., beyond the mesh's own. */
  readonly timeoutsS?: Readonly<Record<string, number>>;
  /** Program and leading arguments of the agent; default: its source. */
  readonly agent?: readonly string[];
  /**
   * Agents are sessions of their own, as a service manager starts them, and the server takes only
   * what the hosts leave of the processors: in life it has a machine of its own.
   */
  readonly asServices?: boolean;
}

/** One start of an agent. */
export interface AgentStart {
  /** Instead of the lab's program. */
  readonly program?: readonly string[];
  /** More words of its command line. */
  readonly words?: readonly string[];
}

const run = promisify(execFile);
const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const TALLYSTICK = file("../../bin/tallystick.ts");
const AGENT_SOURCE = [process.execPath, file("../../bin/tallystick-agent.ts")];
/** Runs what follows in a session that comes after all others; sched(7), autogroup. */
const LAST = ["sh", "-c", 'echo 19 > /proc/self/autogroup; exec "$@"', "sh"];
const SERVER = "hq";
const PORT = 8255;
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;

export class MeshLab implements AsyncDisposable {
  readonly directory: string;
  readonly #mesh: Mesh;
  readonly #options: LabOptions;
  readonly #children = new Set<Child>();
  readonly #agents = new Map<string, Child>();
  #server: Child | undefined;
  #key = "";

  private constructor(mesh: Mesh, directory: string, options: LabOptions) {
    this.#mesh = mesh;
    this.directory = directory;
    this.#options = options;
  }

  /** Hosts and server are up when it resolves; agents are started by `startAgent`. */
  static async open(options: LabOptions): Promise<MeshLab> {
    const directory = await mkdtemp(join(tmpdir(), "tallystick-lab-"));
    const mesh = await Mesh.open({
      prefix: options.prefix,
      hosts: [...options.hosts, SERVER],
    });
    const lab = new MeshLab(mesh, directory, options);
    try {
      await options.shape?.(mesh);
      await Promise.all(lab.hosts.map((host) => lab.#furnish(host)));
      await lab.#startServer();
      return lab;
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Without the server's. */
  get hosts(): readonly Host[] {
    return this.#mesh.hosts.filter((host) => host.name !== SERVER);
  }

  host(name: string): Host {
    return this.#mesh.host(name);
  }

  agentOf(host: Host): Child {
    const agent = this.#agents.get(host.name);
    if (agent === undefined) throw new Error(`no agent runs on ${host.name}`);
    return agent;
  }

  stateOf(host: Host): string {
    return join(this.directory, host.name);
  }

  get serverPid(): number {
    return this.#server?.process.pid ?? -1;
  }

  /** Resolves when it observes: the kernel's events queue for its reader. */
  async startAgent(host: Host, how: AgentStart = {}): Promise<void> {
    using _buffer = enlargeEventBuffer();
    const program = how.program ?? this.#options.agent ?? AGENT_SOURCE;
    const args = ["--server", this.#url, "--state", this.stateOf(host), "--name", host.name];
    const agent = this.start(
      host,
      `agent of ${host.name}`,
      [
        ...this.#session,
        ...program,
        "run",
        ...args,
        "--enable-tracking",
        "--json",
        ...(how.words ?? []),
      ],
      { TALLYSTICK_KEY: this.#key },
    );
    this.#agents.set(host.name, agent);
    const ready = await agent.line((line) => line["ready"] === true);
    if (ready["optedOut"] !== true) await this.#observing(host);
  }

  /** Starts a program in the host's network; ended with the lab at the latest. */
  start(
    host: Host,
    name: string,
    command: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Child {
    const args = ["netns", "exec", host.namespace, ...command];
    const child = new Child("ip", args, { name, env });
    this.#children.add(child);
    return child;
  }

  /** Starts the command line tool beside the server. */
  startTallystick(...words: string[]): Child {
    return this.start(this.host(SERVER), words.join(" "), this.#tallystick(words), this.#env);
  }

  /** Runs the command line tool beside the server to its end; the objects it printed. */
  async tallystick<Row>(...words: string[]): Promise<Row[]> {
    const { namespace } = this.host(SERVER);
    const args = ["netns", "exec", namespace, ...this.#tallystick([...words, "--json"])];
    const env = { ...process.env, ...this.#env };
    const { stdout } = await run("ip", args, { env, maxBuffer: OUTPUT_BYTES_MAX });
    const lines = stdout.split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line) as Row);
  }

  sql<Row>(query: string): Promise<Row[]> {
    return this.tallystick<Row>("sql", query);
  }

  /** Lets every host's kernel end what has timed out, instead of within a minute. */
  async sweepAll(): Promise<void> {
    await Promise.all(this.hosts.map((host) => sweep(host)));
  }

  /** Stops the server where it stands, until it is disposed of: what the hosts do then costs the hosts alone. */
  async pauseServer(): Promise<Disposable> {
    const { stdout } = await run("ip", ["netns", "pids", this.host(SERVER).namespace]);
    const pids = stdout.trim().split("\n").map(Number);
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    return {
      [Symbol.dispose]: () => {
        for (const pid of pids) process.kill(pid, "SIGCONT");
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#children].map((child) => child.end("SIGKILL")));
    await this.#mesh.close();
    await rm(this.directory, { recursive: true, force: true });
  }

  get #data(): string {
    return join(this.directory, "server");
  }

  get #url(): string {
    return `https://${this.host(SERVER).ip}:${PORT}`;
  }

  get #env(): Record<string, string> {
    return { TALLYSTICK_URL: this.#url };
  }

  get #session(): string[] {
    return this.#options.asServices === true ? ["setsid"] : [];
  }

  #tallystick(words: readonly string[]): string[] {
    return [process.execPath, TALLYSTICK, ...words, "--data", this.#data];
  }

  /** Conntrack timeouts as asked, and IPv6 beside IPv4: 10.77.0.1 is fd77::1 too. */
  async #furnish(host: Host): Promise<void> {
    const settings = Object.entries(this.#options.timeoutsS ?? {});
    const words = settings.map(([name, seconds]) => `net.netfilter.${name}=${seconds}`);
    await inside(host, "sysctl", "-qw", "net.ipv4.tcp_tw_reuse=1", ...words);
    if (this.#options.shape !== undefined) return;
    const address = `${ipv6Of(host)}/64`;
    await run("ip", ["-n", host.namespace, "addr", "add", address, "dev", "mesh0", "nodad"]);
  }

  async #startServer(): Promise<void> {
    const listen = `${this.host(SERVER).ip}:${PORT}`;
    const words = ["server", "--listen", listen, "--json"];
    const command = this.#tallystick(words);
    const last = this.#options.asServices === true ? [...this.#session, ...LAST] : [];
    const server = this.start(this.host(SERVER), "server", [...last, ...command]);
    this.#server = server;
    await server.line((line) => line["ready"] === true);
    const [made] = await this.tallystick<{ key: string }>("keys", "create", "--reusable");
    this.#key = made?.key ?? "";
  }

  async #observing(host: Host): Promise<void> {
    const pid = this.agentOf(host).process.pid ?? -1;
    await until(`the agent of ${host.name} observes`, () => new KernelDrops(pid).isListening);
  }
}
