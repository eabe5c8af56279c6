/**
 * Who may call what. Every route of the API says who may call it (`config.access`); one that says
 * nothing is refused, so that forgetting it opens nothing.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { AdminToken } from "../../control/admin-token.ts";
import { ServeError } from "../serve-error.ts";
import { type HostNames, isKnownHost } from "./host-names.ts";
import { isOwnAddress } from "./own-addresses.ts";

/** `public` needs no token; `admin` the administrator's. */
export type Access = "public" | "admin";

declare module "fastify" {
  interface FastifyContextConfig {
    access?: Access;
  }
}

export interface GuardOptions {
  readonly token: AdminToken;
  readonly names: HostNames;
  /** Proxies are known and named: their word on where a request comes from counts. */
  readonly trustsProxy: boolean;
}

export function guardRoutes(scope: FastifyInstance, options: GuardOptions): void {
  scope.addHook("onRequest", async (request) => {
    const { access } = request.routeOptions.config;
    if (access === "public") return;
    if (!isKnownHost(request.headers.host, options.names)) {
      throw new ServeError("unknown_host", `Host is ${shown(request.headers.host)}`);
    }
    checkToken(request, options);
    if (access === undefined) throw new ServeError("unauthorized", "the route is open to nobody");
  });
}

function checkToken(request: FastifyRequest, { token, trustsProxy }: GuardOptions): void {
  const { authorization } = request.headers;
  const given = /^Bearer ([\x21-\x7e]{1,256})$/i.exec(authorization ?? "")?.[1];
  if (given === undefined) throw new ServeError("unauthorized", "the request has no bearer token");
  if (!token.matches(given)) throw new ServeError("unauthorized", "the token is not valid");
  if (!isOwnAddress(request.ip)) {
    throw new ServeError("foreign_address", `the request came from ${request.ip}`);
  }
  if (!trustsProxy && isForwarded(request)) {
    throw new ServeError("foreign_address", "the request came through a proxy");
  }
}

/** Behind an unknown proxy on this machine everybody seems to come from here. */
function isForwarded({ headers }: FastifyRequest): boolean {
  return ["forwarded", "x-forwarded-for", "x-real-ip", "via"].some((name) => name in headers);
}

function shown(value: string | undefined): string {
  return value === undefined ? "missing" : JSON.stringify(value.slice(0, 80));
}
