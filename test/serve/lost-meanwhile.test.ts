/** Whoever loses a right while the body of a request is still on its way has lost it for that request too. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { JSON_TYPE, Person } from "./person.ts";
import { ServerProcess } from "./server-process.ts";

let server: ServerProcess;
before(async () => {
  server = await ServerProcess.start();
});
after(() => server[Symbol.asyncDispose]());

type Headers = Readonly<Record<string, string>>;

/** The server has the headers and let them in; the body follows when it is asked for. */
async function begun(path: string, headers: Headers, body: object) {
  const { hostname, port } = new URL(server.url);
  const json = JSON.stringify(body);
  const length = { "content-length": String(Buffer.byteLength(json)), expect: "100-continue" };
  const options = { hostname, port, path, method: "POST", agent: false };
  const call = request({ ...options, headers: { ...headers, ...JSON_TYPE, ...length } });
  const answer = once(call, "response") as Promise<[IncomingMessage]>;
  answer.catch(() => undefined);
  call.flushHeaders();
  await once(call, "continue");
  return async (): Promise<{ status: number; text: string }> => {
    call.end(json);
    const [response] = await answer;
    return { status: response.statusCode ?? 0, text: await text(response) };
  };
}

async function owner(name: string): Promise<Person> {
  return Person.join(server, name, "owner");
}

const made = (name: string) => ({ name, role: "owner" });

describe("a change whose body comes later", () => {
  it("is made where nothing has changed", async () => {
    const ada = await owner("ada");
    const send = await begun("/api/v1/users", ada.headers, made("ben"));
    assert.equal((await send()).status, 201);
  });

  it("is refused to a session that ended meanwhile", async () => {
    const mallory = await owner("mallory");
    const send = await begun("/api/v1/users", mallory.headers, made("accomplice-1"));
    assert.equal((await server.call("POST", "/api/v1/users/mallory/disable")).status, 200);
    const { status, text: said } = await send();
    assert.deepEqual([status, JSON.parse(said).code], [401, "unauthorized"]);
  });

  it("is refused to a token whose user may less meanwhile, and that is on record", async () => {
    const trudy = await owner("trudy");
    const authorization = `Bearer ${await trudy.token()}`;
    const send = await begun("/api/v1/users", { authorization }, made("accomplice-2"));
    const role = { role: "viewer" };
    assert.equal((await server.call("POST", "/api/v1/users/trudy/role", role)).status, 200);
    const { status, text: said } = await send();
    assert.deepEqual([status, JSON.parse(said).code], [403, "forbidden"]);
    const { body } = await server.call<{ items: { name: string }[] }>("GET", "/api/v1/users");
    assert.ok(!body.items.some(({ name }) => name.startsWith("accomplice")));
    const refused = "/api/v1/audit?action=user.create&where=outcome:refused";
    await server.until(
      () => server.call<{ items: { actor: string; code: string }[] }>("GET", refused),
      (answer) => answer.body.items.some((item) => item.actor === "trudy/test"),
    );
  });
});
