/** `/api/v1/signin`, `/signin/link`, `/signin/links`, `/signout`: how a session begins and ends. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Static } from "typebox";
import type { MadeLink } from "../../control/sign-in/links.ts";
import type { SignedIn, SignInPlace } from "../../control/sign-in/sign-in.ts";
import { LinkSignInRequest, NewLink, SignInLink, SignInRequest } from "../../api/sign-in.ts";
import { Profile } from "../../api/accounts.ts";
import { personOriginOf } from "../access/authenticate.ts";
import { principalOf } from "../access/guard.ts";
import { auditAddress } from "../access/principal.ts";
import { beforeSecondFactor, changes } from "../access/route-config.ts";
import type { Api, ApiParts } from "../api.ts";
import { signInUrl } from "../sign-in-url.ts";
import { ownOf } from "./own.ts";
import { profileOf } from "./profile.ts";

export function signInRoutes(app: Api, parts: ApiParts): void {
  const { control, throttle, cookie } = parts;

  const begun = (reply: FastifyReply, made: SignedIn) => beginSession(parts, reply, made);

  app.post(
    "/signin",
    {
      config: changes("sign-in", "session.create"),
      schema: {
        summary: "Begins a session: name, password, and the second factor where there is one",
        body: SignInRequest,
        response: { 200: Profile },
      },
    },
    async (request, reply) => {
      const place = signInPlace(request);
      const attempt = { name: request.body.name, address: place.address };
      throttle.begin(attempt);
      const signedIn = await control.signIn.byPassword(request.body, place);
      throttle.succeeded(attempt);
      return begun(reply, signedIn);
    },
  );

  app.post(
    "/signin/link",
    {
      config: changes("sign-in", "signin_link.use"),
      schema: {
        summary: "Uses a one-time link: sets a password and begins a session",
        body: LinkSignInRequest,
        response: { 200: Profile },
      },
    },
    async (request, reply) => {
      const place = signInPlace(request);
      const attempt = { address: place.address };
      throttle.begin(attempt);
      const signedIn = await control.signIn.byLink(request.body, place);
      throttle.succeeded(attempt);
      return begun(reply, signedIn);
    },
  );

  app.post(
    "/signin/links",
    {
      config: changes("users.write", "signin_link.create"),
      schema: {
        summary: "Makes a one-time link by which a user sets password and second factor",
        body: NewLink,
        response: { 201: SignInLink },
      },
    },
    async (request, reply) => {
      const { user } = request.body;
      const { who } = principalOf(request);
      const target = user === undefined ? undefined : control.users.find(user);
      const link = await control.links.create(target, who);
      reply.code(201);
      return describeLink(parts, link);
    },
  );

  app.post(
    "/signout",
    {
      config: beforeSecondFactor(changes("self", "session.end")),
      schema: { summary: "Ends the session that asks", response: { 204: NoAnswer } },
    },
    async (request, reply) => {
      const { sessionId, who } = ownOf(request);
      await control.sessions.end(sessionId, who, () => true);
      cookie.clear(reply);
      return reply.code(204).send();
    },
  );
}

const NoAnswer = { description: "nothing" } as const;

export function describeLink(
  { baseUrl }: Pick<ApiParts, "baseUrl">,
  { token, expiresAtMs }: MadeLink,
): Static<typeof SignInLink> {
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
): Static<typeof Profile> {
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
