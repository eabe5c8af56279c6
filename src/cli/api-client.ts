/** Calls of the public API. A refusal becomes one line: what, which, what to do. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import {
  ApiProblem,
  type ApiResponse,
  failureOf,
  ForeignAnswer,
  isSuccess,
} from "../api/answer.ts";
import { apiClient } from "../api/client.ts";
import { type ApiRequest, type InputArguments, requestOf } from "../api/request.ts";
import type { Answer, CallName, TextName } from "../api/routes.ts";
import { CommandError } from "../std/command-error.ts";
import type { Remote } from "./remote-options.ts";
import { tlsAgent } from "./tls-agent.ts";
import { unreachable } from "./unreachable.ts";

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

  /** Throws `CommandError`. */
  async call<Name extends CallName>(
    name: Name,
    ...input: InputArguments<Name>
  ): Promise<Answer<Name>> {
    const outcome = await this.ask(name, ...input);
    if (outcome.ok) return outcome.answer;
    throw outcome.error;
  }

  /** The same, for who can wait: it rejects for no answer. */
  ask<Name extends CallName>(
    name: Name,
    ...input: InputArguments<Name>
  ): Promise<Outcome<Answer<Name>>> {
    const api = apiClient({ send: async (request) => whole(await this.#send(request)) });
    return this.#tried(async () => api.call(name, ...input));
  }

  /** Events that go on, for who can wait: it rejects for no answer. */
  stream(...input: InputArguments<"GET /events">): Promise<Outcome<Readable>> {
    return this.#tried(async () => {
      const response = await this.#open(requestOf("GET /events", ...input));
      if (response.headers["content-type"] === "text/event-stream") return response;
      throw new ForeignAnswer(response.statusCode ?? 0);
    });
  }

  /** Begins a session; the calls that follow are its own. */
  async signIn<Name extends "POST /signin" | "POST /signin/link">(
    name: Name,
    ...input: InputArguments<Name>
  ): Promise<Answer<Name>> {
    let cookie: string | undefined;
    const api = apiClient({
      send: async (request) => {
        const response = await this.#send(request);
        cookie = response.headers["set-cookie"]?.[0]?.split(";")[0];
        return whole(response);
      },
    });
    const outcome = await this.#tried(async () => api.call(name, ...input));
    if (!outcome.ok) throw outcome.error;
    this.#session = cookie;
    return outcome.answer;
  }

  /** A long answer as it comes; it ends with an error where it was cut short. */
  async download<Name extends Exclude<TextName, "GET /events">>(
    name: Name,
    ...input: InputArguments<Name>
  ): Promise<Readable> {
    const outcome = await this.#tried(() => this.#open(requestOf(name, ...input)));
    if (outcome.ok) return outcome.answer;
    throw outcome.error;
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

  async #tried<T>(call: () => Promise<T>): Promise<Outcome<T>> {
    try {
      return { ok: true, answer: await call() };
    } catch (error) {
      return failed(error as Error, this.#remote);
    }
  }

  /** Once it is known that the answer is a good one. */
  async #open(request: ApiRequest): Promise<IncomingMessage> {
    const response = await this.#send(request);
    if (isSuccess({ status: response.statusCode ?? 0 })) return response;
    throw failureOf(await whole(response));
  }

  #send({ method, path, headers, body }: ApiRequest): Promise<IncomingMessage> {
    const { url } = this.#remote;
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = send(new URL(path, url), {
      method,
      agent: this.#agent,
      timeout: ANSWER_MS_MAX,
      headers: {
        "user-agent": "tallystick/cli",
        ...this.#credential(),
        accept: "application/json, text/plain, text/event-stream",
        ...headers,
        ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
      },
    });
    request.once("response", resolve);
    request.once("timeout", () => request.destroy(new Error("no answer in time")));
    request.once("error", reject);
    request.end(body);
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

async function whole(response: IncomingMessage): Promise<ApiResponse> {
  const { statusCode: status = 0, headers } = response;
  return { status, body: await text(response), retryAfter: headers["retry-after"] };
}

async function failed(
  error: Error,
  remote: Remote,
): Promise<{ ok: false; error: CommandError; mayPass: boolean }> {
  if (error instanceof ApiProblem || error instanceof ForeignAnswer) {
    const { status } = error;
    const mayPass = status === TOO_MANY || status >= SERVER_FAULT_MIN;
    const line = error instanceof ApiProblem ? error.message : foreignLine(error, remote);
    return { ok: false, error: new CommandError("command_failed", line), mayPass };
  }
  return { ok: false, error: await unreachable(remote, error), mayPass: true };
}

function foreignLine(answer: ForeignAnswer, { url }: Remote): string {
  if (isSuccess(answer)) return `no Tallystick server, ${url.origin}, check the URL`;
  return `answered ${answer.status} without a reason, ${url.origin}, check that the URL is a Tallystick server`;
}
