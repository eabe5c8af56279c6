/**
 * The session's cookie. No script reads it, no other site's form sends it with a write, and under TLS
 * no other host of the same domain can plant one (`__Host-`).
 */
import type { FastifyReply, FastifyRequest } from "fastify";

export class SessionCookie {
  readonly name: string;
  readonly #attributes: string;

  /** `isSecure`: people reach the server by https. */
  constructor(isSecure: boolean) {
    this.name = isSecure ? "__Host-tallystick" : "tallystick";
    this.#attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure ? "; Secure" : ""}`;
  }

  read(request: Pick<FastifyRequest, "headers">): string | undefined {
    return readCookie(request, this.name);
  }

  set(reply: FastifyReply, secret: string, maxAgeMs: number): void {
    const age = Math.floor(maxAgeMs / 1_000);
    reply.header("set-cookie", `${this.name}=${secret}; Max-Age=${age}; ${this.#attributes}`);
  }

  clear(reply: FastifyReply): void {
    reply.header("set-cookie", `${this.name}=; Max-Age=0; ${this.#attributes}`);
  }
}

export function readCookie(
  { headers }: Pick<FastifyRequest, "headers">,
  name: string,
): string | undefined {
  const start = `${name}=`;
  const pairs = (headers.cookie ?? "").split(";").map((pair) => pair.trim());
  const values = pairs.filter((pair) => pair.startsWith(start));
  // Two of one name: somebody planted one, and nobody can tell which.
  return values.length === 1 ? values[0]?.slice(start.length) : undefined;
}
