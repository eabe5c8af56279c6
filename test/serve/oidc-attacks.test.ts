/** Signing in as somebody else by way of the OpenID provider, or making the server ask where it must not. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { after, before, describe, it } from "node:test";
import { auditRows } from "./audit-rows.ts";
import { Browser } from "./browser.ts";
import { BEGIN, CALLBACK, OpenIdProvider, SETTINGS } from "./open-id-provider.ts";
import { Person, tell } from "./person.ts";
import { ServerProcess } from "./server-process.ts";

let server: ServerProcess;
let provider: OpenIdProvider;
let owner: Person;
before(async () => {
  server = await ServerProcess.start();
  provider = await OpenIdProvider.start(`${server.url}${CALLBACK}`);
  owner = await Person.join(server, "grace", "owner");
  assert.equal((await owner.call("PUT", SETTINGS, provider.settings())).status, 200);
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

/** To the end of the provider's part: the address that the browser is sent back to. */
async function halfway(sub: string): Promise<{ browser: Browser; back: string }> {
  provider.person = { sub, preferred_username: sub, groups: ["staff"] };
  const browser = new Browser();
  const back = await browser.follow(`${server.url}${BEGIN}`, `${server.url}${CALLBACK}`);
  return { browser, back };
}

let addresses = 0;

/** Each from an address of its own: that guessing is slowed down is the subject of one test. */
async function comeBack(browser: Browser, url: string, accept = "application/json") {
  const { pathname, search } = new URL(url);
  const told = await tell(server.url, ["GET", pathname + search], {
    headers: { ...browser.headers(url), accept },
    from: `127.0.2.${++addresses}`,
  });
  const sets = told.headers["set-cookie"] ?? [];
  return { ...told, session: sets.some((set) => set.startsWith("tallystick=")) };
}

async function assertRefused(browser: Browser, url: string, code: string): Promise<void> {
  const told = await comeBack(browser, url);
  assert.deepEqual([told.code, told.session], [code, false], JSON.stringify(told.body));
}

describe("the answer for one browser, in another", () => {
  it("is refused where that one has begun nothing", async () => {
    const { browser, back } = await halfway("eve");
    await assertRefused(new Browser(), back, "oidc_state");
    assert.equal((await comeBack(browser, back)).status, 303);
  });

  it("is refused where that one has begun a sign-in of its own", async () => {
    const eve = await halfway("eve");
    const victim = await halfway("victim");
    await assertRefused(victim.browser, eve.back, "oidc_state");
    // Nor with the other's code under one's own state.
    const [own, other] = [new URL(victim.back), new URL(eve.back)];
    own.searchParams.set("code", other.searchParams.get("code") ?? "");
    await assertRefused(victim.browser, own.href, "oidc_refused");
  });

  it("is refused a second time, also with the cookie of the first", async () => {
    const { browser, back } = await halfway("ada");
    assert.equal((await comeBack(browser, back)).session, true);
    await assertRefused(browser, back, "oidc_state");
  });

  it("is refused with a cookie that somebody changed, cut or made", async () => {
    const { browser, back } = await halfway("ada");
    const jar = browser.cookies.get(new URL(server.url).origin);
    const sealed = jar?.get("tallystick-oidc") ?? "";
    assert.ok(sealed.length > 100);
    const flipped = `${sealed.slice(0, 60)}${sealed[60] === "A" ? "B" : "A"}${sealed.slice(61)}`;
    for (const value of [flipped, sealed.slice(0, 50), "", "e30", `${sealed}AAAA`]) {
      jar?.set("tallystick-oidc", value);
      await assertRefused(browser, back, "oidc_state");
    }
  });

  it("keeps the sign-in under way from scripts and other sites' requests", async () => {
    const { headers } = await new Browser().get(`${server.url}${BEGIN}`);
    const [set = ""] = headers["set-cookie"] ?? [];
    assert.match(set, /^tallystick-oidc=[\w-]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/);
    const url = new URL(headers.location ?? "");
    assert.deepEqual(
      ["code_challenge_method", "response_type"].map((name) => url.searchParams.get(name)),
      ["S256", "code"],
    );
    for (const secret of ["state", "nonce", "code_challenge"]) {
      assert.ok((url.searchParams.get(secret)?.length ?? 0) >= 32, secret);
    }
  });
});

