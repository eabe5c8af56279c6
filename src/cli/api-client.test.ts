import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, it } from "node:test";
import { ApiClient } from "./api-client.ts";

/** Answers with the status that the path names. */
const server = createServer((request, response) => {
  const status = Number(request.url?.split("/").at(-1));
  response.writeHead(status).end(JSON.stringify({ code: "c", title: "t", detail: "d", hint: "h" }));
});
let url: URL;
before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
after(() => server.close());

const outcomes: [status: number, mayPass: boolean | undefined][] = [
  [200, undefined],
  [400, false],
  [401, false],
  [404, false],
  [429, true],
  [500, true],
  [502, true],
  [503, true],
];
for (const [status, mayPass] of outcomes) {
  it(`${status} ${mayPass === undefined ? "is an answer" : `may ${mayPass ? "" : "not "}pass`}`, async () => {
    const api = new ApiClient(() => ({ url, token: "t" }));
    const outcome = await api.ask("GET /nodes/{id}", { params: { id: String(status) } });
    api.close();
    assert.equal(outcome.ok ? undefined : outcome.mayPass, mayPass);
  });
}

const NOWHERE = new URL("http://127.0.0.1:9");
const advice: [dataDir: string | undefined, todo: RegExp][] = [
  [undefined, /\(.*ECONNREFUSED.*\), check TALLYSTICK_URL and that the server runs$/],
  ["/var/lib/x", /\(.*ECONNREFUSED.*\), check that the server of --data \/var\/lib\/x runs$/],
];
for (const [dataDir, todo] of advice) {
  it(`advises who cannot reach a server, with --data ${dataDir}`, async () => {
    const more = dataDir === undefined ? {} : { dataDir };
    const api = new ApiClient(() => ({ url: NOWHERE, token: "t", ...more }));
    await assert.rejects(api.call("GET /status"), todo);
    const outcome = await api.ask("GET /status");
    assert.ok(!outcome.ok && outcome.mayPass);
  });
}
