/** Requests that are wrong as HTTP: bytes for a raw socket, and what may be expected of the other side. */
import type { SeededRandom } from "../../src/std/seeded-random.ts";

export interface RawCase {
  readonly name: string;
  readonly bytes: Buffer;
  /** Half-closes after the bytes; else the connection stays open and the server must act. */
  readonly end: boolean;
  /** How many answers the bytes ask for. */
  readonly answers: number;
  /** Answered only once the server's patience with a body is over. */
  readonly slow?: true;
}

type RawMutation = (random: SeededRandom) => RawCase;

const TYPE = "content-type: application/vnd.tallystick.batch";

function request(headers: readonly string[], body: string | Buffer = ""): Buffer {
  const head = ["POST /ingest/v1/batches HTTP/1.1", "host: x", ...headers, "", ""].join("\r\n");
  return Buffer.concat([Buffer.from(head), Buffer.from(body)]);
}

function one(name: string, bytes: Buffer, end = false): RawCase {
  return { name, bytes, end, answers: 1 };
}

function slow(name: string, bytes: Buffer): RawCase {
  return { ...one(name, bytes), slow: true };
}

export const RAW_MUTATIONS: readonly [RawMutation, ...RawMutation[]] = [
  (random) =>
    one("noise", Buffer.concat([Buffer.from("\u0001"), random.bytes(1 + random.below(500))])),
  () => one("not http", Buffer.from("HELO mail.example.org\r\n\r\n")),
  () => one("http/2 preface", Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")),
  () => one("no host", Buffer.from("POST /ingest/v1/batches HTTP/1.1\r\n\r\n")),
  () => one("bad chunk size", request([TYPE, "transfer-encoding: chunked"], "zz\r\nabc\r\n")),
  () =>
    one(
      "huge chunk size",
      request([TYPE, "transfer-encoding: chunked"], "FFFFFFFFFFFFFFFFF\r\nabc"),
    ),
  () => one("chunk without end", request([TYPE, "transfer-encoding: chunked"], "3\r\nabcdef\r\n")),
  () => one("unknown coding", request([TYPE, "transfer-encoding: gzip"], "abc")),
  () => one("two lengths", request([TYPE, "content-length: 3", "content-length: 4"], "abcd")),
  () =>
    one(
      "both framings",
      request([TYPE, "content-length: 3", "transfer-encoding: chunked"], "0\r\n\r\n"),
    ),
  () => one("negative length", request([TYPE, "content-length: -1"])),
  () => one("absurd length", request([TYPE, "content-length: 99999999999999999999"])),
  () => one("too long", request([TYPE, `content-length: ${2 ** 33}`], "abc")),
  (random) => one("long header", request([`x: ${"y".repeat(20_000 + random.below(60_000))}`])),
  (random) =>
    one(
      "many headers",
      request(Array.from({ length: 2_000 + random.below(2_000) }, (_, at) => `x-${at}: y`)),
    ),
  () => one("header without name", request([": value"])),
  () => one("control character", request(["x: a\u0000b"])),
  () =>
    one(
      "bare newline smuggling",
      request(["x: a\nTransfer-Encoding: chunked", "content-length: 0"]),
    ),
  (random) =>
    one(
      "long path",
      Buffer.from(`POST /${"a".repeat(20_000 + random.below(9_000))} HTTP/1.1\r\nhost: x\r\n\r\n`),
    ),
  () =>
    one(
      "dots in path",
      Buffer.from("POST /ingest/v1/../v1/batches HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"),
    ),
  () =>
    one(
      "bad percent",
      Buffer.from("POST /ingest/v1/%zz%00 HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"),
    ),
  () => one("unknown method", Buffer.from("BREW /ingest/v1/batches HTTP/1.1\r\nhost: x\r\n\r\n")),
  () => one("trace", Buffer.from("TRACE /ingest/v1/batches HTTP/1.1\r\nhost: x\r\n\r\n")),
  () => one("connect", Buffer.from("CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n")),
  () => one("upgrade", request(["connection: upgrade", "upgrade: websocket", "content-length: 0"])),
  () => one("empty body", request([TYPE, "content-length: 0"])),
  () => one("expectation", request([TYPE, "expect: 200-maybe", "content-length: 0"])),
  () => one("cut body", request([TYPE, "content-length: 1000"], "abc"), true),
  () => slow("slow body", request([TYPE, "content-length: 1000"], "abc")),
  () => slow("slow chunks", request([TYPE, "transfer-encoding: chunked"], "3\r\nabc\r\n")),
  () => one("http/1.0", Buffer.from("POST /ingest/v1/batches HTTP/1.0\r\n\r\n")),
  (random) => {
    const answers = 2 + random.below(20);
    const single = request([TYPE, "content-length: 5"], "abcde");
    return {
      name: "pipelined",
      bytes: Buffer.concat(Array.from({ length: answers }, () => single)),
      end: false,
      answers,
    };
  },
];

/** Without `withSlow` none that takes as long as the server's patience. */
export function rawCase(random: SeededRandom, withSlow: boolean): RawCase {
  for (;;) {
    const found = random.pick(RAW_MUTATIONS)(random);
    if (withSlow || found.slow === undefined) return found;
  }
}
