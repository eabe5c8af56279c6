/** Where the browser sees the server: `https://logs.example.org`, without a slash at the end. */
import type { FastifyRequest } from "fastify";

/** By --public-url, or by the Host that the guard has let in. */
export function pageBase(
  { protocol, headers }: Pick<FastifyRequest, "protocol" | "headers">,
  publicBase: string | undefined,
): string {
  return publicBase ?? `${protocol}://${(headers.host ?? "").toLowerCase()}`;
}
