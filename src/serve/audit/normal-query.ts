/** What a read asked for, as its audit entry says it, and as reads of the same fold. */
import type { FastifyRequest } from "fastify";
import { QUERY_SHOWN_MAX } from "./limits.ts";

/** Parameters that turn pages, refresh or resume: the query is the same with and without. */
const PAGING = new Set(["cursor", "follow", "last_event_id", "limit", "parts", "field", "prefix"]);

export function normalQuery({ query, body }: Pick<FastifyRequest, "query" | "body">): string {
  return textOf(query, body).slice(0, QUERY_SHOWN_MAX);
}

function textOf(query: unknown, body: unknown): string {
  if (typeof body === "object" && body !== null) return JSON.stringify(body);
  const entries = Object.entries((query ?? {}) as Record<string, unknown>)
    .filter(([name]) => !PAGING.has(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, value]) => `${name}=${[value].flat().join(",")}`).join("&");
}
