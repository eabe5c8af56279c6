/** `/api/v1/signin/oidc`: to the OpenID provider and back, and `/signin/methods`, what ways in there are. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { pageBase, passkeyPlace } from "../access/page-base.ts";
import { changes, OPEN } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";
import { beginAtProvider, provenAtProvider } from "../oidc/sign-in-at-provider.ts";
import { ServeError } from "../serve-error.ts";
import { signInPlace } from "./sign-in.ts";

const CALLBACK = "/api/v1/signin/oidc/callback";

/** A provider that hangs must not have all of the server's connections wait for it. */
const EXCHANGES_MAX = 16;

export function oidcRoutes(api: ApiScope, parts: ApiParts): void {
  api.route("GET /signin/methods", OPEN, (request) => {
    const oidc = parts.control.oidcRules.get();
    return {
      password: true,
      passkey: hasPasskeys(request, parts),
      oidc: oidc === undefined ? null : { label: oidc.label },
    };
  });

  api.route(
    "GET /signin/oidc",
    { access: "sign-in", audit: "none", page: true },
    async (request, reply) => {
      const { url, flow } = await beginAtProvider(parts.control.oidcRules.required(), {
        redirectUri: redirectUri(request, parts),
        next: request.query.next ?? "/",
      });
      parts.oidc.flows.set(reply, flow);
      return reply.redirect(url, 303);
    },
  );

  const comeBack = callbackOf(parts);
  api.route(
    "GET /signin/oidc/callback",
    { ...changes("sign-in", "session.create"), page: true },
    comeBack,
  );
}

function callbackOf(parts: ApiParts) {
  const { control, throttle, cookie, clock, oidc } = parts;
  let exchanges = 0;
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const place = { ...signInPlace(request), origin: "console" } as const;
    const attempt = { address: place.address };
    throttle.begin(attempt);
    const { search, searchParams } = new URL(request.url, "http://localhost");
    oidc.flows.clear(reply);
    const flow = oidc.flows.use(request, searchParams.get("state"));
    if (exchanges >= EXCHANGES_MAX) {
      throw new ServeError("signin_throttled", "too many sign in at once", { retryAfterS: 10 });
    }
    exchanges++;
    try {
      const stored = control.oidcRules.required();
      const person = await provenAtProvider(stored, { flow, search, fetch: oidc.fetch });
      const { session, secret } = await control.oidcSignIn.begin(person, place);
      throttle.succeeded(attempt);
      cookie.set(reply, secret, session.expiresAtMs - clock.nowMs());
    } finally {
      exchanges--;
    }
    return reply.redirect(consoleUrl(flow), 303);
  };
}

/** Of the console as the browser sees it, which the address to come back to begins with. */
function consoleUrl({ redirectUri: uri, next }: { redirectUri: string; next: string }): string {
  const base = uri.slice(0, -CALLBACK.length);
  const url = new URL(`${base}${next}`);
  // A second lock: the form of `next` lets nothing else through.
  return url.origin === new URL(base).origin ? url.href : base;
}

function hasPasskeys(request: FastifyRequest, { publicBase }: ApiParts): boolean {
  try {
    passkeyPlace(request, publicBase);
    return true;
  } catch {
    return false;
  }
}

/** Where the provider sends the browser back to. */
export function redirectUri(
  request: Pick<FastifyRequest, "protocol" | "headers">,
  { publicBase }: Pick<ApiParts, "publicBase">,
): string {
  return `${pageBase(request, publicBase)}${CALLBACK}`;
}
