/** Running a program to its end and reading what it said. Handed in, so that tests need no machine. */
import { spawnSync } from "node:child_process";

/** How a program ended; `code` is null when it could not start or was stopped. */
export interface RunResult {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a program without a shell and without input. */
export type Run = (program: string, words: readonly string[]) => RunResult;

/** Longest that any of them may take: a package mirror that hangs, most likely. */
const runTimeoutMs = 10 * 60_000;

/** The machine's own. Output is stdout and stderr together; the caller prints what is worth it. */
export const runProgram: Run = (program, words) => {
  const ended = spawnSync(program, words, {
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    timeout: runTimeoutMs,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" },
  });
  const output = [ended.stdout, ended.stderr, ended.error?.message].filter(Boolean).join("\n");
  return { code: ended.status, output };
};
