/**
 * `Idempotency-Key`: a change that is asked for again, by the same principal in the same words, is
 * answered as it was the first time, and made once. What changed nothing is decided anew.
 */
import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { KeyedRequest, RememberedAnswers } from "../../control/remembered-answers.ts";
import type { Who } from "../../control/who.ts";
import type { Principal } from "../access/principal.ts";
import { ServeError } from "../serve-error.ts";
import { withoutSecrets } from "./without-secrets.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Of a change with an idempotency key that is being made now. */
    keyed: KeyedRequest | undefined;
  }
}

/** Says that the answer is the one of the first request; `without-secrets` where what is shown once is missing. */
export const REPLAYED = "idempotency-replayed";

const KEY = /^[\x20-\x7e]{1,128}$/;

export function rememberAnswers(scope: FastifyInstance, answers: RememberedAnswers): void {
  /** Changes that are under way. */
  const running = new Map<string, KeyedRequest>();
  scope.decorateRequest("keyed", undefined);

  scope.addHook("preHandler", async (request, reply) => {
    const keyed = keyedRequest(request);
    if (keyed === undefined) return undefined;
    const place = placeOf(keyed);
    const first = running.get(place);
    if (first !== undefined) {
      checkSame(first, keyed);
      throw new ServeError("idempotency_in_progress", `the key is ${shown(keyed)}`);
    }
    const known = answers.get(keyed);
    if (known !== undefined) {
      checkSame(known, keyed);
      if (known.answer !== undefined) return replay(reply, known.answer);
      throw new ServeError("idempotency_lost", known.about);
    }
    running.set(place, keyed);
    request.keyed = keyed;
    request.principal = remembering(request.principal, keyed, answers);
    return undefined;
  });

  scope.addHook("onSend", async (request, reply, payload) => {
    const { keyed } = request;
    if (keyed === undefined) return payload;
    request.keyed = undefined;
    running.delete(placeOf(keyed));
    const isDone = reply.statusCode >= 200 && reply.statusCode < 300;
    if (isDone)
      answers.answered(keyed, { status: reply.statusCode, body: kept(request, reply, payload) });
    return payload;
  });
}

/** Undefined without a key, and where nothing is changed. Throws `bad_request`. */
function keyedRequest(request: FastifyRequest): KeyedRequest | undefined {
  const { "idempotency-key": key } = request.headers;
  const { principal } = request;
  if (key === undefined || principal === undefined) return undefined;
  if (request.routeOptions.config.audit !== "change") return undefined;
  if (typeof key !== "string" || !KEY.test(key)) {
    throw new ServeError("bad_request", "Idempotency-Key has 1 to 128 printable ASCII characters");
  }
  if (takesPassword(request)) {
    // Even its hash would be something to guess passwords by.
    throw new ServeError("bad_request", "a request with a password takes no Idempotency-Key");
  }
  const { type, id } = principal.who.actor;
  const said = JSON.stringify([request.method, request.url, request.body ?? null]);
  const fingerprint = createHash("sha256").update(said).digest("hex");
  return { principal: `${type} ${id}`, key, fingerprint };
}

const SECRETS = new Set(["password", "old", "code", "client_secret"]);

function takesPassword({ routeOptions }: FastifyRequest): boolean {
  const { properties = {} } = (routeOptions.schema?.body ?? {}) as { properties?: object };
  return Object.keys(properties).some((name) => SECRETS.has(name));
}

function checkSame(first: Pick<KeyedRequest, "fingerprint">, keyed: KeyedRequest): void {
  if (first.fingerprint === keyed.fingerprint) return;
  throw new ServeError("idempotency_mismatch", `the key is ${shown(keyed)}`);
}

/** A request may make several changes: with the first it has happened. */
function remembering(
  principal: Principal | undefined,
  keyed: KeyedRequest,
  answers: RememberedAnswers,
): Principal | undefined {
  if (principal === undefined) return undefined;
  let isFirst = true;
  const remember: Who["remember"] = (action, targetId) => {
    if (!isFirst) return [];
    isFirst = false;
    return answers.change(keyed, `${action} ${targetId}`);
  };
  return { ...principal, who: { ...principal.who, remember } };
}

interface Body {
  readonly value: unknown;
  readonly isReduced: boolean;
  /** Nothing at all was answered. */
  readonly isEmpty: boolean;
}

/** Bodies are JSON, of an object at most a few KB. */
function kept(request: FastifyRequest, reply: FastifyReply, payload: unknown): string {
  const isEmpty = typeof payload !== "string" || payload === "";
  const { response } = (request.routeOptions.schema ?? {}) as {
    response?: Record<string, unknown>;
  };
  const { value, isReduced } = isEmpty
    ? { value: null, isReduced: false }
    : withoutSecrets(JSON.parse(payload), response?.[reply.statusCode]);
  return JSON.stringify({ value, isReduced, isEmpty } satisfies Body);
}

function replay(
  reply: FastifyReply,
  answer: { readonly status: number; readonly body: string },
): FastifyReply {
  const { value, isReduced, isEmpty } = JSON.parse(answer.body) as Body;
  reply.code(answer.status).header(REPLAYED, isReduced ? "without-secrets" : "true");
  return isEmpty ? reply.send() : reply.send(value);
}

function placeOf({ principal, key }: KeyedRequest): string {
  return JSON.stringify([principal, key]);
}

function shown({ key }: KeyedRequest): string {
  return JSON.stringify(key);
}