describe("an answer that the provider did not give", () => {
  const odd: [title: string, change: (params: URLSearchParams) => void, code: string][] = [
    ["without a state", (params) => params.delete("state"), "oidc_state"],
    ["with two states", (params) => params.append("state", "another"), "oidc_bad_token"],
    ["with two codes", (params) => params.append("code", "another"), "oidc_bad_token"],
    ["without a code", (params) => params.delete("code"), "oidc_bad_token"],
    ["with a made-up code", (params) => params.set("code", "made-up"), "oidc_refused"],
    ["of another issuer", (params) => params.set("iss", "https://evil.example"), "oidc_bad_token"],
    ["that names no issuer", (params) => params.delete("iss"), "oidc_bad_token"],
    ["with a token of its own", (params) => params.set("id_token", "a.b.c"), "oidc_bad_token"],
  ];
  for (const [title, change, code] of odd) {
    it(`is refused ${title}`, async () => {
      const { browser, back } = await halfway("ada");
      const url = new URL(back);
      change(url.searchParams);
      await assertRefused(browser, url.href, code);
    });
  }

  it("gets no word of its own into the page", async () => {
    const { browser, back } = await halfway("ada");
    const url = new URL(back);
    url.searchParams.delete("code");
    url.searchParams.set("error", "<script>alert(1)</script>");
    url.searchParams.set("error_description", "<img src=x onerror=alert(2)>");
    const told = await comeBack(browser, url.href, "text/html");
    const page = JSON.stringify(told.body);
    assert.match(String(told.headers["content-type"]), /^text\/html/);
    assert.match(String(told.headers["content-security-policy"]), /default-src 'none'/);
    assert.match(page, /\(oidc_refused\)/);
    assert.doesNotMatch(page, /alert|onerror|<script|<img/);
  });
});

describe("a token", () => {
  const nowS = Math.floor(Date.now() / 1_000);
  type Claims = Record<string, unknown>;

  /** Signs in where the token endpoint answers with this token. */
  async function withToken(make: (claims: Claims) => string) {
    const browser = new Browser();
    const { headers } = await browser.get(`${server.url}${BEGIN}`);
    const { searchParams } = new URL(headers.location ?? "");
    const claims = {
      iss: provider.issuer,
      sub: "forger",
      aud: provider.clientId,
      exp: nowS + 300,
      iat: nowS,
      nonce: searchParams.get("nonce"),
      groups: ["staff"],
    };
    const idToken = make(claims);
    provider.instead = (request, response) => {
      if (request.url !== "/token") return false;
      json(response, { access_token: "x", token_type: "Bearer", id_token: idToken });
      return true;
    };
    const state = searchParams.get("state") ?? "";
    const query = new URLSearchParams({ code: "x", state, iss: provider.issuer });
    try {
      return await comeBack(browser, `${server.url}${CALLBACK}?${query.toString()}`);
    } finally {
      provider.instead = undefined;
    }
  }

  it("that is as it must be lets in, so that the refusals below mean something", async () => {
    const told = await withToken((claims) => provider.token(claims));
    assert.deepEqual([told.status, told.session], [303, true], JSON.stringify(told.body));
  });

  const forged: [title: string, change: Claims][] = [
    ["for another client", { aud: "another-client" }],
    ["for others besides, without saying who asked", { aud: ["tallystick", "another-client"] }],
    ["that another client asked for", { aud: ["tallystick", "other"], azp: "other" }],
    ["of another issuer", { iss: "https://evil.example" }],
    ["with the nonce of another sign-in", { nonce: "another" }],
    ["without a nonce", { nonce: undefined }],
    ["that has expired", { exp: nowS - 300 }],
    ["that never expires", { exp: undefined }],
    ["that is not valid yet", { nbf: nowS + 3_600 }],
    ["of nobody", { sub: undefined }],
    ["of a subject without end", { sub: "x".repeat(256) }],
  ];
  for (const [title, change] of forged) {
    it(`is refused ${title}`, async () => {
      const told = await withToken((claims) => provider.token({ ...claims, ...change }));
      const got = [told.status, told.code, told.session];
      assert.deepEqual(got, [401, "oidc_bad_token", false], JSON.stringify(told.body));
    });
  }

  it("is refused with another's signature, with none, and in another algorithm", async () => {
    const made: [make: (claims: Claims) => string, code: string][] = [
      [(claims) => provider.foreignToken(claims), "oidc_bad_token"],
      [(claims) => provider.token(claims).replace(/[^.]+$/, ""), "oidc_bad_token"],
      [(claims) => unsigned({ alg: "none" }, claims), "oidc_bad_token"],
      [(claims) => unsigned({ alg: "HS256" }, claims), "oidc_bad_token"],
      [(claims) => unsigned({ alg: "RS256", kid: "new" }, claims), "oidc_keys_changed"],
      [
        (claims) => unsigned({ alg: "RS256", jwk: {}, jku: provider.issuer }, claims),
        "oidc_bad_token",
      ],
    ];
    for (const [make, code] of made) {
      const told = await withToken(make);
      assert.deepEqual([told.code, told.session], [code, false], JSON.stringify(told.body));
    }
  });

  it("gives no role by groups that are no texts, or stand elsewhere", async () => {
    for (const groups of [
      undefined,
      null,
      1,
      {},
      { staff: true },
      [["staff"]],
      ["staff "],
      "STAFF",
    ]) {
      const told = await withToken((claims) => provider.token({ ...claims, groups }));
      assert.deepEqual([told.code, told.session], ["oidc_denied", false], JSON.stringify(groups));
    }
    const inherited = '"__proto__":{"groups":["heads"]}';
    const told = await withToken((claims) => {
      const { groups: _, ...rest } = claims;
      return provider.token(
        JSON.parse(JSON.stringify(rest).replace("}", `,${inherited}}`)) as Claims,
      );
    });
    assert.equal(told.code, "oidc_denied");
  });
});

