/** Well-formed HTTP that asks for the wrong thing. */
import { BATCH_MEDIA_TYPE } from "../../src/ingest/http.ts";
import type { SeededRandom } from "../../src/std/seeded-random.ts";

export interface OddRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const METHODS = ["POST", "GET", "PUT", "PATCH", "DELETE", "OPTIONS", "POST", "POST"] as const;
const PATHS = [
  "/ingest/v1/batches",
  "/ingest/v1/head",
  "/ingest/v1/enrol",
  "/ingest/v1/nothing",
  "/ingest/v1/batches/",
  "/ingest/v1/head?x=%00",
  "/ingest/v1//batches",
] as const;
const TYPES = [
  BATCH_MEDIA_TYPE,
  "application/json",
  "application/json; charset=utf-16",
  "text/plain",
  "multipart/form-data; boundary=x",
  "nonsense",
  "a/".repeat(200),
] as const;
const BODIES = [
  "",
  "{}",
  "null",
  "[]",
  '"text"',
  "{",
  '{"node":1}',
  '{"node":"00","nonce":"AA","signature":"AA"}',
  '{"__proto__":{"node":"x"},"nonce":null}',
  `{"node":"${"0".repeat(32)}","nonce":"${"A".repeat(22)}","signature":"${"A".repeat(86)}"}`,
  `{"keyId":"AAAAAAAA","secret":"${"A".repeat(32)}","publicKey":"${"A".repeat(43)}","name":"n","signature":"${"A".repeat(86)}"}`,
  `{"name":"${"n".repeat(5_000)}"}`,
  "[".repeat(4_000),
] as const;

export function oddRequest(random: SeededRandom): OddRequest {
  const headers: Record<string, string> = {};
  if (random.chance(0.9)) headers["content-type"] = random.pick(TYPES);
  if (random.chance(0.1)) headers["content-encoding"] = "gzip";
  if (random.chance(0.1)) headers["x-forwarded-for"] = "1.2.3.4, ' OR 1=1";
  const body = random.chance(0.1)
    ? random.bytes(random.below(6_000))
    : Buffer.from(random.pick(BODIES));
  return { method: random.pick(METHODS), path: random.pick(PATHS), headers, body };
}
