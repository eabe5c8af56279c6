/**
 * Who may call what. Every route of the API says what it takes and what it leaves (`config.access`,
 * `config.audit`); one that says nothing is refused, so that forgetting it opens nothing.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Permission } from "../../api/roles.ts";
import { ServeError } from "../serve-error.ts";
import type { Authenticate } from "./authenticate.ts";
import { checkNotForeign, checkSameSite } from "./cross-site.ts";
import { type HostNames, isKnownHost } from "./host-names.ts";
import { mayPrincipal, type Principal } from "./principal.ts";
import type { RunningRequests } from "./running-requests.ts";

declare module "fastify" {
  interface FastifyRequest {
    principal: Principal | undefined;
  }
}

export interface GuardOptions {
  readonly names: HostNames;
  /** Of --public-url, lower case; behind a proxy the request's own says http. */
  readonly publicOrigin?: string;
  readonly authenticate: Authenticate;
  readonly running: RunningRequests;
}

export function guardRoutes(scope: FastifyInstance, options: GuardOptions): void {
  scope.decorateRequest("principal", undefined);
  options.running.register(scope);
  scope.addHook("onRequest", async (request, reply) => {
    const { access } = request.routeOptions.config;
    if (access === "public") return;
    if (!isKnownHost(request.headers.host, options.names)) {
      throw new ServeError("unknown_host", `Host is ${shown(request.headers.host)}`);
    }
    if (access === "sign-in") checkNotForeign(request, options.publicOrigin);
    else {
      admit(request, options);
      options.running.begin(request, reply, principalOf(request));
    }
  });
  // A body may take its time, and whoever sent the headers may have lost the right meanwhile.
  scope.addHook("preHandler", async (request) => {
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (request.principal !== undefined && !isRead) admit(request, options);
  });
}

function admit(request: FastifyRequest, options: GuardOptions): void {
  const { access, beforeSecondFactor } = request.routeOptions.config;
  const principal = options.authenticate(request);
  request.principal = principal;
  if (principal.by === "session") checkSameSite(request, options.publicOrigin);
  if (access === undefined) throw new ServeError("unauthorized", "the route is open to nobody");
  if (principal.needsSecondFactor === true && beforeSecondFactor !== true) {
    throw new ServeError("second_factor_needed", "the session may only set up a second factor");
  }
  if (access !== "self" && access !== "public" && access !== "sign-in") {
    requirePermission(principal, access);
  }
}

/** Throws `forbidden`. Also for what a route finds out only from a request's parameters. */
export function requirePermission(principal: Principal, permission: Permission): void {
  if (mayPrincipal(principal, permission)) return;
  const { name } = principal.who.actor;
  throw new ServeError(
    "forbidden",
    `${name} has the role ${principal.role}, without ${permission}`,
  );
}

/** Of a route that is not public. */
export function principalOf({ principal }: Pick<FastifyRequest, "principal">): Principal {
  if (principal === undefined) throw new Error("a route that is open to all asked who calls it");
  return principal;
}

function shown(value: string | undefined): string {
  return value === undefined ? "missing" : JSON.stringify(value.slice(0, 80));
}
