/** Calls of the public API. A refusal becomes one line: what, which, what to do. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { CommandError } from "../std/command-error.ts";
import type { Remote } from "./remote-options.ts";
import { speaksTls } from "./speaks-tls.ts";
import { tlsAgent } from "./tls-agent.ts";

export type Query = Readonly<
  Record<string, string | number | undefined | readonly (string | number)[]>
>;

/** The longest honest answer is a query of 30 s. */
const ANSWER_MS_MAX = 60_000;

export class ApiClient {
  readonly #remote: Remote;
  readonly #agent: HttpAgent;

  constructor(remote: Remote) {
    this.#remote = remote;
    const isTls = remote.url.protocol === "https:";
    this.#agent = isTls ? tlsAgent(remote) : new HttpAgent({ keepAlive: true });
  }

  get<T>(path: string, query: Query = {}): Promise<T> {
    return this.#call("GET", `${path}${queryText(query)}`);
  }

  post<T>(path: string, body?: object): Promise<T> {
    return this.#call("POST", path, body);
  }

  delete<T>(path: string): Promise<T> {
    return this.#call("DELETE", path);
  }

  /** A long answer as it comes; it ends with an error where it was cut short. */
  async download(path: string): Promise<Readable> {
    const response = await this.#send("GET", path, undefined);
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode < 300) return response;
    throw refusal(statusCode, await text(response), this.#remote.url);
  }

  /** Lets the process end. */
  close(): void {
    this.#agent.destroy();
  }

  async #call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await this.#send(method, path, body);
    const answer = await text(response);
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode < 300) return parse(answer, this.#remote.url) as T;
    throw refusal(statusCode, answer, this.#remote.url);
  }

  #send(method: string, path: string, body: object | undefined): Promise<IncomingMessage> {
    const { url, token } = this.#remote;
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = send(new URL(`/api/v1${path}`, url), {
      method,
      agent: this.#agent,
      timeout: ANSWER_MS_MAX,
      headers: {
        authorization: `Bearer ${token}`,
        accept: "application/json, text/plain",
        ...(payload === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(payload) }),
      },
    });
    request.once("response", resolve);
    request.once("timeout", () => request.destroy(new Error("no answer in time")));
    request.once("error", (cause) => void unreachable(url, cause).then(reject));
    request.end(payload);
    return promise;
  }
}

function queryText(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of [value].flat()) if (each !== undefined) params.append(name, String(each));
  }
  return params.size === 0 ? "" : `?${params.toString()}`;
}

function parse(answer: string, url: URL): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    throw new CommandError("command_failed", `no Tallystick server, ${url.origin}, check the URL`);
  }
}

function refusal(status: number, answer: string, url: URL): CommandError {
  try {
    const { code, title, detail, hint } = JSON.parse(answer) as Record<string, unknown>;
    if (typeof title === "string") {
      const line = `${title}, ${String(detail)}, ${String(hint)} (${String(code)})`;
      return new CommandError("command_failed", line);
    }
  } catch {
    // Something else than our server answered.
  }
  return new CommandError(
    "command_failed",
    `answered ${status} without a reason, ${url.origin}, check that the URL is a Tallystick server`,
  );
}

async function unreachable(url: URL, cause: Error): Promise<CommandError> {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reason = message === "" ? (code ?? "no connection") : message;
  const todo = await remedy(url, `${code ?? ""} ${message}`);
  return new CommandError(
    "command_failed",
    `cannot reach the server, ${url.origin} (${reason.replaceAll(/\s*\n\s*/g, " ")}), ${todo}`,
  );
}

async function remedy(url: URL, reason: string): Promise<string> {
  if (
    url.protocol === "http:" &&
    /hang up|ECONNRESET|HPE_/.test(reason) &&
    (await speaksTls(url))
  ) {
    return `the server speaks TLS: use https://${url.host}`;
  }
  if (/wrong version number|WRONG_VERSION|packet length too long/i.test(reason)) {
    return `the server speaks plain http: use http://${url.host}`;
  }
  if (/certificate|self.signed|CERT|altname/i.test(reason)) {
    return "set TALLYSTICK_CA to its certificate (DIR/tls/cert.pem on the server)";
  }
  return "check TALLYSTICK_URL and that the server runs";
}
