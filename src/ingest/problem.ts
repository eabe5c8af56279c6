/** Errors as clients see them: RFC 9457, with our code and a hint. */
import type { FastifyReply } from "fastify";
import { INGEST_ERRORS, type Refusal } from "./errors.ts";

export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly hint: string;
  /** `chain_gap` only: where the chain stands. */
  readonly epoch?: number;
  readonly batches?: number;
}

export function problemOf(refusal: Refusal): Problem {
  const { status, title, hint } = INGEST_ERRORS[refusal.code];
  const { code, detail, expected } = refusal;
  return { status, code, title, detail, hint, ...expected };
}

export function sendProblem(reply: FastifyReply, refusal: Refusal): FastifyReply {
  const problem = problemOf(refusal);
  if (refusal.retryAfterS !== undefined) reply.header("retry-after", String(refusal.retryAfterS));
  return reply
    .code(problem.status)
    .header("content-type", "application/problem+json")
    .send(Buffer.from(JSON.stringify(problem)));
}

/** The same for a connection on which no HTTP could be read: the whole response as bytes. */
export function rawProblem(refusal: Refusal): string {
  const problem = problemOf(refusal);
  const body = JSON.stringify(problem);
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_TEXTS[problem.status] ?? "Error"}`,
    "content-type: application/problem+json",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
    "",
    body,
  ].join("\r\n");
}

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  405: "Method Not Allowed",
  408: "Request Timeout",
  431: "Request Header Fields Too Large",
};
