/** From a request to who sent it: by the administrator's token, which counts only on this machine. */
import type { FastifyRequest } from "fastify";
import type { AdminToken } from "../../control/admin-token.ts";
import { ServeError } from "../serve-error.ts";
import { isOwnAddress } from "./own-addresses.ts";
import { auditAddress, type Principal } from "./principal.ts";

/** Throws `unauthorized`, `foreign_address`. */
export type Authenticate = (request: FastifyRequest) => Principal;

export interface AuthenticateOptions {
  readonly token: AdminToken;
  /** Proxies are known and named: their word on where a request comes from counts. */
  readonly trustsProxy: boolean;
}

export function authenticateBy(options: AuthenticateOptions): Authenticate {
  return (request) => {
    const { authorization } = request.headers;
    const given = /^Bearer ([\x21-\x7e]{1,256})$/i.exec(authorization ?? "")?.[1];
    if (given === undefined)
      throw new ServeError("unauthorized", "the request has no bearer token");
    if (!options.token.matches(given))
      throw new ServeError("unauthorized", "the token is not valid");
    checkOwn(request, options.trustsProxy);
    const address = auditAddress(request.ip);
    const actor = { type: "token", id: "admin", name: "admin" } as const;
    return { who: { actor, address, origin: originOf(request) }, role: "owner", session: "admin" };
  };
}

function checkOwn(request: FastifyRequest, trustsProxy: boolean): void {
  if (!isOwnAddress(request.ip)) {
    throw new ServeError("foreign_address", `the request came from ${request.ip}`);
  }
  if (!trustsProxy && isForwarded(request)) {
    throw new ServeError("foreign_address", "the request came through a proxy");
  }
}

/** By what it calls itself: it is said for the reader of the audit, and decides nothing. */
export function originOf({ headers }: FastifyRequest): "cli" | "api" {
  return headers["user-agent"]?.startsWith("tallystick/") === true ? "cli" : "api";
}

/** Behind an unknown proxy on this machine everybody seems to come from here. */
function isForwarded({ headers }: FastifyRequest): boolean {
  return ["forwarded", "x-forwarded-for", "x-real-ip", "via"].some((name) => name in headers);
}
