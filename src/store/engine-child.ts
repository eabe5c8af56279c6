/**
 * The embedded engine's own process. The supervisor (engine.ts) writes one line of JSON to stdin and keeps the pipe
 * open; this process answers `ready PORT` on stdout and serves until the pipe ends, be it by a clean stop or by the
 * supervisor's death. Signals are ignored: a terminal or an init system sends them to both processes at once, and
 * the supervisor may still have something to store.
 *
 * It never ends by `process.exit` or an uncaught error: the engine's exit handlers may then wait for its own threads
 * for ever, and nobody could open the directory again.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { setPriority } from "node:os";
import { once } from "node:events";
import { writeSync } from "node:fs";
import { inspect } from "node:util";
import { Worker } from "node:worker_threads";
import { answer } from "./engine-http.ts";
import { EngineRunner, type EngineOptions } from "./engine-runner.ts";

/** The supervisor's line. `port` 0 lets the system choose; a restarted child gets the port that clients know. */
export interface ChildOrders extends EngineOptions {
  readonly password: string;
  readonly port: number;
}

const niceness = 10;
const stopMaxMs = 5_000;
const lastAnswerMs = 250;

process.umask(0o077);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
process.on("uncaughtException", (error) => leave(inspect(error)));
// The supervisor died: its end of stdin, which closes as well, says the same.
process.stdout.on("error", () => undefined);
// Before the engine makes its threads, which inherit it: a flood of queries must not slow the ingest beside it.
setPriority(niceness);

const lines = createInterface({ input: process.stdin });
lines.once("line", (line) => void serve(JSON.parse(line) as ChildOrders));

async function serve(orders: ChildOrders): Promise<void> {
  const runner = new EngineRunner(orders, (reason) => {
    // Who asked for it still gets an answer; the supervisor starts the engine again.
    setTimeout(() => leave(reason), lastAnswerMs);
  });
  const server = createServer(
    { keepAliveTimeout: 60_000, requestTimeout: 0, maxHeaderSize: 1024 * 1024 },
    (message, response) => {
      void answer(runner, orders.password, message, response);
    },
  );
  lines.once("close", () => void stop(server, runner));
  server.listen(orders.port, "127.0.0.1");
  await once(server, "listening");
  process.stdout.write(`ready ${(server.address() as AddressInfo).port}\n`);
}

/** What was answered is stored; whatever still runs was never acknowledged. So after five seconds nothing is lost by leaving. */
async function stop(server: Server, runner: EngineRunner): Promise<void> {
  killLater(stopMaxMs);
  server.close();
  server.closeAllConnections();
  await runner.close();
  leave();
}

/** From a thread of its own, because closing the engine may block this one. */
function killLater(delayMs: number): void {
  const code = `setTimeout(() => process.kill(process.pid, "SIGKILL"), ${delayMs})`;
  new Worker(code, { eval: true }).unref();
}

function leave(reason = ""): void {
  try {
    writeSync(process.stderr.fd, reason);
  } catch {
    // Nobody reads it any more.
  }
  process.kill(process.pid, "SIGKILL");
}
