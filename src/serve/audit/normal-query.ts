/** What a read asked for, as its audit entry says it, and as reads of the same fold. */
import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { QUERY_SHOWN_MAX } from "./limits.ts";

/** Parameters that turn pages, refresh or resume: the query is the same with and without. */
const PAGING = new Set(["cursor", "follow", "last_event_id", "limit", "parts", "field", "prefix"]);

export function normalQuery({ query, body }: Pick<FastifyRequest, "query" | "body">): string {
  return shortened(textOf(query, body), QUERY_SHOWN_MAX);
}

/** What is left out is named by the hash of the whole, so that what reads differently is told apart. */
export function shortened(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const hash = createHash("sha256").update(text).digest("hex");
  return `${text.slice(0, charsMax)} … of ${text.length} characters, SHA-256 ${hash}`;
}

function textOf(query: unknown, body: unknown): string {
  if (typeof body === "object" && body !== null) return JSON.stringify(body);
  const entries = Object.entries((query ?? {}) as Record<string, unknown>)
    .filter(([name]) => !PAGING.has(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, value]) => `${name}=${[value].flat().join(",")}`).join("&");
}
