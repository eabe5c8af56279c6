/**
 * One request from the first byte to the last: authorise, take the statement and its data in, run it, send the result
 * and the headers that `@clickhouse/client` reads. A caller that hangs up has its query killed.
 */
import { createReadStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { createGzip, createZstdCompress } from "node:zlib";
import { authorised } from "./engine-auth.ts";
import { bodyCoding, readText, spool } from "./engine-body.ts";
import { FaultError, faultOf } from "./engine-fault.ts";
import type { NativeResult } from "./engine-native.ts";
import { readMultipart, readRequest, type EngineRequest } from "./engine-request.ts";
import type { EngineRunner } from "./engine-runner.ts";
import { planInsert, planQuery, takesData, type Plan } from "./engine-statement.ts";

/** One request and all that answering it needs. */
interface Exchange {
  readonly runner: EngineRunner;
  readonly request: EngineRequest;
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** For the body of an insert or the result of a SELECT; removed afterwards. */
  readonly file: string;
  /** Fires when the caller hangs up. */
  readonly signal: AbortSignal;
}

export async function answer(
  runner: EngineRunner,
  password: string,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.on("close", () => gone.abort(new Error("the caller hung up")));
  try {
    if (!authorised(message, password))
      throw new FaultError(516, "AUTHENTICATION_FAILED", "Authentication failed");
    const path = (message.url ?? "/").split("?")[0];
    if (path === "/ping") response.end("Ok.\n");
    else if (path === "/") await answerQuery(runner, message, response, gone.signal);
    else
      sendFault(
        response,
        new FaultError(48, "NOT_IMPLEMENTED", "There is no such path"),
        runner.tempDir,
        404,
      );
  } catch (error) {
    sendFault(response, error, runner.tempDir);
  }
}

async function answerQuery(
  runner: EngineRunner,
  message: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const request = readRequest(message);
  response.setHeader("X-ClickHouse-Query-Id", request.queryId);
  response.setHeader("X-ClickHouse-Timezone", "UTC");
  const exchange = { runner, request, message, response, signal, file: runner.tempFile() };
  try {
    if (takesData(request.urlQuery) && !request.multipart) await answerInsert(exchange);
    else await answerStatement(exchange);
  } finally {
    await rm(exchange.file, { force: true });
  }
}

async function answerInsert(exchange: Exchange): Promise<void> {
  const { runner, request, message, response, file, signal } = exchange;
  const bytes = await spool(message, file);
  const plan = planInsert(request, file, bodyCoding(message));
  const result = bytes === 0 ? undefined : await runner.run(plan, request.jobId, signal);
  response.setHeader("X-ClickHouse-Summary", summary(result, true));
  response.end();
}

async function answerStatement(exchange: Exchange): Promise<void> {
  const { runner, message, response, file, signal } = exchange;
  const body = await readText(message);
  const mediaType = message.headers["content-type"] ?? "";
  const { multipart } = exchange.request;
  const request = multipart
    ? await readMultipart(exchange.request, body, mediaType)
    : exchange.request;
  const text = multipart ? request.urlQuery : `${request.urlQuery}${body.toString("utf8")}`;
  if (text.trim() === "") throw new FaultError(62, "SYNTAX_ERROR", "Empty query");
  // The binding ends a text there, and would run its first half.
  if (text.includes("\0")) {
    throw new FaultError(62, "SYNTAX_ERROR", "The query holds a NUL character");
  }
  const plan = planQuery(request, text, file);
  const result = await runner.run(plan, request.jobId, signal);
  response.setHeader("X-ClickHouse-Summary", summary(result, false));
  await sendResult({ ...exchange, request }, plan, result);
}

async function sendResult(
  { response, request, file }: Exchange,
  plan: Plan,
  result: NativeResult,
): Promise<void> {
  response.setHeader("X-ClickHouse-Format", plan.format);
  response.setHeader("Content-Type", contentType(plan.format));
  const source = plan.output === "file" ? createReadStream(file) : Readable.from([result.bytes]);
  if (request.responseCoding === undefined) {
    response.setHeader(
      "Content-Length",
      plan.output === "file" ? (await stat(file)).size : result.bytes.length,
    );
    await pipeline(source, response);
    return;
  }
  response.setHeader("Content-Encoding", request.responseCoding);
  await pipeline(
    source,
    request.responseCoding === "zstd" ? createZstdCompress() : createGzip({ level: 1 }),
    response,
  );
}

function sendFault(
  response: ServerResponse,
  error: unknown,
  hidePath: string,
  status?: number,
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const fault = faultOf(error, hidePath);
  for (const name of ["Content-Length", "Content-Encoding", "X-ClickHouse-Format"])
    response.removeHeader(name);
  response.writeHead(status ?? fault.status, {
    "X-ClickHouse-Exception-Code": String(fault.code),
    "Content-Type": "text/plain; charset=UTF-8",
  });
  response.end(`${fault.text}\n`);
}

/** The engine tells how many rows it read; for an insert these are the rows it wrote. */
function summary(result: NativeResult | undefined, insert: boolean): string {
  const rows = String(result?.rowsRead ?? 0);
  const bytes = String(result?.bytesRead ?? 0);
  return JSON.stringify({
    read_rows: rows,
    read_bytes: bytes,
    written_rows: insert ? rows : "0",
    written_bytes: insert ? bytes : "0",
    total_rows_to_read: "0",
    result_rows: insert ? rows : "0",
    result_bytes: insert ? bytes : "0",
    elapsed_ns: String(Math.round((result?.elapsed ?? 0) * 1e9)),
  });
}

function contentType(format: string): string {
  if (format.startsWith("JSON"))
    return format.includes("EachRow")
      ? "application/x-ndjson; charset=UTF-8"
      : "application/json; charset=UTF-8";
  if (format.startsWith("CSV")) return "text/csv; charset=UTF-8";
  if (format.startsWith("TabSeparated") || format.startsWith("TSV"))
    return "text/tab-separated-values; charset=UTF-8";
  return format === "Native" || format.startsWith("RowBinary")
    ? "application/octet-stream"
    : "text/plain; charset=UTF-8";
}
