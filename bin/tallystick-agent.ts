#!/usr/bin/env node
/** The agent's command line. It reads options and wires; what the agent does is in src/agent. */
import "../src/std/require-node.ts";
import { readFileSync } from "node:fs";
import manifest from "../package.json" with { type: "json" };
import { parseEnrolmentKey, type EnrolmentKey } from "../src/format/enrolment.ts";
import { optOutOrigin, SOURCES } from "../src/agent/agent-options.ts";
import { SPOOL_BYTES_DEFAULT, SPOOL_BYTES_MIN } from "../src/agent/limits.ts";
import type { NetworkRule } from "../src/agent/observe/address-scope.ts";
import { runAgent } from "../src/agent/run.ts";
import { statePaths } from "../src/agent/state-directory.ts";
import { isRunning, readStatus, type AgentStatus } from "../src/agent/status.ts";
import { CommandError } from "../src/std/command-error.ts";
import { command, main, type Call } from "../src/std/command-line.ts";
import type { OptionTable } from "../src/std/command-options.ts";
import { wrappable } from "../src/std/table.ts";

const { version } = manifest;

const stateOption = {
  type: "text",
  value: "DIR",
  summary: "the agent's own directory; made where it is missing",
  required: true,
} as const;

const runOptions = {
  server: {
    type: "text",
    value: "URL",
    summary: "where batches go, https://host:8255",
    required: true,
    env: ["TALLYSTICK_URL"],
  },
  state: stateOption,
  key: {
    type: "text",
    value: "KEY",
    summary: "enrolment key, needed once; argv is public, so better one of the other ways",
    env: ["TALLYSTICK_KEY"],
  },
  keyFile: { type: "text", value: "FILE", summary: "a file with the enrolment key" },
  name: {
    type: "text",
    value: "NAME",
    summary: "this node's name; default the host's",
    default: "",
  },
  source: {
    type: "text",
    value: "SOURCE",
    summary: "what to observe",
    repeatable: true,
    choices: SOURCES,
    default: "conntrack",
  },
  network: {
    type: "text",
    value: "NAME=CIDR",
    summary: "addresses inside CIDR belong to the network NAME; others to `default`",
    repeatable: true,
  },
  allowHttp: {
    type: "flag",
    summary: "plain http beyond loopback: everybody on the way reads along",
  },
  enableTracking: {
    type: "flag",
    summary: "let the agent switch on the kernel's connection tracking; undone at the end",
  },
  spoolMax: {
    type: "count",
    value: "MIB",
    summary: "disk for what is not sent yet, in MiB; then the oldest goes, declared",
    min: String(SPOOL_BYTES_MIN / 1024 / 1024),
    default: String(SPOOL_BYTES_DEFAULT / 1024 / 1024),
  },
  logLevel: {
    type: "text",
    value: "LEVEL",
    summary: "the least severe of the agent's own records to keep",
    choices: ["debug", "info", "warn", "error"],
    default: "info",
  },
  noLogsNoSupport: {
    type: "flag",
    summary: "refuse logging: one signed entry says so, then nothing is observed, kept or sent",
  },
} as const satisfies OptionTable;

const run = command({
  name: "run",
  summary: "observe this machine and send what was seen, until SIGTERM",
  options: runOptions,
  async run(call) {
    const { options, terminal } = call;
    const end = endSignal();
    // Nothing but the signal ends the process, not even an agent that has nothing to wait for.
    const alive = setInterval(() => undefined, 2 ** 30);
    try {
      await runAgent(
        {
          version,
          server: options.server,
          stateDirectory: options.state,
          key: enrolmentKey(options),
          name: options.name,
          sources: options.source,
          networks: options.network.map(networkRule),
          allowHttp: options.allowHttp,
          enableTracking: options.enableTracking,
          spoolBytesMax: options.spoolMax * 1024 * 1024,
          logLevel: options.logLevel,
          optOutOrigin: optOutOrigin(options.noLogsNoSupport, terminal.env),
        },
        end,
        {
          print: (line) => terminal.err(`${line}\n`),
          onReady: ({ node, name, optedOut }) => {
            if (call.json) call.printJson({ ready: true, node, name, optedOut });
            else call.say(optedOut ? "ready: logging is refused" : `ready: ${name} ${node}`);
          },
        },
      );
    } finally {
      clearInterval(alive);
    }
  },
});

const status = command({
  name: "status",
  summary: "what the agent of a state directory is doing",
  options: { state: stateOption },
  async run(call) {
    const found = readStatus(statePaths(call.options.state));
    if (found === undefined) {
      throw new CommandError(
        "command_failed",
        `no agent has run on this directory, ${call.options.state}, check --state`,
      );
    }
    const running = isRunning(found);
    if (call.json) call.printJson({ ...found, running });
    else printStatus(call, found, running);
  },
});

function printStatus(
  call: Pick<Call<OptionTable>, "printTable" | "terminal">,
  found: AgentStatus,
  running: boolean,
): void {
  call.printTable(
    ["what", wrappable("value")],
    [
      ["state", running ? found.state : "not running"],
      ["node", `${found.name} ${found.node}`],
      ["version", found.version],
      ["server", found.server],
      ["uplink", found.lastError === "" ? found.uplink : `${found.uplink}: ${found.lastError}`],
      ["chain", `epoch ${found.epoch}, ${found.batches} batches, next entry ${found.nextSeq}`],
      ["unsent", `${found.unsentEntries} entries, oldest ${at(found.oldestUnsentMs)}`],
      ["spool", `${(found.spoolBytes / 1024 / 1024).toFixed(1)} MiB`],
      ["given up", `${found.droppedEntries} entries, ${found.gaps} gaps`],
      ["events", `${found.events}, ${found.liveHalves} live halves`],
      ["complete to", at(found.completeToMs)],
      ["last receipt", at(found.lastReceiptMs)],
    ],
  );
}

function at(atMs: number): string {
  return atMs === 0 ? "never" : new Date(atMs).toISOString();
}

/** The first signal ends the run in order; a second one ends the process. */
function endSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(1);
      controller.abort(name);
    });
  }
  return controller.signal;
}

function enrolmentKey(options: {
  readonly key: string | undefined;
  readonly keyFile: string | undefined;
}): EnrolmentKey | undefined {
  const { key, keyFile } = options;
  const text = keyFile === undefined ? key : readKeyFile(keyFile);
  return text === undefined ? undefined : parseEnrolmentKey(text);
}

function networkRule(text: string): NetworkRule {
  const [, name, cidr] = /^([^=]{1,63})=([0-9A-Fa-f.:]+\/\d{1,3})$/.exec(text) ?? [];
  if (name !== undefined && cidr !== undefined) return { name, cidr };
  throw new CommandError(
    "wrong_usage",
    `--network is no NAME=CIDR, ${text}, write it like office=10.0.0.0/8`,
  );
}

function readKeyFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new CommandError(
      "command_failed",
      `cannot read the key, ${path} (${reason}), name another --key-file`,
      { cause },
    );
  }
}

await main({
  name: "tallystick-agent",
  summary: "Records both halves of this machine's connections, signs them, and sends them.",
  version,
  commands: [run, status],
});
