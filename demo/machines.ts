/**
 * The machines of the demo: hosts in namespaces, each with services, a person and an agent; and the
 * server, in a namespace of its own, which is no node.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Child } from "./child.ts";
import { inside, Mesh, sweep, type Host } from "../test/lab/namespaces.ts";

const run = promisify(execFile);
const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const SERVER = "hq";
const PORT = 8255;

export interface MachineOptions {
  readonly hosts: readonly string[];
  /** How far clocks may differ: they are one clock here, and nobody wants to wait. */
  /** Real root: OpenSSH needs it. */
  readonly withLogin: boolean;
}

export class Machines {
  readonly directory: string;
  readonly #mesh: Mesh;
  readonly #options: MachineOptions;
  readonly #children = new Set<Child>();
  readonly #people = new Map<string, Child>();
  readonly #agents = new Map<string, Child>();
  #key = "";

  private constructor(mesh: Mesh, directory: string, options: MachineOptions) {
    this.#mesh = mesh;
    this.directory = directory;
    this.#options = options;
  }

  static async open(options: MachineOptions): Promise<Machines> {
    const directory = await mkdtemp(join(tmpdir(), "tallystick-demo-"));
    const mesh = await Mesh.open({ prefix: "tallydemo", hosts: [...options.hosts, SERVER] });
    const machines = new Machines(mesh, directory, options);
    try {
      await machines.#startServer();
      await Promise.all(machines.hosts.map((host) => machines.#startPerson(host)));
      if (options.withLogin) await machines.#startSshd(machines.host("bob"));
      await Promise.all(machines.hosts.map((host) => machines.startAgent(host)));
      return machines;
    } catch (error) {
      await machines.close();
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

  stateOf(host: Host): string {
    return join(this.directory, host.name);
  }

  personOn(host: Host): Child {
    return known(this.#people, host);
  }

  agentOf(host: Host): Child {
    return known(this.#agents, host);
  }

  async startAgent(host: Host): Promise<void> {
    const args = ["--server", this.#url, "--state", this.stateOf(host), "--name", host.name];
    const agent = this.#start(host, `agent of ${host.name}`, [file("lying-agent.ts"), ...args], {
      TALLYSTICK_KEY: this.#key,
    });
    this.#agents.set(host.name, agent);
    await agent.line((line) => line["ready"] === true);
  }

  async killAgent(host: Host): Promise<void> {
    await this.agentOf(host).end("SIGKILL");
  }

  /** A login by OpenSSH; the source port, or undefined where OpenSSH cannot run. */
  async login(from: Host, to: Host): Promise<number | undefined> {
    if (!this.#options.withLogin) return undefined;
    const options = [
      "-i",
      join(this.directory, "login"),
      "-o",
      "StrictHostKeyChecking=no",
      "-o",
      "UserKnownHostsFile=/dev/null",
      "-o",
      "LogLevel=ERROR",
      "-o",
      "BatchMode=yes",
      "-F",
      "none",
    ];
    const answer = await inside(from, "ssh", ...options, `root@${to.ip}`, "echo $SSH_CONNECTION");
    return Number(answer.split(" ")[1]);
  }

  /** Runs the command line tool beside the server; its output. */
  async tallystick(...args: string[]): Promise<string> {
    const { namespace } = this.host(SERVER);
    const command = [
      "netns",
      "exec",
      namespace,
      process.execPath,
      file("../bin/tallystick.ts"),
      ...args,
      "--data",
      this.#data,
    ];
    const env = { ...process.env, TALLYSTICK_URL: this.#url };
    const { stdout } = await run("ip", command, { env, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  }

  /** Lets every host's kernel end what has timed out. */
  async sweepAll(): Promise<void> {
    await Promise.all(this.hosts.map((host) => sweep(host)));
  }

  /** Until no connection waits for its other half or its final counters. */
  async settled(): Promise<void> {
    const query =
      "SELECT count() AS open FROM connections WHERE verdict IN ('pending', 'matched') AND counters = 'pending'";
    for (;;) {
      await this.sweepAll();
      const row = JSON.parse(await this.tallystick("sql", query, "--json")) as {
        open: number | string;
      };
      if (Number(row.open) === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }

  /** Ends everything that was started, and removes namespaces and files. */
  async close(): Promise<void> {
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

  async #startServer(): Promise<void> {
    const listen = `${this.host(SERVER).ip}:${PORT}`;
    const args = ["server", "--data", this.#data, "--listen", listen, "--json"];
    const server = this.#start(this.host(SERVER), "server", [
      file("../bin/tallystick.ts"),
      ...args,
    ]);
    await server.line((line) => line["ready"] === true);
    const made = await this.tallystick("keys", "create", "--reusable", "--json");
    this.#key = (JSON.parse(made) as { key: string }).key;
  }

  async #startPerson(host: Host): Promise<void> {
    const person = this.#start(host, `services of ${host.name}`, [file("host.ts")]);
    this.#people.set(host.name, person);
    await person.line((line) => line["ready"] === true);
  }

  /** OpenSSH with keys of its own, nothing of the machine's. */
  async #startSshd(host: Host): Promise<void> {
    const directory = join(this.directory, "sshd");
    await mkdir(directory, { mode: 0o700 });
    await mkdir("/run/sshd", { recursive: true, mode: 0o755 });
    const hostKey = join(directory, "host");
    const login = join(this.directory, "login");
    for (const key of [hostKey, login])
      await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    const keys = join(directory, "authorized_keys");
    await writeFile(keys, await readFile(`${login}.pub`), { mode: 0o600 });
    const lines = [
      "Port 22",
      `HostKey ${hostKey}`,
      `AuthorizedKeysFile ${keys}`,
      "PermitRootLogin prohibit-password",
      "UsePAM no",
      "StrictModes no",
      "PidFile none",
    ];
    const config = join(directory, "config");
    await writeFile(config, `${lines.join("\n")}\n`);
    this.#spawn(host, "sshd", "/usr/sbin/sshd", ["-D", "-e", "-f", config]);
    await this.#listening(host, 22);
  }

  async #listening(host: Host, port: number): Promise<void> {
    while (!(await inside(host, "ss", "-Hltn", `sport = :${port}`)).includes(`:${port}`)) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  #start(
    host: Host,
    name: string,
    args: readonly string[],
    env: Record<string, string> = {},
  ): Child {
    return this.#spawn(host, name, process.execPath, args, env);
  }

  #spawn(
    host: Host,
    name: string,
    program: string,
    args: readonly string[],
    env: Record<string, string> = {},
  ): Child {
    const child = new Child("ip", ["netns", "exec", host.namespace, program, ...args], {
      name,
      env,
    });
    this.#children.add(child);
    return child;
  }
}

function known(children: ReadonlyMap<string, Child>, host: Host): Child {
  const child = children.get(host.name);
  if (child === undefined) throw new Error(`nothing runs on ${host.name}`);
  return child;
}
