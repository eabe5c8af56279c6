/** `/api/v1/signin`, `/signin/link`, `/signin/links`, `/signout`: how a session begins and ends. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Profile } from "../../api/accounts.ts";
import type { SignInLink } from "../../api/sign-in.ts";
import type { MadeLink } from "../../control/sign-in/links.ts";
import type { SignedIn, SignInPlace } from "../../control/sign-in/sign-in.ts";
import { personOriginOf } from "../access/authenticate.ts";
import { principalOf } from "../access/guard.ts";
import { auditAddress } from "../access/principal.ts";
import { beforeSecondFactor, changes } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";
import { signInUrl } from "../sign-in-url.ts";
import { ownOf } from "./own.ts";
import { profileOf } from "./profile.ts";

export function signInRoutes(api: ApiScope, parts: ApiParts): void {
  const { control, throttle, cookie } = parts;

  const begun = (reply: FastifyReply, made: SignedIn) => beginSession(parts, reply, made);

  api.route("POST /signin", changes("sign-in", "session.create"), async (request, reply) => {
    const place = signInPlace(request);
    const attempt = { name: request.body.name, address: place.address };
    throttle.begin(attempt);
    const signedIn = await control.signIn.byPassword(request.body, place);
    throttle.succeeded(attempt);
    return begun(reply, signedIn);
  });

  api.route("POST /signin/link", changes("sign-in", "signin_link.use"), async (request, reply) => {
    const place = signInPlace(request);
    const attempt = { address: place.address };
    throttle.begin(attempt);
    const signedIn = await control.signIn.byLink(request.body, place);
    throttle.succeeded(attempt);
    return begun(reply, signedIn);
  });

  api.route("POST /signin/links", changes("users.write", "signin_link.create"), async (request) => {
    const { user } = request.body;
    const { who } = principalOf(request);
    const target = user === undefined ? undefined : control.users.find(user);
    const link = await control.links.create(target, who);
    return describeLink(parts, link);
  });

  api.route(
    "POST /signout",
    beforeSecondFactor(changes("self", "session.end")),
    async (request, reply) => {
      const { sessionId, who } = ownOf(request);
      await control.sessions.end(sessionId, who, () => true);
      cookie.clear(reply);
    },
  );
}

export function describeLink(
  { baseUrl }: Pick<ApiParts, "baseUrl">,
  { token, expiresAtMs }: MadeLink,
): SignInLink {
  return {
    url: signInUrl(baseUrl(), token),
    token,
    expires_at: new Date(expiresAtMs).toISOString(),
  };
}

/** The cookie, and what a page is to know of who has just come in. */
export function beginSession(
  parts: ApiParts,
  reply: FastifyReply,
  { user, session, secret }: SignedIn,
): Profile {
  const { control, clock, cookie } = parts;
  cookie.set(reply, secret, session.expiresAtMs - clock.nowMs());
  return profileOf(parts, {
    name: user.name,
    user,
    role: user.role,
    by: "session",
    session: session.id,
    needsSecondFactor: control.signInRules.get().secondFactorRequired && !session.secondFactor,
  });
}

export function signInPlace(request: FastifyRequest): SignInPlace {
  return {
    address: auditAddress(request.ip),
    agent: request.headers["user-agent"] ?? "",
    origin: personOriginOf(request),
  };
}
