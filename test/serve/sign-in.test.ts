/** Attacks on signing in and on what somebody may, against the real server. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ROLES, type Role } from "../../src/api/roles.ts";
import { cookieOf, JSON_TYPE, Person, tell } from "./person.ts";
import { run, ServerProcess } from "./server-process.ts";

let server: ServerProcess;
const people = new Map<Role, Person>();
before(async () => {
  server = await ServerProcess.start();
  for (const role of ROLES) people.set(role, await Person.join(server, `a-${role}`, role));
});
after(() => server[Symbol.asyncDispose]());

function person(role: Role): Person {
  const found = people.get(role);
  assert.ok(found !== undefined);
  return found;
}

describe("session fixation", () => {
  it("a secret from before the sign-in is worth nothing after it", async () => {
    const victim = await Person.join(server, "victim", "viewer");
    const planted = "tallystick=planted-by-somebody-else";
    const { name, password } = victim;
    const told = await tell(server.url, ["POST", "/api/v1/signin"], {
      headers: { ...JSON_TYPE, cookie: planted },
      body: { name, password, code: victim.code(1) },
    });
    assert.equal(told.status, 200);
    assert.notEqual(cookieOf(told), planted);
    assert.notEqual(cookieOf(told), victim.cookie);
    const [set = ""] = told.headers["set-cookie"] ?? [];
    assert.match(set, /^tallystick=[\w-]{43}; Max-Age=43\d{3}; Path=\/; HttpOnly; SameSite=Lax$/);
    for (const [cookie, status] of [
      [planted, 401],
      [cookieOf(told), 200],
    ] as const) {
      const asked = await tell(server.url, ["GET", "/api/v1/profile"], { headers: { cookie } });
      assert.equal(asked.status, status);
    }
  });

  it("under https the cookie is bound to this very host", async () => {
    await using behind = await ServerProcess.start(["--public-url", "https://logs.example.org"]);
    const told = await Person.invited(behind, "ada", "owner");
    assert.match(told.cookie, /^__Host-tallystick=/);
  });
});

describe("a write that another site has the browser send", () => {
  const forged: [title: string, headers: Record<string, string>, body: string][] = [
    [
      "a form",
      { "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "cross-site" },
      "name=a",
    ],
    ["a form as text that is JSON", { "content-type": "text/plain" }, '{"name":"forged"}'],
    ["a fetch", { ...JSON_TYPE, "sec-fetch-site": "cross-site" }, '{"name":"forged"}'],
    ["a fetch of a sibling host", { ...JSON_TYPE, "sec-fetch-site": "same-site" }, "{}"],
    ["a fetch of an old browser", { ...JSON_TYPE, origin: "http://evil.example" }, "{}"],
    ["one that hides where it is from", JSON_TYPE, '{"name":"forged"}'],
    ["nothing at all", {}, ""],
  ];
  for (const [title, headers, body] of forged) {
    it(`is refused: ${title}`, async () => {
      const { cookie } = person("owner");
      for (const path of ["/api/v1/tokens", "/api/v1/signout", "/api/v1/users/a-viewer/disable"]) {
        const told = await tell(server.url, ["POST", path], {
          headers: { ...headers, cookie },
          body,
        });
        assert.deepEqual([told.status, told.code], [403, "cross_site"], path);
      }
      const tokens = await person("owner").call<{ items: unknown[] }>("GET", "/api/v1/tokens");
      assert.deepEqual([tokens.status, tokens.body.items], [200, []]);
    });
  }

  it("neither signs anybody in", async () => {
    const { name, password } = person("viewer");
    const told = await tell(server.url, ["POST", "/api/v1/signin"], {
      headers: { ...JSON_TYPE, "sec-fetch-site": "cross-site" },
      body: { name, password },
    });
    assert.deepEqual([told.code, told.headers["set-cookie"]], ["cross_site", undefined]);
  });

  it("with a token needs neither type nor place: no browser adds one by itself", async () => {
    const authorization = `Bearer ${await person("owner").token()}`;
    const told = await tell(server.url, ["POST", "/api/v1/users/nobody/disable"], {
      headers: { authorization, origin: "http://evil.example" },
    });
    assert.equal(told.code, "unknown_user");
  });
});

it("whoever guesses learns from no answer who exists", async () => {
  const [known, unknown] = [person("auditor").name, "a-stranger"];
  const answers = [];
  for (const [at, name] of [known, unknown].entries()) {
    const told = await tell(server.url, ["POST", "/api/v1/signin"], {
      headers: JSON_TYPE,
      body: { name, password: "one that is wrong", code: "123456" },
      from: `127.0.2.${at + 1}`,
    });
    const { date: _, ...headers } = told.headers;
    answers.push([told.status, told.body, headers]);
  }
  assert.deepEqual(answers[0], answers[1]);
  assert.equal(answers[0]?.[0], 401);
});

it("whoever guesses on is made to wait, and says nothing on record of what was typed", async () => {
  const guess = (password: string) =>
    tell(server.url, ["POST", "/api/v1/signin"], {
      headers: JSON_TYPE,
      body: { name: "hunter2-typed-as-name", password },
      from: "127.0.3.1",
    });
  const told = [];
  for (let turn = 0; turn < 8; turn++) told.push(await guess(`guess number ${turn}`));
  assert.deepEqual(
    told.slice(0, 5).map(({ code }) => code),
    Array<string>(5).fill("bad_signin"),
  );
  const waiting = told.find(({ status }) => status === 429);
  assert.equal(waiting?.code, "signin_throttled");
  assert.match(waiting?.headers["retry-after"] ?? "", /^[12]$/);
  const audit = await server.until(
    () =>
      server.call<{ rows: string[][] }>("POST", "/api/v1/sql", {
        sql: `SELECT actor_type, action, target, code, toString(facts) FROM audit
          WHERE address = '127.0.3.1' ORDER BY code`,
      }),
    ({ body }) => body.rows.length >= 2,
  );
  assert.deepEqual(
    audit.body.rows.map(([type, action, target, code]) => [type, action, target, code]),
    [
      ["nobody", "session.create", "", "bad_signin"],
      ["nobody", "session.create", "", "signin_throttled"],
    ],
  );
  assert.ok(!JSON.stringify(audit.body.rows).includes("hunter2"));
});

describe("whoever found an open session and guesses the password in it", () => {
  const place = { from: "127.0.0.77" };

  it("is on record, by whichever way they try", async () => {
    const ina = await Person.join(server, "ina", "viewer");
    const body = { password: "a guess, long enough" };
    const told = await tell(server.url, ["POST", "/api/v1/profile/totp"], {
      ...place,
      headers: ina.headers,
      body,
    });
    assert.deepEqual([told.status, told.code], [403, "wrong_password"]);
    const path = "/api/v1/audit?action=user.set_second_factor&where=outcome:refused&actor=ina";
    await server.until(
      () => server.call<{ items: { code: string }[] }>("GET", path),
      (answer) => answer.body.items.some(({ code }) => code === "wrong_password"),
    );
  });

  it("is forgiven no guess for what asks for no password", async () => {
    const setting = "/api/v1/settings/signin";
    const required = (is: boolean) => server.call("PUT", setting, { second_factor_required: is });
    assert.equal((await required(false)).status, 200);
    const jon = await Person.invited(server, "jon", "viewer");
    const ask = (path: string, body: object) =>
      tell(server.url, ["POST", path], { ...place, headers: jon.headers, body });
    const guess = { old: "a guess, long enough", password: "another, long enough" };
    const codes: string[] = [];
    for (let turn = 0; turn < 6; turn++) {
      codes.push((await ask("/api/v1/profile/password", guess)).code);
      await ask("/api/v1/profile/totp", {});
    }
    assert.deepEqual(codes, [...Array<string>(5).fill("wrong_password"), "signin_throttled"]);
    assert.equal((await required(true)).status, 200);
  });
});

describe("nobody climbs:", () => {
  for (const role of ROLES.filter((each) => each !== "owner")) {
    it(`${role} makes no owner, of themselves or another, and no token that may more`, async () => {
      const climber = person(role);
      const forbidden: [method: string, path: string, body?: object][] = [
        ["POST", `/api/v1/users/${climber.id}/role`, { role: "owner" }],
        ["POST", `/api/v1/users/${climber.name}/role`, { role: "owner" }],
        ["POST", "/api/v1/users", { name: "accomplice", role: "owner" }],
        ["POST", "/api/v1/signin/links", {}],
        ["POST", "/api/v1/signin/links", { user: "a-owner" }],
        ["POST", `/api/v1/users/${person("owner").id}/disable`],
        ["POST", `/api/v1/users/${person("owner").id}/reset-second-factor`],
      ];
      for (const [method, path, body] of forbidden) {
        const told = await climber.call(method, path, body);
        assert.deepEqual([told.status, told.code], [403, "forbidden"], path);
      }
      const scoped = await climber.call("POST", "/api/v1/tokens", {
        name: "more",
        scopes: ["users.write"],
      });
      assert.equal(scoped.code, "bad_scope");
      const others = await climber.call<{ items: { own: boolean }[] }>("GET", "/api/v1/sessions");
      assert.ok(others.body.items.every(({ own }) => own));
      const ended = await climber.call("DELETE", `/api/v1/sessions/${person("owner").sessionId}`);
      assert.equal(ended.code, "unknown_session");
      assert.equal((await person("owner").call("GET", "/api/v1/profile")).status, 200);
    });
  }

  const tables: [role: Role, table: string, status: number][] = [
    ["admin", "changes", 200],
    ["admin", "audit", 400],
    ["auditor", "audit", 200],
    ["owner", "audit", 200],
  ];
  for (const [role, table, status] of tables) {
    it(`${role} ${status === 200 ? "may" : "may not"} ask ${table} in SQL`, async () => {
      const sql = `SELECT count() FROM ${table}`;
      assert.equal((await person(role).call("POST", "/api/v1/sql", { sql })).status, status);
    });
  }

  it("an auditor's token reads, and writes nothing", async () => {
    const headers = { authorization: `Bearer ${await person("auditor").token()}`, ...JSON_TYPE };
    const reads = await tell(server.url, ["GET", "/api/v1/users"], { headers });
    assert.equal(reads.status, 200);
    const body = { name: "another" };
    const writes = await tell(server.url, ["POST", "/api/v1/tokens"], { headers, body });
    assert.equal(writes.code, "forbidden");
    const scoped = await person("auditor").call("POST", "/api/v1/tokens", {
      name: "writes",
      scopes: ["profile.write"],
    });
    assert.equal(scoped.code, "bad_scope");
  });

  it("the administrator's token makes no tokens, and has no password", async () => {
    const made = await server.call("POST", "/api/v1/tokens", { name: "mine" });
    assert.deepEqual([made.status, made.body["code"]], [403, "no_user"]);
    const body = { old: "a", password: "b" };
    const changed = await server.call("POST", "/api/v1/profile/password", body);
    assert.deepEqual([changed.status, changed.body["code"]], [403, "session_needed"]);
  });

  it("a password alone opens nothing but the second factor's own page", async () => {
    const fresh = await Person.invited(server, "fresh", "owner");
    for (const path of ["/api/v1/status", "/api/v1/users", "/api/v1/sessions", "/api/v1/tokens"]) {
      assert.equal((await fresh.call("GET", path)).code, "second_factor_needed", path);
    }
    const { body } = await fresh.call("GET", "/api/v1/profile");
    assert.deepEqual([body["second_factor_needed"], body["permissions"]], [true, []]);
    await fresh.setUpTotp();
    assert.equal((await fresh.call("GET", "/api/v1/users")).status, 200);
  });
});

it("an owner may do without second factors, and want them again; both are on record", async () => {
  const owner = person("owner");
  const require = (isRequired: boolean) =>
    owner.call("PUT", "/api/v1/settings/signin", { second_factor_required: isRequired });
  const plain = await Person.invited(server, "plain", "viewer");
  assert.equal((await plain.call("GET", "/api/v1/status")).code, "second_factor_needed");
  assert.equal((await require(false)).status, 200);
  assert.equal((await plain.call("GET", "/api/v1/status")).status, 200);
  assert.equal((await require(true)).status, 200);
  assert.equal((await plain.call("GET", "/api/v1/status")).code, "second_factor_needed");
  const sql = `SELECT toString(changes) FROM audit WHERE action = 'setting.update'
    AND actor_id = '${owner.id}' ORDER BY journal_index`;
  const { body } = await server.until(
    () => server.call<{ rows: string[][] }>("POST", "/api/v1/sql", { sql }),
    (answer) => answer.body.rows.length === 2,
  );
  assert.match(body.rows[0]?.[0] ?? "", /second_factor_required.*true.*false/);
});

describe("what ends, ends at once:", () => {
  const ways: [title: string, end: (one: Person, owner: Person) => Promise<{ status: number }>][] =
    [
      ["its session", (one, owner) => owner.call("DELETE", `/api/v1/sessions/${one.sessionId}`)],
      ["its user", (one, owner) => owner.call("DELETE", `/api/v1/users/${one.id}`)],
      [
        "its role",
        (one, owner) => owner.call("POST", `/api/v1/users/${one.id}/role`, { role: "viewer" }),
      ],
    ];
  for (const [at, [title, end]] of ways.entries()) {
    it(`a running query with ${title}, within a second`, async () => {
      const asker = await Person.join(server, `asker-${at}`, "admin");
      const sql = "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)";
      const answer = asker.call("POST", "/api/v1/sql", { sql });
      const isRunning = `SELECT count() FROM audit WHERE actor_id = '${asker.id}'
        AND action = 'sql.read'`;
      await server.until(
        () => server.call<{ rows: number[][] }>("POST", "/api/v1/sql", { sql: isRunning }),
        ({ body }) => body.rows[0]?.[0] === 1,
      );
      const sinceMs = performance.now();
      assert.equal((await end(asker, person("owner"))).status, 200);
      const told = await answer.catch(() => ({ status: 0, code: "cut off" }));
      assert.ok(performance.now() - sinceMs < 1_000);
      assert.ok(["unauthorized", "cut off"].includes(told.code), told.code);
      assert.equal((await asker.call("GET", "/api/v1/profile")).status, 401);
    });
  }

  it("all sessions with a new password, which needs the old one", async () => {
    const one = await Person.join(server, "renewer", "viewer");
    const password = "a new one, long enough";
    const wrong = await one.call("POST", "/api/v1/profile/password", { old: "no", password });
    assert.equal(wrong.code, "wrong_password");
    const told = await one.call("POST", "/api/v1/profile/password", {
      old: one.password,
      password,
    });
    assert.equal(told.status, 204);
    assert.match(told.headers["set-cookie"]?.[0] ?? "", /^tallystick=; Max-Age=0;/);
    assert.equal((await one.call("GET", "/api/v1/profile")).status, 401);
    assert.equal((await one.signIn(one.code(1))).code, "bad_signin");
  });
});

function printed(text: string): string {
  return /#signin=([\w-]{43})/.exec(text)?.[1] ?? "";
}

describe("the first start", () => {
  it("prints a link as long as nobody can sign in; the newest counts, once", async () => {
    await using first = await ServerProcess.start();
    const older = printed((await first.stop()).stderr);
    await using second = await ServerProcess.start([], first.dir);
    const use = (token: string, name: string) =>
      tell(second.url, ["POST", "/api/v1/signin/link"], {
        headers: JSON_TYPE,
        body: { token, name, password: "long enough, this one" },
      });
    assert.equal(older.length, 43);
    assert.equal((await use(older, "eve")).code, "bad_signin_link");
    const link = await second.call<{ token: string; url: string }>(
      "POST",
      "/api/v1/signin/links",
      {},
    );
    assert.equal(link.body.url, `${second.url}/#signin=${link.body.token}`);
    assert.equal((await use(link.body.token, "ada")).body["role"], "owner");
    assert.equal((await use(link.body.token, "ada")).code, "bad_signin_link");
    const { stderr } = await second.stop();
    assert.notEqual(printed(stderr), older);
    await using third = await ServerProcess.start([], first.dir);
    assert.equal(printed((await third.stop()).stderr), "");
  });

  it("does not write the link into the server's own stream", async () => {
    const { stdout, code } = await run(["sql", "SELECT body FROM logs", "--data", server.dir]);
    assert.equal(code, 0);
    assert.ok(!stdout.includes("#signin="));
  });
});
