/**
 * The agent, from start to stop. Order at a start: the lock, the identity, what an earlier run left,
 * the server's head (bounded wait), the sources. At the end: the sources, `stop`, a bounded flush.
 */
import { systemClock } from "../std/clock.ts";
import { AgentLog } from "./agent-log.ts";
import type { AgentHooks, AgentOptions } from "./agent-options.ts";
import { takeInstanceLock } from "./instance-lock.ts";
import { readMachine } from "./machine.ts";
import { join, loadMembership } from "./membership.ts";
import { runNode } from "./run-node.ts";
import { runOptedOut } from "./run-opted-out.ts";
import type { Running } from "./running.ts";
import { serverUrl } from "./ship/uplink.ts";
import { makeStateDirectory, statePaths } from "./state-directory.ts";

/**
 * Runs until `signal`, whose reason is what the `stop` entry says. Rejects with an AgentError when
 * it cannot begin: `bad_option`, `insecure_server`, `state_in_use`, `bad_state`, `not_enrolled`,
 * `enrolment_refused`. Trouble later on is logged and lived with.
 */
export async function runAgent(
  options: AgentOptions,
  signal: AbortSignal,
  hooks: AgentHooks = {},
): Promise<void> {
  serverUrl(options);
  const { clock = systemClock(), random = Math.random, print } = hooks;
  const paths = statePaths(options.stateDirectory);
  makeStateDirectory(paths);
  const lock = takeInstanceLock(paths);
  const log = new AgentLog({ clock, directory: paths.log, level: options.logLevel, print });
  const machine = readMachine(hooks.machineIdFile);
  const running: Running = { options, hooks, paths, clock, random, log, machine, signal };
  try {
    await (options.optOutOrigin === undefined
      ? runEnrolled(running)
      : runOptedOut(running, options.optOutOrigin, loadMembership(paths)));
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
  } finally {
    log.close();
    await lock.release();
  }
}

async function runEnrolled(running: Running): Promise<void> {
  const { paths, signal } = running;
  const membership = loadMembership(paths) ?? (await join(running));
  signal.throwIfAborted();
  await runNode(running, membership);
}
