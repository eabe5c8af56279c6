/**
 * Requests that are being answered, by whose they are: when a session or token ends, so do its
 * queries and streams, within a second. A change that has begun is finished: it is either on record or not.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { AccessEnds, Ended } from "../../control/access-ends.ts";
import type { Clock, Timer } from "../../std/clock.ts";
import { problem } from "../problem.ts";
import { ServeError } from "../serve-error.ts";
import type { Principal } from "./principal.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Aborted when the client hangs up, or may not have the answer any more. */
    gone: AbortSignal;
  }
}

/** Sessions and tokens that end by time alone are noticed this often. */
const SWEEP_MS = 15_000;
/** For an answer that says why; whoever has not ended by then is cut off. */
const LAST_WORD_MS = 500;

const ENDED = "the session or token has ended";

interface Running {
  readonly principal: Principal;
  readonly reply: FastifyReply;
  readonly controller: AbortController;
}

export interface RunningRequestsOptions {
  readonly clock: Clock;
  readonly ends: AccessEnds;
  /** Whether the principal's session or token counts still. */
  isAlive(principal: Principal): boolean;
}

export class RunningRequests {
  readonly #options: RunningRequestsOptions;
  readonly #running = new Set<Running>();
  #timer: Timer | undefined;

  constructor(options: RunningRequestsOptions) {
    this.#options = options;
    options.ends.listen((ended) => {
      this.#endThose((principal) => isOf(principal, ended));
    });
  }

  get size(): number {
    return this.#running.size;
  }

  /** To be called before `begin`: gives each request its signal. */
  register(scope: FastifyInstance): void {
    scope.addHook("onClose", async () => this.close());
    const never = new AbortController().signal;
    scope.decorateRequest("gone", {
      getter() {
        return goneOf.get(this) ?? never;
      },
    });
    scope.addHook("onSend", async (request, reply, payload) => {
      if (!isEnded(request)) return payload;
      (payload as { destroy?: () => void } | null)?.destroy?.();
      reply.code(401).type("application/problem+json").removeHeader("content-length");
      return JSON.stringify(problem("unauthorized", ENDED));
    });
  }

  begin(request: FastifyRequest, reply: FastifyReply, principal: Principal): void {
    const controller = new AbortController();
    goneOf.set(request, controller.signal);
    const running = { principal, reply, controller };
    const isChange = request.routeOptions.config.audit === "change";
    if (!isChange) this.#running.add(running);
    reply.raw.once("close", () => {
      this.#running.delete(running);
      controller.abort();
    });
    if (!isChange) this.#timer ??= this.#options.clock.after(SWEEP_MS, () => this.#sweep());
  }

  close(): void {
    this.#timer?.cancel();
  }

  #sweep(): void {
    this.#endThose((principal) => !this.#options.isAlive(principal));
    const { clock } = this.#options;
    this.#timer = this.#running.size === 0 ? undefined : clock.after(SWEEP_MS, () => this.#sweep());
  }

  #endThose(isMeant: (principal: Principal) => boolean): void {
    for (const running of this.#running) {
      if (isMeant(running.principal)) this.#end(running);
    }
  }

  #end(running: Running): void {
    const { controller, reply } = running;
    this.#running.delete(running);
    controller.abort(new ServeError("unauthorized", ENDED));
    if (reply.raw.headersSent) reply.raw.destroy();
    else this.#options.clock.after(LAST_WORD_MS, () => reply.raw.destroy());
  }
}

const goneOf = new WeakMap<object, AbortSignal>();

function isEnded({ gone }: FastifyRequest): boolean {
  return gone.aborted && gone.reason instanceof ServeError;
}

function isOf({ user, by, session }: Principal, ended: Ended): boolean {
  if ("user" in ended) return user?.id === ended.user;
  if ("session" in ended) return by === "session" && session === ended.session;
  return by === "token" && session === ended.token;
}
