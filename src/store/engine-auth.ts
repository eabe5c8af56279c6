/**
 * The embedded engine's door: any program of the machine can reach a port on loopback, so each request must carry the secret
 * that the supervisor drew at random and handed over by a pipe.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

export const engineUser = "default";

/** True for Basic authorisation or the `X-ClickHouse-User`/`-Key` pair with the right password. The comparison takes the same time for all. */
export function authorised(message: IncomingMessage, password: string): boolean {
  const given = credentials(message);
  return (
    given !== undefined &&
    given.user === engineUser &&
    timingSafeEqual(digest(given.password), digest(password))
  );
}

function credentials(message: IncomingMessage): { user: string; password: string } | undefined {
  const basic = /^Basic (?<base64>[A-Za-z0-9+/=]+)$/i.exec(message.headers.authorization ?? "")
    ?.groups?.["base64"];
  if (basic !== undefined) {
    const text = Buffer.from(basic, "base64").toString("utf8");
    const colon = text.indexOf(":");
    return { user: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  const key = message.headers["x-clickhouse-key"];
  const user = message.headers["x-clickhouse-user"] ?? engineUser;
  return typeof key === "string" && typeof user === "string" ? { user, password: key } : undefined;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
