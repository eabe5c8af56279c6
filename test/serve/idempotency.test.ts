/** A change asked for again by the same key: made once, answered the same, also after a restart. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Person } from "./person.ts";
import { ServerProcess } from "./server-process.ts";

const dir = mkdtempSync(join(tmpdir(), "tallystick-idempotency-"));
let server: ServerProcess;
before(async () => {
  server = await ServerProcess.start([], dir);
});
after(async () => {
  await server.stop();
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

interface Told {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly replayed: string | null;
}

type Request = readonly [method: string, path: string, body?: object];

async function ask(
  [method, path, body]: Request,
  key: string,
  headers: Readonly<Record<string, string>> = { authorization: `Bearer ${server.token}` },
): Promise<Told> {
  const response = await fetch(new URL(`/api/v1${path}`, server.url), {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      "idempotency-key": key,
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const replayed = response.headers.get("idempotency-replayed");
  return {
    status: response.status,
    body: (text === "" ? {} : JSON.parse(text)) as Told["body"],
    replayed,
  };
}

async function keyIds(): Promise<unknown[]> {
  const { body } = await server.call<{ items: { id: string }[] }>("GET", "/api/v1/keys");
  return body.items.map(({ id }) => id);
}

const NEW_KEY: Request = ["POST", "/keys", { tags: ["a"] }];

describe("a change with an Idempotency-Key", () => {
  it("is made once and answered the same, without its secret and saying so", async () => {
    const known = await keyIds();
    const first = await ask(NEW_KEY, "k-1");
    assert.deepEqual([first.status, first.replayed], [201, null]);
    assert.match(String(first.body["key"]), /^tsk/);
    for (const _ of [1, 2]) {
      const again = await ask(NEW_KEY, "k-1");
      assert.deepEqual(again, {
        status: 201,
        body: { ...first.body, key: null },
        replayed: "without-secrets",
      });
    }
    assert.equal((await keyIds()).length, known.length + 1);
  });

  it("is answered the same after a restart, also where nothing is left to change", async () => {
    const made = await ask(NEW_KEY, "k-2");
    const revoke: Request = ["DELETE", `/keys/${String(made.body["id"])}`];
    const revoked = await ask(revoke, "k-3");
    await server.stop();
    server = await ServerProcess.start([], dir);
    const again = [await ask(NEW_KEY, "k-2"), await ask(revoke, "k-3")];
    assert.deepEqual(again, [
      { ...made, body: { ...made.body, key: null }, replayed: "without-secrets" },
      { ...revoked, replayed: "true" },
    ]);
  });

  it("is made once by many at a time; the others are told that it is under way", async () => {
    const known = await keyIds();
    const told = await Promise.all(Array.from({ length: 20 }, () => ask(NEW_KEY, "k-4")));
    const made = told.filter(({ status, replayed }) => status === 201 && replayed === null);
    assert.equal(made.length, 1);
    for (const { status, body, replayed } of told) {
      if (status === 201) continue;
      assert.deepEqual([status, body["code"], replayed], [409, "idempotency_in_progress", null]);
    }
    assert.equal((await keyIds()).length, known.length + 1);
    assert.equal((await ask(NEW_KEY, "k-4")).status, 201);
  });

  const others: [title: string, request: Request][] = [
    ["another body", ["POST", "/keys", { tags: ["b"] }]],
    ["another path", ["POST", "/nodes/nobody/revoke"]],
    ["another method", ["DELETE", "/keys/nothing"]],
  ];
  for (const [title, request] of others) {
    it(`is not taken for one with ${title}`, async () => {
      await ask(NEW_KEY, "k-5");
      const { status, body } = await ask(request, "k-5");
      assert.deepEqual([status, body["code"]], [422, "idempotency_mismatch"]);
    });
  }

  it("is decided anew where it was refused", async () => {
    const bad: Request = ["POST", "/keys", { ttl_ms: 0 }];
    for (const _ of [1, 2]) {
      assert.deepEqual((await ask(bad, "k-6")).body["code"], "bad_ttl");
    }
    assert.equal((await ask(NEW_KEY, "k-6")).status, 201);
  });

  for (const key of ["", "x".repeat(129), "a\u00e9"]) {
    it(`needs a key that is one: ${JSON.stringify(key.slice(0, 8))}`, async () => {
      const { status, body } = await ask(NEW_KEY, key);
      assert.deepEqual([status, body["code"]], [400, "bad_request"]);
    });
  }

  it("is each principal's own", async () => {
    const ada = await Person.join(server, "ada", "owner");
    const bob = await Person.join(server, "bob", "owner");
    const view: Request = ["POST", "/views", { name: "v", topic: "connections", query: "" }];
    const told = [];
    for (const { headers } of [ada, bob]) {
      told.push(await ask(view, "k-7", headers));
    }
    assert.deepEqual(
      told.map(({ status, replayed }) => [status, replayed]),
      [
        [201, null],
        [201, null],
      ],
    );
    assert.deepEqual(
      told.map(({ body }) => body["owner"]),
      ["ada", "bob"],
    );
  });

  it("keeps no secret of any answer, and takes no password", async () => {
    const cy = await Person.join(server, "cy", "owner");
    const { headers } = cy;
    const made = [
      await ask(NEW_KEY, "k-8"),
      await ask(["POST", "/tokens", { name: "t" }], "k-9", headers),
      await ask(["POST", "/users", { name: "dan", role: "viewer" }], "k-10"),
      await ask(["POST", "/signin/links", {}], "k-11"),
    ];
    for (const { status } of made) assert.equal(status, 201);
    const link = made[2]?.body["link"] as Told["body"];
    const secrets = [
      made[0]?.body["key"],
      made[1]?.body["token"],
      link["token"],
      made[3]?.body["token"],
    ].map((secret) => String(secret).slice(-20));
    const files = readdirSync(dir).filter((name) => name.startsWith("state.sqlite"));
    assert.ok(files.length > 0);
    for (const name of files) {
      const bytes = readFileSync(join(dir, name));
      for (const secret of secrets) assert.equal(bytes.includes(secret), false, name);
    }
    const password = { old: cy.password, password: "another that is long enough" };
    const told = await ask(["POST", "/profile/password", password], "k-12", headers);
    assert.deepEqual([told.status, told.body["code"]], [400, "bad_request"]);
  });
});
