/** Signing in with a real OpenID provider: configured by an owner, role by groups, each time anew. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { auditRows } from "./audit-rows.ts";
import { Browser } from "./browser.ts";
import { BEGIN, CALLBACK, OpenIdProvider, SETTINGS, type Somebody } from "./open-id-provider.ts";
import { Person } from "./person.ts";
import { ServerProcess } from "./server-process.ts";

let server: ServerProcess;
let provider: OpenIdProvider;
let owner: Person;
before(async () => {
  server = await ServerProcess.start();
  provider = await OpenIdProvider.start(`${server.url}${CALLBACK}`);
  owner = await Person.join(server, "grace", "owner");
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

async function come(person: Somebody, browser = new Browser(), next = "") {
  provider.person = person;
  const back = await browser.follow(`${server.url}${BEGIN}${next}`, `${server.url}${CALLBACK}`);
  return { browser, told: await browser.get(back) };
}

function profile(browser: Browser) {
  return browser.call(server.url, ["GET", "/api/v1/profile"]);
}

const ADA = { sub: "u-1", preferred_username: "ada", groups: ["staff", "operations"] };

describe("before it is configured", () => {
  it("is no way in, and says so to programs and people", async () => {
    const methods = await server.call("GET", "/api/v1/signin/methods");
    assert.deepEqual(methods.body, { password: true, passkey: false, oidc: null });
    const page = await new Browser().get(`${server.url}${BEGIN}`);
    assert.equal(page.status, 404);
    assert.match(page.body, /no OpenID provider is configured.*\(oidc_off\)/);
    const program = await server.call("GET", BEGIN);
    assert.deepEqual([program.status, program.body["code"]], [404, "oidc_off"]);
  });

  it("asks for the secret of a client that it does not know", async () => {
    const settings = provider.settings({ client_secret: undefined });
    const told = await owner.call("PUT", SETTINGS, settings);
    assert.deepEqual([told.status, told.code], [400, "oidc_secret_needed"]);
    assert.equal((await owner.call("GET", SETTINGS)).body["settings"], null);
  });
});

describe("configuring", () => {
  it("fetches document and keys, and never shows the secret again", async () => {
    const told = await owner.call("PUT", SETTINGS, provider.settings());
    assert.equal(told.status, 200, JSON.stringify(told.body));
    assert.equal(told.body["redirect_uri"], `${server.url}${CALLBACK}`);
    const { keys, fetched_at, ...settings } = told.body["settings"] as Record<string, unknown>;
    assert.equal((keys as string[]).length, 1);
    assert.ok(Date.parse(String(fetched_at)) > 0);
    assert.deepEqual(settings, {
      issuer: provider.issuer,
      client_id: "tallystick",
      scopes: ["openid", "profile", "groups"],
      groups_claim: "groups",
      roles: [
        { group: "staff", role: "viewer" },
        { group: "operations", role: "operator" },
        { group: "heads", role: "owner" },
      ],
      label: "The company",
    });
    const methods = await server.call("GET", "/api/v1/signin/methods");
    assert.deepEqual(methods.body["oidc"], { label: "The company" });
  });

  it("keeps the secret where client and issuer stay, and only there", async () => {
    const same = provider.settings({ client_secret: undefined, label: "Us" });
    assert.equal((await owner.call("PUT", SETTINGS, same)).status, 200);
    const other = provider.settings({ client_secret: undefined, client_id: "other" });
    assert.equal((await owner.call("PUT", SETTINGS, other)).code, "oidc_secret_needed");
  });

  it("is on record with what changed, without the secret", async () => {
    const rows = await auditRows(server, "target_id = 'oidc' AND outcome = 'done'");
    const shown = rows.map(({ action, actor, facts }) => [action, actor, facts]);
    assert.deepEqual(shown, [
      ["setting.update", "grace", '{"secret_replaced":true}'],
      ["setting.update", "grace", '{"secret_replaced":false}'],
    ]);
    const all = JSON.stringify(await auditRows(server, "1"));
    assert.ok(!all.includes(provider.clientSecret.slice(0, 20)));
    assert.ok(all.includes("The company"));
  });
});

describe("signing in", () => {
  it("makes a user with the highest role of their groups, and a session of the console", async () => {
    const { browser, told } = await come(ADA);
    assert.deepEqual([told.status, told.headers.location], [303, `${server.url}/`], told.body);
    const { body } = await profile(browser);
    assert.deepEqual(
      [body["name"], body["role"], body["by"], body["second_factor_needed"]],
      ["ada", "operator", "session", false],
    );
    const rows = await auditRows(server, `actor_id = '${String(body["user_id"])}'`);
    assert.deepEqual(
      rows.map(({ action, origin, outcome }) => [action, origin, outcome]),
      [
        ["user.create", "console", "done"],
        ["session.create", "console", "done"],
      ],
    );
  });

  it("goes where it was asked to within the console", async () => {
    const { told } = await come(ADA, new Browser(), "?next=/findings/1%3Fa=b%23c");
    assert.equal(told.headers.location, `${server.url}/findings/1?a=b#c`);
  });

  it("knows the user again, and follows the groups; other sessions end when the role changes", async () => {
    const first = await come(ADA);
    const second = await come(ADA);
    assert.equal((await profile(first.browser)).status, 200);
    const id = (await profile(first.browser)).body["user_id"];
    const third = await come({ ...ADA, groups: ["staff"], preferred_username: "ada.l" });
    assert.equal((await profile(first.browser)).status, 401);
    assert.equal((await profile(second.browser)).status, 401);
    const { body } = await profile(third.browser);
    assert.deepEqual([body["user_id"], body["name"], body["role"]], [id, "ada", "viewer"]);
    const rows = await auditRows(server, `actor_id = '${String(id)}' AND action = 'user.set_role'`);
    assert.equal(rows.length, 1);
    assert.match(rows[0]?.changes ?? "", /operator/);
  });

  it("lets nobody in without a group that has a role", async () => {
    for (const groups of [[], ["Staff"], undefined]) {
      const { browser, told } = await come({ sub: "u-2", ...(groups && { groups }) });
      assert.equal(told.status, 403);
      assert.match(told.body, /\(oidc_denied\)/);
      assert.equal((await profile(browser)).status, 401);
    }
    const rows = await auditRows(server, "code = 'oidc_denied'");
    assert.ok(rows.length > 0 && rows.every(({ outcome }) => outcome === "refused"));
  });

  it("takes nobody for somebody else by name", async () => {
    const { browser } = await come({ sub: "u-3", preferred_username: "grace", groups: ["staff"] });
    const { body } = await profile(browser);
    assert.deepEqual([body["name"], body["role"]], ["grace-2", "viewer"]);
    assert.notEqual(body["user_id"], owner.id);
  });

  it("lets nobody in whom an owner has disabled", async () => {
    const { browser } = await come({ sub: "u-4", preferred_username: "eve", groups: ["heads"] });
    assert.equal((await owner.call("POST", "/api/v1/users/eve/disable")).status, 200);
    assert.equal((await profile(browser)).status, 401);
    const again = await come({ sub: "u-4", preferred_username: "eve", groups: ["heads"] });
    assert.equal(again.told.status, 403);
  });
});

describe("a user of the provider", () => {
  it("has no password, no link to one, no second factor and no role by hand here", async () => {
    const { browser } = await come({ sub: "u-5", preferred_username: "lin", groups: ["heads"] });
    const local = { name: "lin", password: "" };
    const told = await browser.call(server.url, ["POST", "/api/v1/signin"], local);
    assert.deepEqual([told.status, told.code], [401, "bad_signin"]);
    const refused: [string, object][] = [
      ["/api/v1/signin/links", { user: "lin" }],
      ["/api/v1/users/lin/role", { role: "viewer" }],
    ];
    for (const [path, body] of refused) {
      assert.equal((await owner.call("POST", path, body)).code, "not_local", path);
    }
    const totp = await browser.call(server.url, ["POST", "/api/v1/profile/totp"], {});
    assert.equal(totp.code, "not_local");
  });

  it("is no owner in whose place the last one could go", async () => {
    const told = await owner.call("POST", `/api/v1/users/${owner.id}/disable`);
    assert.deepEqual([told.status, told.code], [409, "last_owner"]);
    const users = await owner.call<{ items: { name: string; source: string; role: string }[] }>(
      "GET",
      "/api/v1/users",
    );
    const lin = users.body.items.find(({ name }) => name === "lin");
    assert.deepEqual([lin?.source, lin?.role], ["oidc", "owner"]);
  });
});

describe("the provider's keys", () => {
  it("are not fetched when a token has another; an owner does that", async () => {
    provider.rotateKeys();
    provider.asked.length = 0;
    const { told } = await come(ADA);
    assert.equal(told.status, 401);
    assert.match(told.body, /\(oidc_keys_changed\)/);
    assert.ok(!provider.asked.some((each) => /jwks|well-known/.test(each)));
    const refreshed = await owner.call("POST", `${SETTINGS}/refresh`);
    assert.equal(refreshed.status, 200, JSON.stringify(refreshed.body));
    assert.equal((await come(ADA)).told.status, 303);
    const rows = await auditRows(server, "action = 'setting.refresh'");
    assert.match(rows[0]?.changes ?? "", /keys/);
  });
});

describe("when it is configured no more", () => {
  it("ends the sessions that it began, and no others", async () => {
    const { browser } = await come(ADA);
    assert.equal((await profile(browser)).status, 200);
    assert.equal((await owner.call("DELETE", SETTINGS)).status, 204);
    assert.equal((await profile(browser)).status, 401);
    assert.equal((await owner.call("GET", "/api/v1/profile")).status, 200);
    assert.equal((await owner.call("DELETE", SETTINGS)).code, "oidc_off");
  });
});
