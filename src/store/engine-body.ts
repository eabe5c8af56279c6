/**
 * A request's body: the data of an insert goes to a file as it came, statement text into memory. Both are bounded.
 */
import { createWriteStream } from "node:fs";
import type { IncomingMessage } from "node:http";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from "node:zlib";
import { FaultError } from "./engine-fault.ts";
import type { BodyCoding } from "./engine-statement.ts";

/** As the bytes travel; the engine bounds what it unpacks by its memory. */
const dataMaxBytes = 2 * 1024 ** 3;
const textMaxBytes = 16 * 1024 ** 2;

/** Resolves with the number of bytes. Writes an insert's body to `file` as it came, compressed or not; the engine unpacks it. */
export async function spool(message: IncomingMessage, file: string): Promise<number> {
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

export async function readText(message: IncomingMessage): Promise<Buffer> {
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

export function bodyCoding(message: IncomingMessage): BodyCoding {
  const coding = message.headers["content-encoding"] ?? "identity";
  if (coding === "identity") return "none";
  if (coding === "gzip" || coding === "zstd" || coding === "deflate" || coding === "br")
    return coding;
  throw new FaultError(48, "NOT_IMPLEMENTED", "Unknown content-encoding");
}
