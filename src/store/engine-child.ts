/**
 * The embedded engine's own process. The supervisor (engine.ts) writes one line of JSON to stdin and keeps the pipe
 * open; this process answers `ready PORT` on stdout and serves until the pipe ends, be it by a clean stop or by the
 * supervisor's death. Signals are ignored: a terminal or an init system sends them to both processes at once, and
 * the supervisor may still have something to store.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { setPriority } from "node:os";
import { once } from "node:events";
import { answer } from "./engine-http.ts";
import { EngineRunner, type EngineOptions } from "./engine-runner.ts";

/** The supervisor's line. `port` 0 lets the system choose; a restarted child gets the port that clients know. */
export interface ChildOrders extends EngineOptions {
  readonly password: string;
  readonly port: number;
}

const niceness = 10;
const stopMaxMs = 5_000;

process.umask(0o077);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
// Before the engine makes its threads, which inherit it: a flood of queries must not slow the ingest beside it.
setPriority(niceness);

const lines = createInterface({ input: process.stdin });
lines.once("line", (line) => void serve(JSON.parse(line) as ChildOrders));

async function serve(orders: ChildOrders): Promise<void> {
  const runner = new EngineRunner(orders);
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
  setTimeout(() => process.kill(process.pid, "SIGKILL"), stopMaxMs);
  server.close();
  server.closeAllConnections();
  await runner.close();
  process.exit(0);
}
