/** What an agent sends, and what came back. */
import { BATCH_MEDIA_TYPE } from "../../src/ingest/http.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON, or undefined. */
  readonly body: Readonly<Record<string, unknown>>;
}

export function sendBatch(url: string, frame: Uint8Array): Promise<Answer> {
  return post(url, "batches", { body: frame, type: BATCH_MEDIA_TYPE });
}

export function sendJson(url: string, route: "enrol" | "head", body: unknown): Promise<Answer> {
  return post(url, route, { body: JSON.stringify(body), type: "application/json" });
}

export interface Post {
  readonly body: Uint8Array | string | ReadableStream;
  readonly type: string;
}

export async function post(url: string, route: string, { body, type }: Post): Promise<Answer> {
  const response = await fetch(`${url}/ingest/v1/${route}`, {
    method: "POST",
    headers: { "content-type": type },
    body,
    duplex: "half",
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: parse(text) };
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
