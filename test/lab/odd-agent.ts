/**
 * The agent on a host that is not as it should be: with a clock that is wrong, or with somebody
 * between its sources and its signature. Takes the real agent's words, and besides:
 *
 *   --clock-offset-ms N   how far its clock is ahead
 *   --lies JSON           a list of what it lies about, see demo/lying-agent.ts
 */
import { parseArgs } from "node:util";
import { Liar, type Lie } from "../../demo/lying-agent.ts";
import { runAgent } from "../../src/agent/run.ts";
import { parseEnrolmentKey } from "../../src/format/enrolment.ts";
import { systemClock } from "../../src/std/clock.ts";

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    server: { type: "string", default: "" },
    state: { type: "string", default: "" },
    name: { type: "string", default: "" },
    "enable-tracking": { type: "boolean", default: false },
    json: { type: "boolean" },
    "clock-offset-ms": { type: "string", default: "0" },
    lies: { type: "string", default: "[]" },
  },
});
const liar = new Liar();
liar.tell(...(JSON.parse(values.lies) as Lie[]));
const stop = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => stop.abort(signal));
}
await runAgent(
  {
    version: "lab",
    server: values.server,
    stateDirectory: values.state,
    key: parseEnrolmentKey(process.env["TALLYSTICK_KEY"] ?? ""),
    name: values.name,
    sources: ["conntrack"],
    networks: [],
    allowHttp: false,
    enableTracking: values["enable-tracking"],
    spoolBytesMax: 64 * 1024 * 1024,
    logLevel: "info",
  },
  stop.signal,
  {
    clock: systemClock(Number(values["clock-offset-ms"])),
    interceptEmit: liar.intercept,
    onReady: () => process.stdout.write(`${JSON.stringify({ ready: true })}\n`),
  },
);
process.exit(0);
