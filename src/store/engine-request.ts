/**
 * What a request of ClickHouse's HTTP interface asks for: the statement, and the settings and parameters that travel in its URL
 * (https://clickhouse.com/docs/interfaces/http). The statement is in `query`, in the body, or begins in the one and
 * ends in the other; a multipart body carries long parameters. Nothing here touches the engine.
 */
import type { IncomingMessage } from "node:http";
import { randomUUID } from "node:crypto";
import { FaultError } from "./engine-fault.ts";

export interface EngineRequest {
  /** Statement text of the URL; for an insert the body then is its data. */
  readonly urlQuery: string;
  readonly queryId: string;
  /** Ours and unique, unlike the client's query id: the query is found by it when it must be killed. */
  readonly jobId: string;
  readonly database: string | undefined;
  readonly defaultFormat: string;
  readonly settings: ReadonlyMap<string, string>;
  /** Values of `{name:Type}` in the text, in the engine's escaped form, as they travel. */
  readonly params: ReadonlyMap<string, string>;
  /** Response coding that the client both asked for and accepts. */
  readonly responseCoding: "gzip" | "zstd" | undefined;
  readonly multipart: boolean;
}

/** Meant for ClickHouse's own server, not for the engine behind it. */
const serverOnly = new Set([
  "query",
  "database",
  "default_format",
  "query_id",
  "user",
  "password",
  "quota_key",
  "role",
  "wait_end_of_query",
  "buffer_size",
  "enable_http_compression",
  "compress",
  "decompress",
  "session_timeout",
  "session_check",
  "client_protocol_version",
  "http_compression",
]);

const settingName = /^[a-z0-9_]+$/;
const paramName = /^[A-Za-z0-9_]+$/;

/** Fails with 48 for server-side sessions (each request has a connection of its own) and 115 for what cannot be a setting's name. */
export function readRequest(message: IncomingMessage): EngineRequest {
  const url = new URL(message.url ?? "/", "http://engine");
  const settings = new Map<string, string>();
  const params = new Map<string, string>();
  for (const [name, value] of url.searchParams) sortParameter(name, value, settings, params);
  if (message.method === "GET" && !settings.has("readonly")) settings.set("readonly", "2");
  return {
    urlQuery: url.searchParams.get("query") ?? "",
    queryId: url.searchParams.get("query_id") ?? randomUUID(),
    jobId: randomUUID(),
    database: headerOr(message, "x-clickhouse-database", url.searchParams.get("database")),
    defaultFormat: formatName(
      headerOr(message, "x-clickhouse-format", url.searchParams.get("default_format")) ??
        "TabSeparated",
    ),
    settings,
    params,
    responseCoding: responseCoding(
      message,
      url.searchParams.get("enable_http_compression") === "1",
    ),
    multipart: (message.headers["content-type"] ?? "").startsWith("multipart/form-data"),
  };
}

function sortParameter(
  name: string,
  value: string,
  settings: Map<string, string>,
  params: Map<string, string>,
): void {
  if (name === "session_id")
    throw new FaultError(
      48,
      "NOT_IMPLEMENTED",
      "Sessions are not supported by the embedded engine",
    );
  if (name.startsWith("param_")) {
    const bare = name.slice("param_".length);
    if (!paramName.test(bare))
      throw new FaultError(456, "UNKNOWN_QUERY_PARAMETER", "Bad name of a query parameter");
    params.set(bare, value);
  } else if (!serverOnly.has(name)) {
    if (!settingName.test(name))
      throw new FaultError(115, "UNKNOWN_SETTING", "Bad name of a setting");
    settings.set(name, value);
  }
}

function headerOr(
  message: IncomingMessage,
  name: string,
  value: string | null,
): string | undefined {
  const header = message.headers[name];
  return value ?? (typeof header === "string" ? header : undefined);
}

function formatName(name: string): string {
  if (!/^[A-Za-z0-9_]+$/.test(name))
    throw new FaultError(73, "UNKNOWN_FORMAT", "Bad name of a format");
  return name;
}

function responseCoding(message: IncomingMessage, wanted: boolean): "gzip" | "zstd" | undefined {
  if (!wanted) return undefined;
  const accepted = message.headers["accept-encoding"] ?? "";
  if (accepted.includes("zstd")) return "zstd";
  return accepted.includes("gzip") ? "gzip" : undefined;
}

/** The parts of a multipart body: its `query` and `param_…` fields win over the URL's. Fails with 36 for a body that is none. */
export async function readMultipart(
  request: EngineRequest,
  body: Buffer,
  contentType: string,
): Promise<EngineRequest> {
  const form = await new Response(new Uint8Array(body), {
    headers: { "content-type": contentType },
  })
    .formData()
    .catch(() => {
      throw new FaultError(36, "BAD_ARGUMENTS", "Malformed multipart body");
    });
  const params = new Map(request.params);
  let urlQuery = request.urlQuery;
  for (const [name, value] of form) {
    if (typeof value !== "string") continue;
    if (name === "query") urlQuery = value;
    else if (name.startsWith("param_")) sortParameter(name, value, new Map(), params);
  }
  return { ...request, urlQuery, params };
}
