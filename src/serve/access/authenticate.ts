/** From a request to who sent it: by a session's cookie, an API token, or the administrator's token, which counts only on this machine. */
import type { FastifyRequest } from "fastify";
import type { AdminToken } from "../../control/admin-token.ts";
import { tokenPermissions } from "../../control/api-tokens.ts";
import type { Control } from "../../control/control.ts";
import { ServeError } from "../serve-error.ts";
import { isOwnAddress } from "./own-addresses.ts";
import { auditAddress, type Principal } from "./principal.ts";
import type { SessionCookie } from "./session-cookie.ts";

/** Throws `unauthorized`, `foreign_address`. */
export type Authenticate = (request: FastifyRequest) => Principal;

export interface AuthenticateOptions {
  readonly token: AdminToken;
  /** Proxies are known and named: their word on where a request comes from counts. */
  readonly trustsProxy: boolean;
  readonly control: Pick<Control, "sessions" | "tokens" | "signInRules">;
  readonly cookie: SessionCookie;
}

export function authenticateBy(options: AuthenticateOptions): Authenticate {
  return (request) => {
    const { authorization } = request.headers;
    // Who shows a token means it, whatever the browser adds.
    if (authorization !== undefined) return byToken(options, request, authorization);
    const secret = options.cookie.read(request);
    if (secret !== undefined) return bySession(options, request, secret);
    throw new ServeError("unauthorized", "the request has no token and no session");
  };
}

/** Whether the session or token counts still, while its request is being answered. */
export function isAliveIn({ sessions, tokens }: Pick<Control, "sessions" | "tokens">) {
  return ({ by, session }: Principal): boolean => {
    if (by === "session") return sessions.isAlive(session);
    return by === "admin" || tokens.isAlive(session);
  };
}

function byToken(
  { token, trustsProxy, control }: AuthenticateOptions,
  request: FastifyRequest,
  authorization: string,
): Principal {
  const given = /^Bearer ([\x21-\x7e]{1,256})$/i.exec(authorization)?.[1];
  if (given === undefined) throw new ServeError("unauthorized", "the request has no bearer token");
  const address = auditAddress(request.ip);
  const origin = originOf(request);
  const known = control.tokens.use(given);
  if (known !== undefined) {
    const { id, name } = known.user;
    const actor = {
      type: "token",
      id: known.token.id,
      name: `${name}/${known.token.name}`,
    } as const;
    return {
      who: { actor, address, origin, user: { id, name } },
      role: known.user.role,
      scopes: tokenPermissions(known.token, known.user),
      session: known.token.id,
      by: "token",
      user: { id, name },
      token: known.token,
    };
  }
  if (!token.matches(given)) throw new ServeError("unauthorized", "the token is not valid");
  checkOwn(request, trustsProxy);
  const actor = { type: "token", id: "admin", name: "admin" } as const;
  return { who: { actor, address, origin }, role: "owner", session: "admin", by: "admin" };
}

function bySession(
  { control }: AuthenticateOptions,
  request: FastifyRequest,
  secret: string,
): Principal {
  const known = control.sessions.use(secret);
  if (known === undefined) {
    throw new ServeError("unauthorized", "the session has ended, or never was");
  }
  const { session, user } = known;
  const actor = { type: "user", id: user.id, name: user.name } as const;
  const isRequired = control.signInRules.get().secondFactorRequired;
  return {
    who: { actor, address: auditAddress(request.ip), origin: personOriginOf(request) },
    role: user.role,
    session: session.id,
    by: "session",
    user: { id: user.id, name: user.name },
    needsSecondFactor: isRequired && !session.secondFactor,
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

/** Of who signs in: a person, at the command line or in a browser. */
export function personOriginOf(request: FastifyRequest): "cli" | "console" {
  return originOf(request) === "cli" ? "cli" : "console";
}

/** Behind an unknown proxy on this machine everybody seems to come from here. */
function isForwarded({ headers }: FastifyRequest): boolean {
  return ["forwarded", "x-forwarded-for", "x-real-ip", "via"].some((name) => name in headers);
}
