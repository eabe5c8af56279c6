/** Errors as clients see them: RFC 9457, with our code and what to do. Nothing internal gets out. */
import type { FastifyReply } from "fastify";
import { ControlError } from "../control/control-error.ts";
import { QueryError } from "../query/query-error.ts";
import { StoreError } from "../store/store-error.ts";
import { PROBLEMS, type ProblemCode } from "./problem-rows.ts";
import { ServeError } from "./serve-error.ts";

export interface Problem {
  readonly status: number;
  readonly code: ProblemCode;
  readonly title: string;
  readonly detail: string;
  readonly hint: string;
  /** Where in the query it is wrong, UTF-16 offsets, `to` exclusive; of `bad_query` alone. */
  readonly from?: number;
  readonly to?: number;
  /** Stands in the header of that name. */
  readonly retryAfterS?: number;
}

export function problem(code: ProblemCode, detail: string): Problem {
  const { status, title, hint } = PROBLEMS[code];
  return { status, code, title, detail, hint };
}

export function sendProblem(
  reply: FastifyReply,
  {
    code,
    detail,
    from,
    to,
    retryAfterS = 1,
  }: Pick<Problem, "code" | "detail" | "from" | "to" | "retryAfterS">,
): FastifyReply {
  const body = { ...problem(code, detail), from, to };
  if (body.status === 401) reply.header("www-authenticate", "Bearer");
  if (body.status === 429 || body.status === 503) reply.header("retry-after", String(retryAfterS));
  return reply.code(body.status).type("application/problem+json").send(JSON.stringify(body));
}

/** `internal` for what no client can cause: the caller logs it. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ServeError || error instanceof ControlError) {
    if (!isProblemCode(error.code)) return internal();
    return { ...problem(error.code, error.message), ...placeOf(error.cause), ...retryOf(error) };
  }
  if (error instanceof StoreError) return storeProblem(error);
  return fastifyProblem(error as { code?: unknown; statusCode?: unknown; message?: unknown });
}

function retryOf(error: ServeError | ControlError): Pick<Problem, "retryAfterS"> {
  const { retryAfterS } = error instanceof ServeError ? error : {};
  return retryAfterS === undefined ? {} : { retryAfterS };
}

function placeOf(cause: unknown): Pick<Problem, "from" | "to"> {
  return cause instanceof QueryError ? { from: cause.from, to: cause.to } : {};
}

function storeProblem(error: StoreError): Problem {
  if (error.code === "store_unavailable" || error.code === "store_closed") {
    return problem("store_unavailable", "the store is starting, restarting or unreachable");
  }
  return problem("store_failed", error.message.slice(0, 500));
}

function fastifyProblem(error: {
  code?: unknown;
  statusCode?: unknown;
  message?: unknown;
}): Problem {
  const text = typeof error?.message === "string" ? error.message.slice(0, 300) : "";
  switch (error?.code) {
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return problem("unsupported_media_type", text);
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return problem("payload_too_large", text);
    default: {
      const { statusCode } = error ?? {};
      const isTheirs = typeof statusCode === "number" && statusCode >= 400 && statusCode < 500;
      return isTheirs ? problem("bad_request", text) : internal();
    }
  }
}

function internal(): Problem {
  return problem("internal", "the reason is in the server's log");
}

function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code);
}
