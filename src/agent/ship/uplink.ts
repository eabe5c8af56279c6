/**
 * The one connection to the server: http or https with keep-alive, the server's certificate pinned
 * by its fingerprint when enrolment gave one. Requests are sequential. It decides nothing: every
 * outcome is a value.
 */
import { createHash } from "node:crypto";
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP, isIPv4, type Socket } from "node:net";
import {
  connect as tlsConnect,
  type ConnectionOptions as TlsOptions,
  type TLSSocket,
} from "node:tls";
import { AgentError } from "../agent-error.ts";
import { ANSWER_BYTES_MAX, REQUEST_MS_MAX } from "../limits.ts";

export interface UplinkOptions {
  readonly server: string;
  /** SHA-256 of the server's certificate. Absent: the certificate authorities that Node trusts. */
  readonly fingerprint?: Uint8Array;
  /** Plain http beyond loopback, which shows all entries to the network. */
  readonly allowHttp: boolean;
  readonly version: string;
}

export type Answer =
  | { readonly outcome: "ok"; readonly body: Readonly<Record<string, unknown>> }
  /** The server understood and says no: `code` is from docs/errors.md. */
  | {
      readonly outcome: "refused";
      readonly status: number;
      readonly code: string;
      readonly detail: string;
    }
  /** Not now; `retryAfterMs` when it said how long. */
  | { readonly outcome: "later"; readonly reason: string; readonly retryAfterMs?: number };

/** Bytes or a JSON value. */
export type RequestBody = Uint8Array | Readonly<Record<string, unknown>>;

export class Uplink {
  readonly #base: URL;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #options: UplinkOptions;
  readonly #peers = new Set<string>();
  /** Connections whose certificate was not compared yet: the agent does not know of them. */
  readonly #pending = new Set<TLSSocket>();

  /** Throws `bad_option` for what is no URL, `insecure_server` for http that was not allowed. */
  constructor(options: UplinkOptions) {
    this.#base = serverUrl(options);
    this.#options = options;
    const keepAlive = { keepAlive: true, keepAliveMsecs: 15_000, maxSockets: 1, timeout: 300_000 };
    this.#agent =
      this.#base.protocol === "https:"
        ? this.#pinned(new HttpsAgent(keepAlive), options.fingerprint)
        : new HttpAgent(keepAlive);
  }

  /** True for the agent's own connections, which are recorded and never start a batch. */
  isServer(address: string, port: number): boolean {
    return port === this.#port && this.#peers.has(address);
  }

