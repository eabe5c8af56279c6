/** Starts and stops the ingest server of server-process.ts. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";

const PROGRAM = new URL("server-process.ts", import.meta.url);

export interface Health {
  readonly rssBytes: number;
  /** Processor time so far. */
  readonly cpuUs: number;
  /** Its own mistakes: anything here is a bug. */
  readonly errors: readonly string[];
}

export class IngestProcess {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(
    directory: string,
    nodes: number,
    execArgv: readonly string[] = [],
  ): Promise<IngestProcess> {
    const child = fork(PROGRAM, [directory, String(nodes)], {
      execArgv: [...execArgv],
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    if (child.stdout === null) throw new Error("the server has no output");
    const [url] = (await once(child.stdout, "data")) as [Buffer];
    return new IngestProcess(child, url.toString().trim());
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async health(): Promise<Health> {
    this.#child.send("health");
    const [health] = (await once(this.#child, "message")) as [Health];
    return health;
  }

  async kill(): Promise<void> {
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }

  /** The exit code of a clean stop; 0 means that it made no mistake. */
  async stop(): Promise<number> {
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const [code] = (await gone) as [number];
    return code;
  }
}
