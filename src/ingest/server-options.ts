/**
 * What the HTTP server itself must be told when it is made: the bounds that come before any route.
 * Spread into `fastify({ ... })` by whoever makes the server.
 */
import type { FastifyHttpOptions } from "fastify";
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { type Refusal, refused } from "./errors.ts";
import { FRAME_BYTES_MAX } from "./limits.ts";
import { problemOf, rawProblem } from "./problem.ts";

/** Agents keep their connection for more than 60 s (CONNECTIONS.md): the server must not close first. */
const KEEP_ALIVE_MS = 75_000;
/** Honest headers arrive in one packet. */
const HEADERS_MS = 10_000;
/** Above the body's own bound, which gives the better answer: this one is for what is not a body. */
const REQUEST_MS = 30_000;
/** How far past their time stalled connections are noticed. */
const CHECK_EVERY_MS = 1_000;
/** Honest headers are below 1 KiB; proxies add some. */
const HEADER_BYTES_MAX = 16 * 1024;

export const ingestServerOptions = {
  bodyLimit: FRAME_BYTES_MAX,
  requestTimeout: REQUEST_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  forceCloseConnections: true,
  http: {
    headersTimeout: HEADERS_MS,
    connectionsCheckingInterval: CHECK_EVERY_MS,
    maxHeaderSize: HEADER_BYTES_MAX,
    noDelay: true,
  },
  clientErrorHandler: (error: NodeJS.ErrnoException, socket: Socket) =>
    answerBrokenHttp(error, socket),
} as const satisfies FastifyHttpOptions<Server>;

/** What Node answers by itself, without a body, or not at all: `Expect: …` and CONNECT. */
export function answerOddRequests(server: Server): void {
  server.on("checkExpectation", (_request, response) => {
    const problem = problemOf(refused("bad_request", "only `Expect: 100-continue` is understood"));
    const body = Buffer.from(JSON.stringify(problem));
    response.writeHead(problem.status, {
      "content-type": "application/problem+json",
      "content-length": body.length,
    });
    response.end(body);
  });
  server.on("connect", (request, socket) => {
    socket.end(rawProblem(refused("method_not_allowed", `${request.method} is not answered`)));
  });
}

/** Bytes that are not HTTP, headers without end, requests without end: answered, then cut. */
function answerBrokenHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(rawProblem(refusalOf(error)), () => socket.destroy());
}

function refusalOf(error: NodeJS.ErrnoException): Refusal {
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return refused("header_too_large", `at most ${HEADER_BYTES_MAX} bytes of headers are read`);
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return refused("slow_body", "the request did not arrive in time");
    default:
      return refused("bad_request", "the bytes are not an HTTP request");
  }
}
