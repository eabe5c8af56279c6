/** An agent in this process without sources: the test is its source. */
import { loadMembership } from "../../src/agent/membership.ts";
import type { AgentHooks, AgentOptions, EmitEntry } from "../../src/agent/agent-options.ts";
import { runAgent } from "../../src/agent/run.ts";
import { statePaths } from "../../src/agent/state-directory.ts";
import type { World } from "./world.ts";

export interface TestAgent {
  readonly node: string;
  readonly state: string;
  readonly emit: EmitEntry;
  /** Emits a log entry with this text; returns its number. */
  say(body: string): number;
  stop(reason?: string): Promise<void>;
}

export interface TestAgentOptions extends Partial<AgentOptions> {
  /** Name of its state directory. */
  readonly at?: string;
  readonly hooks?: AgentHooks;
}

const notReady: EmitEntry = () => -1;

/** Resolves when it is ready. */
export async function startAgent(world: World, more: TestAgentOptions = {}): Promise<TestAgent> {
  const { at = "state", hooks = {}, ...options } = more;
  const state = world.state(at);
  const controller = new AbortController();
  let emit = notReady;
  const ready = Promise.withResolvers<string>();
  const done = runAgent(agentOptions(world, state, options), controller.signal, {
    stopFlushMsMax: 1000,
    ...hooks,
    interceptEmit: (given) => (emit = hooks.interceptEmit?.(given) ?? given),
    onReady: (facts) => {
      hooks.onReady?.(facts);
      ready.resolve(facts.node);
    },
  });
  const node = await Promise.race([ready.promise, done.then(() => "")]);
  return {
    node,
    state,
    emit: (entry) => emit(entry),
    say: (body) => emit({ kind: "log", atMs: Date.now(), severity: 9, body, attributes: {} }),
    async stop(reason = "test") {
      controller.abort(reason);
      await done;
    },
  };
}

export function agentOptions(
  world: World,
  stateDirectory: string,
  more: Partial<AgentOptions> = {},
): AgentOptions {
  return {
    version: "0.0.0",
    server: world.url,
    stateDirectory,
    key: world.key,
    name: "",
    sources: [],
    networks: [],
    allowHttp: false,
    enableTracking: false,
    spoolBytesMax: 8 * 1024 * 1024,
    logLevel: "info",
    ...more,
  };
}

/** The node id of a state directory. */
export function nodeOf(state: string): string {
  return loadMembership(statePaths(state))?.enrolment.node ?? "";
}
