/**
 * Writes that a browser sends with a session must come from the server's own pages. A form of another
 * site cannot send JSON, and the browser says by `Sec-Fetch-Site` or `Origin` where a script is from.
 */
import type { FastifyRequest } from "fastify";
import { ServeError } from "../serve-error.ts";

type Headed = Pick<FastifyRequest, "headers" | "protocol" | "method">;

/** Of a request that a cookie vouches for. Throws `cross_site`. `publicOrigin` is that of --public-url. */
export function checkSameSite(request: Headed, publicOrigin: string | undefined): void {
  check(request, publicOrigin, false);
}

/**
 * Of a request to sign in, which programs send too: they say nothing of sites. A navigation may come
 * from anywhere: the OpenID provider sends the browser back by one. Throws `cross_site`.
 */
export function checkNotForeign(request: Headed, publicOrigin: string | undefined): void {
  check(request, publicOrigin, true);
}

/** `unsaid`: what counts where the request says nothing of where it is from. */
function check(request: Headed, publicOrigin: string | undefined, unsaid: boolean): void {
  if (request.method === "GET" || request.method === "HEAD") return;
  checkJson(request);
  if (!isFromHere(request, publicOrigin, unsaid)) {
    throw new ServeError("cross_site", `the request is from ${placeOf(request)}`);
  }
}

function checkJson({ headers }: Headed): void {
  const type = headers["content-type"] ?? "";
  if (/^application\/json *(?:;|$)/i.test(type)) return;
  throw new ServeError("cross_site", "the request has no content-type: application/json");
}

function isFromHere(request: Headed, publicOrigin: string | undefined, unsaid: boolean): boolean {
  const { headers, protocol } = request;
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site === "same-origin";
  const { origin } = headers;
  if (origin === undefined) return unsaid;
  const own = `${protocol}://${headers.host}`.toLowerCase();
  return origin.toLowerCase() === own || origin.toLowerCase() === publicOrigin;
}

function placeOf({ headers }: Headed): string {
  const said = headers["sec-fetch-site"] ?? headers.origin;
  return said === undefined ? "nobody knows where" : JSON.stringify(said.slice(0, 80));
}
