/** Where the browser sees the server: `https://logs.example.org`, without a slash at the end. */
import { isIP } from "node:net";
import type { FastifyRequest } from "fastify";
import type { PasskeyPlace } from "../../control/sign-in/passkey-checks.ts";
import { ServeError } from "../serve-error.ts";

type Asked = Pick<FastifyRequest, "protocol" | "headers">;

/** By --public-url, or by the Host that the guard has let in. */
export function pageBase({ protocol, headers }: Asked, publicBase: string | undefined): string {
  return publicBase ?? `${protocol}://${(headers.host ?? "").toLowerCase()}`;
}

/** Browsers have passkeys for names, and where nobody can listen. Throws `passkey_origin`. */
export function passkeyPlace(request: Asked, publicBase: string | undefined): PasskeyPlace {
  const base = pageBase(request, publicBase);
  const url = URL.parse(base);
  if (url !== null && maySeePasskeys(url)) return { origin: url.origin, rpId: url.hostname };
  throw new ServeError("passkey_origin", `the address is ${JSON.stringify(base.slice(0, 120))}`);
}

function maySeePasskeys({ protocol, hostname }: URL): boolean {
  if (hostname === "localhost") return true;
  const isName = /^[a-z0-9.-]+[a-z0-9]$/.test(hostname) && isIP(hostname) === 0;
  return protocol === "https:" && isName;
}