describe("`next`", () => {
  const elsewhere = [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/%09/evil.example",
    "/\t/evil.example",
    "/./evil",
    "/../evil",
    "/a//evil.example",
    "/a/../../evil",
    "javascript:alert(1)",
    "/@evil.example",
    "/:80",
    "evil",
    "",
    "/api/v1/signin/oidc",
    "/ingest/v1/batches",
    "/a\r\nset-cookie: a=b",
    `/${"a".repeat(600)}`,
    `/${"a".repeat(400)}!`,
  ];
  for (const next of elsewhere) {
    it(`may not be ${JSON.stringify(next).slice(0, 40)}`, async () => {
      const url = `${server.url}${BEGIN}?${new URLSearchParams({ next }).toString()}`;
      const told = await new Browser().get(url);
      assert.deepEqual([told.status, told.headers.location], [400, undefined]);
    });
  }
});

it("bears a provider that sends ten megabytes for a token, or breaks off", async () => {
  const sends: [send: (response: ServerResponse) => void, code: string][] = [
    [(response) => response.end(Buffer.alloc(10_000_000, " ")), "bad_issuer"],
    [(response) => response.writeHead(302, { location: "/token" }).end(), "bad_issuer"],
    [(response) => response.destroy(), "oidc_unreachable"],
    [(response) => json(response, { access_token: "x", token_type: "Bearer" }), "oidc_bad_token"],
  ];
  for (const [send, code] of sends) {
    const { browser, back } = await halfway("ada");
    provider.instead = (_request, response) => {
      send(response);
      return true;
    };
    await assertRefused(browser, back, code);
    provider.instead = undefined;
  }
});

it("has sixteen at most wait for a provider that hangs", async () => {
  const flows = await Promise.all(Array.from({ length: 17 }, begun));
  const hanging: ServerResponse[] = [];
  const allHang = new Promise<void>((resolve) => {
    provider.instead = (_request, response) => {
      if (hanging.push(response) === 16) resolve();
      return true;
    };
  });
  const [last, ...others] = flows;
  assert.ok(last !== undefined);
  const waiting = others.map(({ browser, back }) => comeBack(browser, back));
  await allHang;
  const refused = await comeBack(last.browser, last.back);
  assert.deepEqual([refused.status, refused.code], [429, "signin_throttled"]);
  for (const response of hanging) response.destroy();
  const codes = (await Promise.all(waiting)).map(({ code }) => code);
  assert.deepEqual([...new Set(codes)], ["oidc_unreachable"]);
  provider.instead = undefined;
  const { browser, back } = await halfway("ada");
  assert.equal((await comeBack(browser, back)).status, 303);
});

/** A sign-in under way, and an answer to it that was made up. */
async function begun(): Promise<{ browser: Browser; back: string }> {
  const browser = new Browser();
  const { headers } = await browser.get(`${server.url}${BEGIN}`);
  const state = new URL(headers.location ?? "").searchParams.get("state") ?? "";
  const query = new URLSearchParams({ code: "x", state, iss: provider.issuer });
  return { browser, back: `${server.url}${CALLBACK}?${query.toString()}` };
}

it("slows down whoever tries again and again, and says each kind of failure once a minute", async () => {
  const from = "127.0.3.1";
  const codes: string[] = [];
  for (let count = 0; count < 30; count++) {
    codes.push(
      (await tell(server.url, ["GET", `${CALLBACK}?state=x&code=${count}`], { from })).code,
    );
  }
  assert.deepEqual([...new Set(codes)], ["oidc_state", "signin_throttled"]);
  const rows = await auditRows(server, `address = '${from}'`);
  assert.deepEqual(
    rows.map(({ action, outcome, code }) => [action, outcome, code]),
    [
      ["session.create", "refused", "oidc_state"],
      ["session.create", "refused", "signin_throttled"],
    ],
  );
});

function unsigned(header: object, claims: object): string {
  const parts = [header, claims].map((part) => {
    return Buffer.from(JSON.stringify(part)).toString("base64url");
  });
  return `${parts.join(".")}.AAAA`;
}

function json(response: ServerResponse, body: object): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}