  /** Never rejects. `signal` ends the request at once. */
  post(path: string, body: RequestBody, signal?: AbortSignal): Promise<Answer> {
    const bytes = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
    const type =
      body instanceof Uint8Array ? "application/vnd.tallystick.batch" : "application/json";
    // A signal tells of its end once: who listens afterwards would wait for ever.
    if (signal?.aborted === true) {
      return Promise.resolve({ outcome: "later", reason: reasonOf(errorOf(signal.reason)) });
    }
    return new Promise((resolve) => {
      const timeout = AbortSignal.timeout(REQUEST_MS_MAX);
      const ends = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
      const answer = (what: Answer): void => {
        ends.removeEventListener("abort", end);
        resolve(what);
      };
      const later = (error: Error): void => answer({ outcome: "later", reason: reasonOf(error) });
      // A request that waits for its socket says nothing when it is ended, nor ends the socket.
      const end = (): void => {
        const reason = errorOf(ends.reason);
        this.#dropPending(reason);
        later(reason);
      };
      ends.addEventListener("abort", end);
      const request = (this.#base.protocol === "https:" ? httpsRequest : httpRequest)(
        new URL(path, this.#base),
        {
          method: "POST",
          agent: this.#agent,
          signal: ends,
          headers: {
            "content-type": type,
            "content-length": bytes.length,
            "user-agent": `tallystick-agent/${this.#options.version}`,
          },
        },
        (response) => void readAnswer(response).then(answer, later),
      );
      request.on("error", later);
      request.on("socket", (socket) => this.#notePeer(socket));
      request.end(bytes);
    });
  }

  close(): void {
    this.#dropPending(new Error("the uplink was closed"));
    this.#agent.destroy();
  }

  /** There is one at most: requests are made one after the other. */
  #dropPending(reason: Error): void {
    for (const socket of this.#pending) socket.destroy(reason);
  }

  /** The socket is handed over only after the certificate was compared: nothing is sent to another. */
  #pinned(agent: HttpsAgent, fingerprint: Uint8Array | undefined): HttpsAgent {
    if (fingerprint === undefined) return agent;
    agent.createConnection = (options: TlsOptions, callback) => {
      // A resumed session would show no certificate to compare.
      delete options.session;
      const socket = tlsConnect({ ...options, rejectUnauthorized: false });
      this.#pending.add(socket);
      const fail = (error: Error): void => callback?.(error, socket);
      socket.once("error", fail);
      socket.once("close", () => this.#pending.delete(socket));
      socket.once("secureConnect", () => {
        socket.off("error", fail);
        this.#pending.delete(socket);
        if (isPinned(socket, fingerprint)) {
          callback?.(null, socket);
          return;
        }
        socket.destroy();
        fail(
          new AgentError(
            "wrong_certificate",
            "the server's certificate is not the one that the enrolment key named",
          ),
        );
      });
      return undefined;
    };
    return agent;
  }

  get #port(): number {
    return Number(this.#base.port || (this.#base.protocol === "https:" ? 443 : 80));
  }

  /** Addresses are known before the first packet leaves, by literal or by the lookup's answer. */
  #notePeer(socket: Socket): void {
    const host = this.#base.hostname.replace(/^\[|\]$/g, "");
    if (isIP(host) !== 0) this.#peers.add(host);
    if (socket.remoteAddress !== undefined) this.#peers.add(socket.remoteAddress);
    // A kept-alive socket comes again with each request, connected.
    if (!socket.connecting) return;
    socket.once("lookup", (_error: unknown, address: string) => this.#peers.add(address));
  }
}

/** Where batches go; checked before anything is stored or sent. */
export function serverUrl(options: Pick<UplinkOptions, "server" | "allowHttp">): URL {
  const url = URL.parse(options.server);
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new AgentError(
      "bad_option",
      `--server is no URL, ${options.server}, write it like https://logs.example:8255`,
    );
  }
  if (url.protocol === "http:" && !options.allowHttp && !isLoopback(url.hostname)) {
    throw new AgentError(
      "insecure_server",
      `plain http to ${url.host} shows all entries to the network, use https, or allow it with --allow-http`,
    );
  }
  return url;
}

function isLoopback(hostname: string): boolean {
  const isLoopbackIPv4 = isIPv4(hostname) && hostname.startsWith("127.");
  return hostname === "localhost" || hostname === "[::1]" || isLoopbackIPv4;
}

function errorOf(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

function isPinned(socket: TLSSocket, fingerprint: Uint8Array): boolean {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return false;
  const actual = createHash("sha256").update(certificate.raw).digest();
  return Buffer.compare(actual, fingerprint) === 0;
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) {
      throw new AgentError("bad_answer", `the answer is longer than ${ANSWER_BYTES_MAX} bytes`);
    }
    chunks.push(chunk);
  }
  return answerOf(response, Buffer.concat(chunks).toString());
}

/** Only a refusal in our own words is one: a proxy's error page is a reason to come again. */
function answerOf(response: IncomingMessage, text: string): Answer {
  const status = response.statusCode ?? 0;
  const body = parseObject(text);
  if (status === 200 && body !== undefined) return { outcome: "ok", body };
  const { code, detail } = body ?? {};
  if (
    status < 400 ||
    status >= 500 ||
    status === 429 ||
    status === 408 ||
    typeof code !== "string"
  ) {
    const reason = typeof code === "string" ? code : `HTTP status ${status}`;
    const afterMs = Number(response.headers["retry-after"]) * 1000;
    return afterMs > 0
      ? { outcome: "later", reason, retryAfterMs: afterMs }
      : { outcome: "later", reason };
  }
  return { outcome: "refused", status, code, detail: typeof detail === "string" ? detail : "" };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function reasonOf(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code;
  return code === undefined ? error.message : `${code}: ${error.message}`;
}
