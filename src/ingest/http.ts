/**
 * The three routes of the agents: enrol, head, batches. Everything else about a request is bounded
 * here too, before a byte of it is believed.
 */
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import type { ServerResponse } from "node:http";
import type { Clock } from "../std/clock.ts";
import type { Admission } from "./admit.ts";
import type { ChainWriter } from "./chain-writer.ts";
import { answerEnrol, type Enrol } from "./enrol.ts";
import { INGEST_ERRORS, type Refusal, refused } from "./errors.ts";
import { Gate, type Pass } from "./gate.ts";
import { answerHead } from "./head.ts";
import { FRAME_BYTES_MAX, INGEST_LIMITS, type IngestLimits, JSON_BYTES_MAX } from "./limits.ts";
import { discardRest } from "./linger.ts";
import type { LookupNode } from "./node-directory.ts";
import { sendProblem } from "./problem.ts";
import { type BodyBounds, readFrame, readSmall } from "./read-body.ts";
import type { ServerKey } from "./server-key.ts";
import { answerOddRequests } from "./server-options.ts";

export const BATCH_MEDIA_TYPE = "application/vnd.tallystick.batch";

export interface IngestHttpOptions {
  readonly admission: Admission;
  readonly writer: ChainWriter;
  readonly lookup: LookupNode;
  readonly serverKey: ServerKey;
  readonly enrol: Enrol;
  readonly clock: Clock;
  readonly limits?: IngestLimits;
  /** Told about our own mistakes: what the client saw as `internal`. */
  readonly onError: (error: unknown) => void;
}

/** Registers `POST /ingest/v1/{enrol,head,batches}`; to be registered without a prefix. */
export const ingestRoutes: FastifyPluginAsync<IngestHttpOptions> = async (fastify, options) => {
  answerOddRequests(fastify.server);
  await fastify.register(async (scope) => routes(scope, options), { prefix: "/ingest/v1" });
};

function routes(scope: FastifyInstance, options: IngestHttpOptions): void {
  const limits = options.limits ?? INGEST_LIMITS;
  const intake = new Intake(options, limits);
  // Bodies are read by the routes themselves, within bounds; Fastify only hands them over.
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(BATCH_MEDIA_TYPE, (_request, _payload, done) => done(null));
  scope.addContentTypeParser("application/json", (_request, _payload, done) => done(null));
  scope.setErrorHandler((error, request, reply) => intake.onError(error, request, reply));
  scope.setNotFoundHandler((request, reply) => {
    discardRest(request.raw, options.clock);
    return sendProblem(reply, refused("not_found", "the agents' routes are enrol, head, batches"));
  });
  scope.post("/batches", (request, reply) => intake.batch(request, reply));
  scope.post("/head", (request, reply) =>
    intake.json(request, reply, (body) => answerHead(body, options)),
  );
  scope.post("/enrol", (request, reply) =>
    intake.json(request, reply, (body) => answerEnrol(body, { ...options, remote: request.ip })),
  );
  for (const url of ["/batches", "/head", "/enrol"]) {
    scope.route({
      url,
      method: ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"],
      handler: (request, reply) => {
        discardRest(request.raw, options.clock);
        reply.header("allow", "POST");
        return sendProblem(reply, refused("method_not_allowed", `${request.method} ${url}`));
      },
    });
  }
}

class Intake {
  readonly #options: IngestHttpOptions;
  readonly #limits: IngestLimits;
  readonly #gate: Gate;

  constructor(options: IngestHttpOptions, limits: IngestLimits) {
    this.#options = options;
    this.#limits = limits;
    this.#gate = new Gate(limits);
  }

  batch(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    return this.#within(request, reply, async (pass) => {
      const wrong = wrongType(request, BATCH_MEDIA_TYPE);
      if (wrong !== undefined) return this.#refuse(request, reply, wrong);
      const { admission } = this.#options;
      const bounds = this.#bounds(FRAME_BYTES_MAX);
      const sent = await readFrame(request.raw, bounds, pass, (head) =>
        admission.authenticate(head, request.ip),
      );
      if ("outcome" in sent) return this.#refuse(request, reply, sent);
      const result = await admission.admit(sent.sender, sent.frame);
      if (result.outcome === "refused") return sendProblem(reply, result);
      const receipt = result.receipt.toString("base64url");
      const duplicate = result.duplicate ? ',"duplicate":true' : "";
      return sendJson(reply, `{"receipt":"${receipt}"${duplicate}}`);
    });
  }

  json(
    request: FastifyRequest,
    reply: FastifyReply,
    answer: (body: unknown) => object | Refusal | Promise<object | Refusal>,
  ): Promise<FastifyReply> {
    return this.#within(request, reply, async () => {
      const wrong = wrongType(request, "application/json");
      if (wrong !== undefined) return this.#refuse(request, reply, wrong);
      const bytes = await readSmall(request.raw, this.#bounds(JSON_BYTES_MAX));
      if ("outcome" in bytes) return this.#refuse(request, reply, bytes);
      const body = parseJson(bytes);
      if (body === undefined) return sendProblem(reply, refused("bad_request", "not JSON"));
      const result = await answer(body);
      if (isRefusal(result)) return sendProblem(reply, result);
      return sendJson(reply, JSON.stringify(result));
    });
  }

  /** Errors that Fastify raises before a route runs, and our own mistakes. */
  onError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    discardRest(request.raw, this.#options.clock);
    const status = (error as { statusCode?: unknown }).statusCode;
    if (status === 415) {
      const type = request.headers["content-type"] ?? "none";
      return sendProblem(reply, refused("unsupported_media_type", `got ${type.slice(0, 80)}`));
    }
    if (typeof status === "number" && status >= 400 && status < 500) {
      return sendProblem(
        reply,
        refused("bad_request", "the request is not in the documented form"),
      );
    }
    this.#options.onError(error);
    return sendProblem(reply, refused("internal", INGEST_ERRORS.internal.title));
  }

  /** Holds a pass from here until the answer has left or the client has gone. */
  async #within(
    request: FastifyRequest,
    reply: FastifyReply,
    serve: (pass: Pass) => Promise<FastifyReply>,
  ): Promise<FastifyReply> {
    const pass = this.#gate.enter();
    if ("outcome" in pass) return this.#refuse(request, reply, pass);
    try {
      return await serve(pass);
    } finally {
      pass.release();
    }
  }

  #bounds(bytesMax: number): BodyBounds {
    return { bytesMax, bodyMs: this.#limits.bodyMs, clock: this.#options.clock };
  }

  #refuse(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
    discardRest(request.raw, this.#options.clock);
    if (refusal.code === "slow_body") cutWhenSent(request, reply.raw);
    return sendProblem(reply, refusal);
  }
}

function wrongType(request: FastifyRequest, type: string): Refusal | undefined {
  const got = request.headers["content-type"] ?? "";
  if (got.split(";", 1)[0]?.trim().toLowerCase() === type) return undefined;
  return refused("unsupported_media_type", `expected ${type}, got ${got.slice(0, 80)}`);
}

/** Who sends too slowly would use up the time for discarding too. */
function cutWhenSent(request: FastifyRequest, response: ServerResponse): void {
  response.once("finish", () => request.raw.socket.destroySoon());
}

function sendJson(reply: FastifyReply, json: string): FastifyReply {
  // As bytes: to text Fastify would add a charset, which JSON does not have.
  return reply.header("content-type", "application/json").send(Buffer.from(json));
}

function isRefusal(result: object): result is Refusal {
  return "outcome" in result && result.outcome === "refused";
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
