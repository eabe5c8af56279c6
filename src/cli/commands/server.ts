/** `tallystick server`: runs until it is told to stop, or cannot go on. */
import { LIARS_DEFAULT, LIARS_MAX } from "../../format/limits.ts";
import type { RunningServer } from "../../serve/server.ts";
import { command, type Call } from "../../std/command-line.ts";
import { CommandError } from "../../std/command-error.ts";
import type { OptionValues } from "../../std/command-options.ts";

const options = {
  data: {
    type: "text",
    value: "DIR",
    summary: "the server's own directory; made where it is missing",
    required: true,
  },
  listen: {
    type: "text",
    value: "HOST:PORT",
    summary: "where it is reached; port 0 takes a free one",
    default: "127.0.0.1:8255",
  },
  publicUrl: {
    type: "text",
    value: "URL",
    summary: "how people reach it, https://logs.example.org",
  },
  trustProxy: {
    type: "text",
    value: "CIDR",
    summary: "believe this proxy where a request comes from",
    repeatable: true,
  },
  tlsCert: { type: "text", value: "FILE", summary: "certificate, PEM; else it makes its own" },
  tlsKey: { type: "text", value: "FILE", summary: "the certificate's key, PEM" },
  allowHttp: {
    type: "flag",
    summary: "plain http beyond loopback: everybody on the way reads along",
  },
  store: {
    type: "text",
    value: "URL",
    summary: "a ClickHouse server, instead of the embedded one",
  },
  maxLiars: {
    type: "count",
    value: "N",
    summary: "as many nodes may conspire about one without its being accused",
    min: "1",
    max: String(LIARS_MAX),
    default: String(LIARS_DEFAULT),
  },
} as const;

/** How long a stop may take: past it, what is acknowledged is durable anyway. */
const STOP_MS_MAX = 20_000;
/** What then still waits, for a store that is dead, has nothing to store. */
const LEAVE_MS = 1_000;

export function serverCommand(version: string) {
  return command({
    name: "server",
    summary: "receive, keep, compare and answer; until SIGTERM",
    options,
    async run(call) {
      // Loaded here, so that the other commands start without the store's library.
      const { startServer, isWrongUsage } = await import("../../serve/server.ts");
      // What stages and libraries make under DIR is the owner's alone.
      process.umask(0o077);
      // Whoever read the log has gone: no reason to stop taking batches.
      process.stderr.on("error", () => undefined);
      const end = Promise.withResolvers<string>();
      const ending = new AbortController();
      // Also while it starts, which may take minutes: whoever stops it then wants the same order.
      const abort = (): void => ending.abort();
      end.promise.then(abort, abort);
      const log = (line: string): void => call.terminal.err(`tallystick: ${line}\n`);
      stopOnSignal(end.resolve);
      const server = await startServer({
        ...settings(call.options),
        version,
        log,
        stop: ending.signal,
        onFatal: (cause) => end.reject(fatal(cause)),
      }).catch((error: Error) => {
        const code = isWrongUsage(error) ? "wrong_usage" : "command_failed";
        throw new CommandError(code, withCode(error), { cause: error.cause });
      });
      if (server.isNew) log(`the administrator's token is in ${server.adminTokenFile}`);
      if (server.signInUrl !== undefined) {
        log(`nobody can sign in yet; within 15 minutes, once: ${server.signInUrl}`);
      }
      if (!ending.signal.aborted) sayReady(call, server, log);
      try {
        await server.close(await end.promise);
      } catch (error) {
        setTimeout(() => process.exit(1), STOP_MS_MAX).unref();
        await server.close("failed").catch(() => undefined);
        throw error;
      } finally {
        setTimeout(() => process.exit(), LEAVE_MS).unref();
      }
    },
  });
}

function sayReady(
  call: Pick<Call<typeof options>, "json" | "printJson" | "say">,
  { url, isSearchable }: Pick<RunningServer, "url" | "isSearchable">,
  log: (line: string) => void,
): void {
  if (!isSearchable) log("batches are taken, queries are not answered until the store is");
  const store = isSearchable ? "ok" : "starting";
  if (call.json) call.printJson({ ready: true, url, store });
  else call.say(`ready ${url}`);
}

function settings(values: OptionValues<typeof options>) {
  const { data, listen, publicUrl, trustProxy, tlsCert, tlsKey, allowHttp, store, maxLiars } =
    values;
  return {
    dataDir: data,
    listen,
    allowHttp,
    maxLiars,
    trustedProxies: trustProxy,
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...(tlsCert === undefined ? {} : { certificateFile: tlsCert }),
    ...(tlsKey === undefined ? {} : { keyFile: tlsKey }),
    ...(store === undefined ? {} : { storeUrl: store }),
  };
}

/** The first signal stops in order, a second one at once. */
function stopOnSignal(stop: (reason: string) => void): void {
  let signals = 0;
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.on(name, () => {
      if (signals++ > 0) process.exit(1);
      setTimeout(() => process.exit(1), STOP_MS_MAX).unref();
      stop(name);
    });
  }
}

/** Our own codes are lower case, those of the system are not: it is in the text anyway. */
function withCode(error: Error): string {
  const { code } = error as { code?: unknown };
  const isOurs = typeof code === "string" && /^[a-z_]+$/.test(code);
  return isOurs ? `${error.message} (${code})` : error.message;
}

function fatal(cause: Error): CommandError {
  return new CommandError(
    "command_failed",
    "the server cannot go on, what was acknowledged is safe, mend the reason and start it again",
    { cause },
  );
}
