/** The real `tallystick server` as a child on a directory of its own, and calls to it. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import manifest from "../../package.json" with { type: "json" };
import { tallystick } from "../../src/cli/program.ts";
import { runProgram } from "../../src/std/command-line.ts";

/** More than anything takes on a machine that does much besides. */
const UNTIL_MS_MAX = 120_000;

export const PROGRAM = fileURLToPath(new URL("../../bin/tallystick.ts", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
}

export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly hint: string;
}

/** Runs a command to its end. `input` is what it reads from stdin. */
export async function run(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input?: string,
): Promise<Ended> {
  const child = spawn(process.execPath, [PROGRAM, ...words], { env: cleanEnv(env) });
  if (input !== undefined) child.stdin.end(input);
  const output = collect(child);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...output() };
}

/** Another program of the project, by its path, in a process without any setting of ours. */
export async function runAlone(path: string, words: readonly string[]): Promise<Ended> {
  const program = fileURLToPath(new URL(`../../${path}`, import.meta.url));
  const child = spawn(process.execPath, [program, ...words], { env: cleanEnv({}) });
  const output = collect(child);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...output() };
}

/** With stdout to a reader who is gone before the first byte, or to a device that is full. */
export async function runUnread(
  words: readonly string[],
  stdout: "closed" | "full",
): Promise<Omit<Ended, "stdout">> {
  const full = stdout === "full" ? openSync("/dev/full", "w") : undefined;
  const stdio = ["ignore", full ?? "pipe", "pipe"] as const;
  const child = spawn(process.execPath, [PROGRAM, ...words], {
    env: cleanEnv({}),
    stdio: [...stdio],
  });
  if (full !== undefined) closeSync(full);
  child.stdout?.destroy();
  const output = collect(child);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stderr: output().stderr };
}

/** The same without a process: for long lists of transcripts. Not for `server`. */
export async function runInside(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  let stdout = "";
  let stderr = "";
  const code = await runProgram(tallystick(manifest.version), words, {
    env,
    nowMs: Date.now(),
    isTerminal: false,
    columnsMax: undefined,
    out: (output) => void (stdout += output),
    err: (output) => void (stderr += output),
    settle: () => undefined,
  });
  return { code, stdout, stderr };
}

/** Variables of whoever runs the tests must not reach the command. */
export function cleanEnv(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("TALLYSTICK_"));
  return { ...Object.fromEntries(own), ...env };
}

export class ServerProcess implements AsyncDisposable {
  readonly dir: string;
  readonly url: string;
  /** What it said of its store when it was ready. */
  readonly store: string;
  readonly child: ChildProcess;
  readonly #output: () => { stdout: string; stderr: string };
  readonly #isOwnDir: boolean;

  private constructor(
    child: ChildProcess,
    start: { dir: string; url: string; store: string; isOwnDir: boolean },
    output: () => { stdout: string; stderr: string },
  ) {
    this.child = child;
    this.dir = start.dir;
    this.url = start.url;
    this.store = start.store;
    this.#isOwnDir = start.isOwnDir;
    this.#output = output;
  }

  /**
   * Resolves when it says that it is ready. Without `dir` it has a new one, removed at the end. `place`: where
   * else it runs, by the words that start a program there, and where that shows `dir` to us.
   */
  static async start(
    words: readonly string[] = [],
    dir?: string,
    place?: { readonly launcher: readonly string[]; readonly shownDir: string },
  ): Promise<ServerProcess> {
    const own = dir ?? mkdtempSync(join(tmpdir(), "tallystick-serve-"));
    const listen = words.includes("--listen") ? [] : ["--listen", "127.0.0.1:0"];
    const args = [PROGRAM, "server", "--data", own, ...listen, ...words, "--json"];
    const launched = [...(place?.launcher ?? []), process.execPath, ...args];
    const child = spawn(launched[0] ?? process.execPath, launched.slice(1), {
      env: cleanEnv({}),
      stdio: ["pipe", "pipe", "pipe"],
    });
    const output = collect(child);
    const ready = once(createInterface({ input: child.stdout }), "line");
    const ended = once(child, "close").then(() => {
      throw new Error(`the server did not start: ${output().stderr}`);
    });
    const [line] = (await Promise.race([ready, ended])) as [string];
    ended.catch(() => undefined);
    const { url, store } = JSON.parse(line) as { url: string; store: string };
    const start = { dir: place?.shownDir ?? own, url, store, isOwnDir: dir === undefined };
    return new ServerProcess(child, start, output);
  }

  get token(): string {
    return readFileSync(join(this.dir, "admin.token"), "utf8").trim();
  }

  /** Calls the API as the administrator. */
  async call<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Answer<T>> {
    const response = await fetch(new URL(path, this.url), {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    return {
      status: response.status,
      body: (isJson ? JSON.parse(text) : text) as T,
      headers: response.headers,
    };
  }

  /** Runs a command of the same machine. */
  command(...words: readonly string[]): Promise<Ended> {
    return runInside([...words, "--data", this.dir]);
  }

  /** Asks until the answer satisfies. */
  async until<T>(ask: () => Promise<T>, satisfies: (answer: T) => boolean): Promise<T> {
    const endMs = performance.now() + UNTIL_MS_MAX;
    for (;;) {
      const answer = await ask();
      if (satisfies(answer)) return answer;
      if (performance.now() > endMs) {
        throw new Error(`not within ${UNTIL_MS_MAX} ms; last: ${JSON.stringify(answer)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Resolves with the exit code when it has ended. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Ended> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) {
      const closed = once(child, "close");
      child.kill(signal);
      await closed;
    }
    return { code: child.exitCode, ...this.#output() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    if (this.#isOwnDir) rmSync(this.dir, { recursive: true, force: true });
  }
}

function collect(child: ChildProcess): () => { stdout: string; stderr: string } {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return () => ({ stdout, stderr });
}
