/**
 * An agent without sources as a process of its own, to be killed: `node agent-process.ts SERVER STATE KEY`.
 * Each line on stdin becomes a log entry; its number is printed once it was given.
 */
import { createInterface } from "node:readline";
import { parseEnrolmentKey } from "../../src/format/enrolment.ts";
import type { EmitEntry } from "../../src/agent/agent-options.ts";
import { runAgent } from "../../src/agent/run.ts";

const [server = "", stateDirectory = "", key = "", origin] = process.argv.slice(2);
const controller = new AbortController();
let emit: EmitEntry = () => -1;
process.on("SIGTERM", () => controller.abort("SIGTERM"));
const alive = setInterval(() => undefined, 2 ** 30);

await runAgent(
  {
    version: "0.0.0",
    server,
    stateDirectory,
    key: parseEnrolmentKey(key),
    name: "",
    sources: [],
    networks: [],
    allowHttp: false,
    enableTracking: false,
    spoolBytesMax: 8 * 1024 * 1024,
    logLevel: "warn",
    optOutOrigin: origin,
  },
  controller.signal,
  {
    interceptEmit: (given) => (emit = given),
    onReady: ({ node }) => {
      process.stdout.write(`ready ${node}\n`);
      createInterface({ input: process.stdin }).on("line", (body) => {
        const seq = emit({ kind: "log", atMs: Date.now(), severity: 9, body, attributes: {} });
        process.stdout.write(`${seq} ${body}\n`);
      });
    },
  },
);
clearInterval(alive);
process.stdin.destroy();
