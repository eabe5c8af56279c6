/**
 * One request from the first byte to the last: authorise, take the statement and its data in, run it, send the result
 * and the headers that `@clickhouse/client` reads. A caller that hangs up has its query killed.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { Readable, Transform } from "node:stream";
import {
  createBrotliDecompress,
  createGunzip,
  createGzip,
  createInflate,
  createZstdCompress,
  createZstdDecompress,
} from "node:zlib";
import { authorised } from "./engine-auth.ts";
import { FaultError, faultOf } from "./engine-fault.ts";
import type { NativeResult } from "./engine-native.ts";
import { readMultipart, readRequest, type EngineRequest } from "./engine-request.ts";
import type { EngineRunner } from "./engine-runner.ts";
import {
  planInsert,
  planQuery,
  takesData,
  type BodyCoding,
  type Plan,
} from "./engine-statement.ts";

/** Bounds of one request's body: data of an insert as it travels, and statement text. */
const dataMaxBytes = 2 * 1024 ** 3;
const textMaxBytes = 16 * 1024 ** 2;

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
  const file = runner.tempFile();
  try {
    if (takesData(request.urlQuery) && !request.multipart)
      await answerInsert(runner, request, message, response, file, signal);
    else await answerStatement(runner, request, message, response, file, signal);
  } finally {
    await rm(file, { force: true });
  }
}

async function answerInsert(
  runner: EngineRunner,
  request: EngineRequest,
  message: IncomingMessage,
  response: ServerResponse,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const bytes = await spool(message, file);
  if (bytes === 0) {
    response.setHeader("X-ClickHouse-Summary", summary(undefined, true));
    response.end();
    return;
  }
  const result = await runner.run(
    planInsert(request, file, bodyCoding(message)),
    request.jobId,
    signal,
  );
  response.setHeader("X-ClickHouse-Summary", summary(result, true));
  response.end();
}

async function answerStatement(
  runner: EngineRunner,
  request: EngineRequest,
  message: IncomingMessage,
  response: ServerResponse,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const body = await readText(message);
  const complete = request.multipart
    ? await readMultipart(request, body, message.headers["content-type"] ?? "")
    : request;
  const text = request.multipart
    ? complete.urlQuery
    : `${complete.urlQuery}${body.toString("utf8")}`;
  if (text.trim() === "") throw new FaultError(62, "SYNTAX_ERROR", "Empty query");
  const plan = planQuery(complete, text, file);
  const result = await runner.run(plan, complete.jobId, signal);
  response.setHeader("X-ClickHouse-Summary", summary(result, false));
  await sendResult(response, complete, plan, result, file);
}

async function sendResult(
  response: ServerResponse,
  request: EngineRequest,
  plan: Plan,
  result: NativeResult,
  file: string,
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

/** Writes an insert's body to `file` as it came, compressed or not; the engine unpacks it. */
async function spool(message: IncomingMessage, file: string): Promise<number> {
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > dataMaxBytes)
        done(new FaultError(307, "TOO_MANY_BYTES", "The body is larger than 2 GiB"));
      else done(null, chunk);
    },
  });
  await pipeline(
    message,
    counted,
    createWriteStream(file, { mode: 0o600, highWaterMark: 1024 * 1024 }),
  );
  return bytes;
}

async function readText(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of decoded(message) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > textMaxBytes)
      throw new FaultError(307, "TOO_MANY_BYTES", "The statement is larger than 16 MiB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function decoded(message: IncomingMessage): Readable {
  const coding = bodyCoding(message);
  const decoders = {
    gzip: createGunzip,
    zstd: createZstdDecompress,
    deflate: createInflate,
    br: createBrotliDecompress,
  };
  if (coding === "none") return message;
  const decoder = decoders[coding]();
  message.on("error", (error) => decoder.destroy(error));
  return message.pipe(decoder);
}

function bodyCoding(message: IncomingMessage): BodyCoding {
  const coding = message.headers["content-encoding"] ?? "identity";
  if (coding === "identity") return "none";
  if (coding === "gzip" || coding === "zstd" || coding === "deflate" || coding === "br")
    return coding;
  throw new FaultError(48, "NOT_IMPLEMENTED", "Unknown content-encoding");
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
