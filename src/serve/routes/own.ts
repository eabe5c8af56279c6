/** Whose a request is, for routes about what belongs to one user. */
import type { FastifyRequest } from "fastify";
import { ControlError } from "../../control/control-error.ts";
import type { Own } from "../../control/sign-in/own-credentials.ts";
import type { Who } from "../../control/who.ts";
import { principalOf } from "../access/guard.ts";
import { mayPrincipal } from "../access/principal.ts";
import { ServeError } from "../serve-error.ts";

type Request = Pick<FastifyRequest, "principal">;

/** The session that asks. Throws `session_needed`. */
export function ownOf(request: Request): Own & { readonly who: Who } {
  const { user, by, session, who } = principalOf(request);
  if (by !== "session" || user === undefined) {
    throw new ServeError("session_needed", "the request shows a token");
  }
  return { userId: user.id, sessionId: session, who };
}

/** The user who asks, by a session or token. Throws `no_user`. */
export function userOf(request: Request): { readonly id: string; readonly name: string } {
  const { user } = principalOf(request);
  if (user !== undefined) return user;
  throw new ControlError("no_user", "the request shows the administrator's token");
}

/** Whether what belongs to that user is theirs to see and end: one's own, and for an owner all. */
export function isTheirs(request: Request, userId: string): boolean {
  const principal = principalOf(request);
  return principal.user?.id === userId || mayPrincipal(principal, "users.write");
}

/** Whose things a list has: everybody's (undefined) for an owner. */
export function listedUser(request: Request): string | undefined {
  const principal = principalOf(request);
  return mayPrincipal(principal, "users.write") ? undefined : userOf(request).id;
}
