/** The uplink against servers that are not what they should be. */
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttp, type RequestListener } from "node:http";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, createServer as createTcp, type Server } from "node:net";
import { test } from "node:test";
import { Uplink } from "../../src/agent/ship/uplink.ts";
import { makeSelfSigned } from "../../src/serve/tls/self-signed.ts";

const BASE = { allowHttp: false, version: "0.0.0" };

async function port(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function answered(listener: RequestListener): Promise<unknown> {
  const server = createHttp(listener);
  const uplink = new Uplink({ ...BASE, server: `http://127.0.0.1:${await port(server)}` });
  const answer = await uplink.post("/x", {});
  uplink.close();
  server.close();
  return answer;
}

const answerWith =
  (status: number, body: string, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(status, headers);
    response.end(body);
  };

test("a certificate is compared before anything is sent", async () => {
  const { certificatePem, keyPem } = await makeSelfSigned(["127.0.0.1"], Date.now());
  const paths: (string | undefined)[] = [];
  const server = createHttps({ cert: certificatePem, key: keyPem }, (request, response) => {
    paths.push(request.url);
    response.end("{}");
  });
  const url = `https://127.0.0.1:${await port(server)}`;
  const fingerprint = createHash("sha256").update(new X509Certificate(certificatePem).raw).digest();
  const good = new Uplink({ ...BASE, server: url, fingerprint });
  for (const path of ["/one", "/two"]) {
    assert.deepEqual(await good.post(path, {}), { outcome: "ok", body: {} });
  }
  const other = new Uplink({ ...BASE, server: url, fingerprint: Buffer.alloc(32, 1) });
  const refused = await other.post("/stolen", {});
  assert.equal(refused.outcome, "later");
  assert.match(JSON.stringify(refused), /wrong_certificate/);
  const authorities = new Uplink({ ...BASE, server: url });
  assert.equal((await authorities.post("/unsigned", {})).outcome, "later");
  assert.deepEqual(paths, ["/one", "/two"]);
  for (const uplink of [good, other, authorities]) uplink.close();
  server.close();
});

test("a server that never shakes hands holds up neither a request nor the end of the run", async (t) => {
  const closed: Promise<void>[] = [];
  const silent = createTcp((socket) => {
    // However it ends: where bytes were not read, it is reset.
    socket.on("error", () => undefined).resume();
    closed.push(new Promise((resolve) => void socket.once("close", () => resolve())));
  });
  const server = `https://127.0.0.1:${await port(silent)}`;
  const uplink = new Uplink({ ...BASE, server, fingerprint: Buffer.alloc(32, 1) });
  t.after(() => {
    uplink.close();
    silent.close();
  });
  const stop = new AbortController();
  const answer = uplink.post("/x", {}, stop.signal);
  await once(silent, "connection");
  stop.abort(new Error("SIGTERM"));
  assert.deepEqual(await answer, { outcome: "later", reason: "SIGTERM" });
  // The connection goes with the request: the next one makes its own.
  await closed[0];
  const next = uplink.post("/y", {});
  await once(silent, "connection");
  uplink.close();
  assert.equal((await next).outcome, "later");
  await closed[1];
});

test("only a refusal in our own words is one", async () => {
  const problem = JSON.stringify({ status: 409, code: "fork", detail: "d" });
  await check(answerWith(409, problem), {
    outcome: "refused",
    status: 409,
    code: "fork",
    detail: "d",
  });
  await check(answerWith(404, "<html>"), { outcome: "later", reason: "HTTP status 404" });
  await check(answerWith(200, "<html>"), { outcome: "later", reason: "HTTP status 200" });
  await check(answerWith(302, "", { location: "/" }), {
    outcome: "later",
    reason: "HTTP status 302",
  });
  const busy = JSON.stringify({ code: "busy" });
  const wait = { outcome: "later", reason: "busy", retryAfterMs: 7000 };
  await check(answerWith(429, busy, { "retry-after": "7" }), wait);
  await check(answerWith(503, busy, { "retry-after": "soon" }), {
    outcome: "later",
    reason: "busy",
  });
});

test("an endless answer ends", async () => {
  const answer = await answered((_request, response) => {
    response.on("error", () => undefined);
    response.write(Buffer.alloc(1024 * 1024, 32));
  });
  assert.match(JSON.stringify(answer), /longer than 65536 bytes/);
});

test("nobody there", async () => {
  const server = createHttp();
  const url = `http://127.0.0.1:${await port(server)}`;
  server.close();
  await once(server, "close");
  const uplink = new Uplink({ ...BASE, server: url });
  assert.match(JSON.stringify(await uplink.post("/x", {})), /ECONNREFUSED/);
});

test("plain http beyond this machine has to be allowed", () => {
  assert.throws(open("http://logs.example:8255"), { code: "insecure_server" });
  assert.throws(open("http://127.evil.example"), { code: "insecure_server" });
  assert.throws(open("logs.example"), { code: "bad_option" });
  for (const server of [
    "http://127.0.0.1:1",
    "http://[::1]:1",
    "http://localhost:1",
    "https://a.b",
  ]) {
    open(server)().close();
  }
  open("http://logs.example:8255", true)().close();
});

async function check(listener: RequestListener, expected: unknown): Promise<void> {
  assert.deepEqual(await answered(listener), expected);
}

function open(server: string, allowHttp = false): () => Uplink {
  return () => new Uplink({ ...BASE, server, allowHttp });
}
