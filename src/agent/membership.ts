/** Who this node is to its server: what is on disk, or what enrolment brings. */
import { hostname } from "node:os";
import { isNodeName } from "../format/enrolment.ts";
import type { Clock } from "../std/clock.ts";
import { retry } from "../std/retry.ts";
import { AgentError } from "./agent-error.ts";
import type { AgentLog } from "./agent-log.ts";
import type { AgentOptions } from "./agent-options.ts";
import { crashPoint } from "../std/crash-point.ts";
import {
  createIdentity,
  type Enrolment,
  type Identity,
  loadEnrolment,
  loadIdentity,
  loadRememberedMachine,
  rememberMachine,
  type RememberedMachine,
  saveEnrolment,
} from "./identity.ts";
import { RETRY_FIRST_MS, RETRY_LAST_MS } from "./limits.ts";
import { enrol } from "./ship/enrol.ts";
import { Uplink } from "./ship/uplink.ts";
import type { StatePaths } from "./state-directory.ts";

export interface Membership {
  readonly identity: Identity;
  readonly enrolment: Enrolment;
  /** The machine on which this state was written last. */
  readonly remembered: RememberedMachine | undefined;
}

export interface Joining {
  readonly paths: StatePaths;
  readonly options: AgentOptions;
  readonly machine: RememberedMachine;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: AgentLog;
  readonly signal: AbortSignal;
}

/** Undefined for a node that never enrolled. */
export function loadMembership(paths: StatePaths): Membership | undefined {
  const identity = loadIdentity(paths.identity);
  const enrolment = loadEnrolment(paths.identity);
  if (identity === undefined || enrolment === undefined) return undefined;
  return { identity, enrolment, remembered: loadRememberedMachine(paths.identity) };
}

/** Enrols, for as long as it takes to reach the server. Throws what stays wrong, and on `signal`. */
export async function join(joining: Joining): Promise<Membership> {
  const { paths, options, machine, clock, random, log, signal } = joining;
  const { key, server } = options;
  if (key === undefined) {
    throw new AgentError(
      "not_enrolled",
      `this node is not enrolled, ${paths.root} holds no enrolment, give a key from \`tallystick keys create\` with --key`,
    );
  }
  const name = nodeName(options.name);
  const identity = loadIdentity(paths.identity) ?? createIdentity(paths.identity);
  crashPoint("agent: identity created");
  const uplink = openUplink(options, key.fingerprint);
  const mayPass = (error: unknown): boolean => {
    if (!(error instanceof AgentError) || error.code !== "unreachable") return false;
    log.warn(error.message);
    return true;
  };
  try {
    const enrolment = await retry(() => enrol({ uplink, identity, key, name, server }), {
      clock,
      random,
      mayPass,
      signal,
      firstDelayMs: RETRY_FIRST_MS,
      delayMsMax: RETRY_LAST_MS,
    });
    crashPoint("agent: enrolment answered");
    rememberMachine(paths.identity, machine);
    saveEnrolment(paths.identity, enrolment);
    return { identity, enrolment, remembered: machine };
  } finally {
    uplink.close();
  }
}

/** The certificate that enrolment named stays pinned, whatever a later `--key` says. */
export function openUplink(options: AgentOptions, fingerprint: Uint8Array | undefined): Uplink {
  const { server, allowHttp, version } = options;
  return new Uplink({
    server,
    allowHttp,
    version,
    ...(fingerprint === undefined ? {} : { fingerprint }),
  });
}

/** The pin of an enrolment, if it has one. */
export function pinOf({ fingerprint }: Enrolment): Uint8Array | undefined {
  return fingerprint === undefined ? undefined : Buffer.from(fingerprint, "base64url");
}

function nodeName(given: string): string {
  const name = given === "" ? hostname() : given;
  if (isNodeName(name)) return name;
  throw new AgentError(
    "bad_option",
    `the node's name is not allowed, ${name}, use 1 to 63 letters, digits, dots, dashes or underscores with --name`,
  );
}
