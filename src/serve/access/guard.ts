/**
 * Who may call what. Every route of the API says what it takes and what it leaves (`config.access`,
 * `config.audit`); one that says nothing is refused, so that forgetting it opens nothing.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { ServeError } from "../serve-error.ts";
import type { Authenticate } from "./authenticate.ts";
import { type HostNames, isKnownHost } from "./host-names.ts";
import { mayPrincipal, type Principal } from "./principal.ts";

declare module "fastify" {
  interface FastifyRequest {
    principal: Principal | undefined;
  }
}

export interface GuardOptions {
  readonly names: HostNames;
  readonly authenticate: Authenticate;
}

export function guardRoutes(scope: FastifyInstance, options: GuardOptions): void {
  scope.decorateRequest("principal", undefined);
  scope.addHook("onRequest", async (request) => {
    const { access } = request.routeOptions.config;
    if (access === "public") return;
    if (!isKnownHost(request.headers.host, options.names)) {
      throw new ServeError("unknown_host", `Host is ${shown(request.headers.host)}`);
    }
    const principal = options.authenticate(request);
    request.principal = principal;
    if (access === undefined) throw new ServeError("unauthorized", "the route is open to nobody");
    if (mayPrincipal(principal, access)) return;
    const { name } = principal.who.actor;
    throw new ServeError("forbidden", `${name} has the role ${principal.role}, without ${access}`);
  });
}

/** Of a route that is not public. */
export function principalOf({ principal }: Pick<FastifyRequest, "principal">): Principal {
  if (principal === undefined) throw new Error("a route that is open to all asked who calls it");
  return principal;
}

function shown(value: string | undefined): string {
  return value === undefined ? "missing" : JSON.stringify(value.slice(0, 80));
}
