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

/** What became of a call. `mayPass`: the same call may be answered later, when the server or its store is back. */
export type Outcome<T> =
  | { readonly ok: true; readonly answer: T }
  | { readonly ok: false; readonly error: CommandError; readonly mayPass: boolean };

/** The longest honest answer is a query of 30 s. */
const ANSWER_MS_MAX = 60_000;

const TOO_MANY = 429;
/** From here on it is no fault of the call: the server or its store starts, or a proxy stands before one that is away. */
const SERVER_FAULT_MIN = 500;

export class ApiClient {
  readonly #findRemote: () => Remote;
  #remote: Remote;
  #agent: HttpAgent;
  /** The cookie of a session, with which it goes on instead of a token. */
  #session: string | undefined;

  /** `findRemote` says where the server is; asked again by `renew`. Throws what it throws. */
  constructor(findRemote: () => Remote) {
    this.#findRemote = findRemote;
    this.#remote = findRemote();
    this.#agent = agentFor(this.#remote);
  }

  get<T>(path: string, query: Query = {}): Promise<T> {
    return this.#call("GET", `${path}${queryText(query)}`);
  }

  /** The same, for who can wait: it rejects for no answer. */
  ask<T>(path: string, query: Query = {}): Promise<Outcome<T>> {
    return this.#attempt("GET", `${path}${queryText(query)}`);
  }

  /** Events that go on, for who can wait: it rejects for no answer. */
  stream(path: string, query: Query = {}): Promise<Outcome<Readable>> {
    return this.#tried<Readable>(
      () => this.#send("GET", `${path}${queryText(query)}`, undefined),
      async (response) => {
        const isStream = response.headers["content-type"] === "text/event-stream";
        return isStream ? { ok: true, answer: response } : noServer(this.#remote);
      },
    );
  }

  post<T>(path: string, body?: object): Promise<T> {
    return this.#call("POST", path, body);
  }

  /** Begins a session; the calls that follow are its own. */
  async signIn<T>(path: string, body: object): Promise<T> {
    const response = await this.#send("POST", path, body).catch(async (cause: Error) => {
      throw await unreachable(this.#remote, cause);
    });
    const answer = await text(response);
    const { statusCode = 0, headers } = response;
    if (statusCode !== 200) throw refusal(statusCode, answer, this.#remote);
    const outcome = parsed<T>(answer, this.#remote);
    if (!outcome.ok) throw outcome.error;
    this.#session = headers["set-cookie"]?.[0]?.split(";")[0];
    return outcome.answer;
  }

  patch<T>(path: string, body: object): Promise<T> {
    return this.#call("PATCH", path, body);
  }

  delete<T>(path: string): Promise<T> {
    return this.#call("DELETE", path);
  }

  /** A long answer as it comes; it ends with an error where it was cut short. */
  async download(path: string, query: Query = {}): Promise<Readable> {
    const response = await this.#send("GET", `${path}${queryText(query)}`, undefined).catch(
      async (cause: Error) => {
        throw await unreachable(this.#remote, cause);
      },
    );
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode < 300) return response;
    throw refusal(statusCode, await text(response), this.#remote);
  }

  /** A server that was started again may be found at another port. */
  renew(): void {
    try {
      this.#remote = this.#findRemote();
    } catch {
      // While it is away nothing says where it is: then it is looked for where it was.
      return;
    }
    this.#agent.destroy();
    this.#agent = agentFor(this.#remote);
  }

  /** Lets the process end. */
  close(): void {
    this.#agent.destroy();
  }

  async #call<T>(method: string, path: string, body?: object): Promise<T> {
    const outcome = await this.#attempt<T>(method, path, body);
    if (outcome.ok) return outcome.answer;
    throw outcome.error;
  }

  #attempt<T>(method: string, path: string, body?: object): Promise<Outcome<T>> {
    return this.#tried<T>(
      () => this.#send(method, path, body),
      async (response) => parsed<T>(await text(response), this.#remote),
    );
  }

  async #tried<T>(
    send: () => Promise<IncomingMessage>,
    read: (response: IncomingMessage) => Promise<Outcome<T>>,
  ): Promise<Outcome<T>> {
    try {
      const response = await send();
      const { statusCode = 0 } = response;
      if (statusCode >= 200 && statusCode < 300) return await read(response);
      const mayPass = statusCode === TOO_MANY || statusCode >= SERVER_FAULT_MIN;
      return { ok: false, error: refusal(statusCode, await text(response), this.#remote), mayPass };
    } catch (cause) {
      const error = await unreachable(this.#remote, cause as Error);
      return { ok: false, error, mayPass: true };
    }
  }

  #send(method: string, path: string, body: object | undefined): Promise<IncomingMessage> {
    const { url } = this.#remote;
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = send(new URL(`/api/v1${path}`, url), {
      method,
      agent: this.#agent,
      timeout: ANSWER_MS_MAX,
      headers: {
        "user-agent": "tallystick/cli",
        ...this.#credential(),
        accept: "application/json, text/plain, text/event-stream",
        ...(payload === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(payload) }),
      },
    });
    request.once("response", resolve);
    request.once("timeout", () => request.destroy(new Error("no answer in time")));
    request.once("error", reject);
    request.end(payload);
    return promise;
  }

  /** None before a sign-in. A session's writes say that they are from the server's own pages: we are no other site. */
  #credential(): Record<string, string> {
    const { url, token } = this.#remote;
    if (this.#session !== undefined) {
      return { cookie: this.#session, origin: url.origin, "content-type": "application/json" };
    }
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  }
}

function agentFor(remote: Remote): HttpAgent {
  const isTls = remote.url.protocol === "https:";
  return isTls ? tlsAgent(remote) : new HttpAgent({ keepAlive: true });
}

function queryText(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of [value].flat()) if (each !== undefined) params.append(name, String(each));
  }
  return params.size === 0 ? "" : `?${params.toString()}`;
}

function parsed<T>(answer: string, remote: Remote): Outcome<T> {
  // What is answered with 204 says nothing more.
  if (answer === "") return { ok: true, answer: undefined as T };
  try {
    return { ok: true, answer: JSON.parse(answer) as T };
  } catch {
    return noServer(remote);
  }
}

function noServer({ url }: Remote): Outcome<never> {
  const line = `no Tallystick server, ${url.origin}, check the URL`;
  return { ok: false, error: new CommandError("command_failed", line), mayPass: false };
}

function refusal(status: number, answer: string, { url }: Remote): CommandError {
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

async function unreachable(remote: Remote, cause: Error): Promise<CommandError> {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reason = message === "" ? (code ?? "no connection") : message;
  const todo = await remedy(remote, `${code ?? ""} ${message}`);
  return new CommandError(
    "command_failed",
    `cannot reach the server, ${remote.url.origin} (${reason.replaceAll(/\s*\n\s*/g, " ")}), ${todo}`,
  );
}

async function remedy({ url, dataDir }: Remote, reason: string): Promise<string> {
  // What DIR says of URL and certificate is the server's own word: it is another server, or none.
  if (dataDir !== undefined) return `check that the server of --data ${dataDir} runs`;
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
