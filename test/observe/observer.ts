/**
 * The observer as a process of its own, so that a test can put it into a network namespace: entries
 * as JSON lines with their `seq` on stdout; on stdin `status` asks for a status line, `payloads` for
 * the connections in memory whose sockets have been read, `stop` ends it.
 *
 * `node test/observe/observer.ts [--enable-tracking] [--quiet]`; `--quiet` counts connection
 * entries instead of printing them.
 */
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { HostSettings } from "../../src/agent/observe/host-settings.ts";
import {
  observeConnections,
  type Observation,
  type ObservedEntry,
} from "../../src/agent/observe/observe-connections.ts";
import { systemClock } from "../../src/std/clock.ts";

const { values } = parseArgs({
  options: { "enable-tracking": { type: "boolean" }, quiet: { type: "boolean" } },
});

const counts: Record<string, number> = {};
let seq = 0;

function emit(entry: ObservedEntry): number {
  seq++;
  counts[entry.kind] = (counts[entry.kind] ?? 0) + 1;
  const isConnection = "openSeq" in entry || entry.kind === "open";
  if (values.quiet !== true || !isConnection) print({ seq, ...entry });
  return seq;
}

function print(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function status(observation: Observation): object {
  const { user, system } = process.cpuUsage();
  return {
    kind: "status",
    completeToMs: observation.completeToMs(),
    liveHalves: observation.liveHalves(),
    readerPid: observation.readerPid(),
    socketReaderPid: observation.socketReaderPid(),
    counts,
    cpuMs: (user + system) / 1000,
    rssBytes: process.memoryUsage.rss(),
  };
}

/** By initiator port. An entry has the bytes only when the kernel forgets the connection. */
function payloads(observation: Observation): object {
  const halves = observation.snapshot().filter(({ payload }) => (payload ?? null) !== null);
  return { kind: "payloads", ports: halves.map(({ initiatorPort }) => initiatorPort) };
}

const host = await HostSettings.prepare({ enableTracking: values["enable-tracking"] === true });
print({ kind: "facts", facts: host.facts });
const observation = await observeConnections({ clock: systemClock(), emit, host });
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "status") print(status(observation));
  if (line === "payloads") print(payloads(observation));
  if (line === "stop") break;
}
process.stdin.destroy();
await observation.stop();
print({ ...status(observation), kind: "stopped" });
