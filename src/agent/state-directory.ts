/**
 * Where the agent keeps what it must not forget. Whoever can write here is the node's root: it can
 * make the agent lie from now on, but not change what the server acknowledged.
 *
 *   STATE/identity/{key,enrolment.json,machine.json}   who we are, and on which machine we were
 *   STATE/numbering                                    numbers that may have been given
 *   STATE/spool/{bodies-*,sealed-*,open}               what is not acknowledged, and the chain's end
 *   STATE/receipts                                     what the server signed
 *   STATE/live.json                                    halves that are open, for the next start
 *   STATE/opt-out.json                                 only while the node refuses logging
 *   STATE/status.json, STATE/log/agent.log, STATE/lock
 */
import { join } from "node:path";
import { makeDirectory } from "../std/make-directory.ts";
import { AgentError } from "./agent-error.ts";

export interface StatePaths {
  readonly root: string;
  readonly identity: string;
  readonly numbering: string;
  readonly spool: string;
  readonly receipts: string;
  readonly live: string;
  readonly optOut: string;
  readonly status: string;
  readonly log: string;
  readonly lock: string;
}

/** Names only; creates nothing. */
export function statePaths(root: string): StatePaths {
  return {
    root,
    identity: join(root, "identity"),
    numbering: join(root, "numbering"),
    spool: join(root, "spool"),
    receipts: join(root, "receipts"),
    live: join(root, "live.json"),
    optOut: join(root, "opt-out.json"),
    status: join(root, "status.json"),
    log: join(root, "log"),
    lock: join(root, "lock"),
  };
}

/** The directory itself, readable by nobody else. Throws `bad_state` where it cannot be made. */
export function makeStateDirectory(paths: StatePaths): void {
  try {
    makeDirectory(paths.root);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new AgentError(
      "bad_state",
      `the state directory ${paths.root} cannot be made (${reason}), name a --state that this user may write`,
      { cause },
    );
  }
}
