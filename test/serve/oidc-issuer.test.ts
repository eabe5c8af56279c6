/** Making the server ask where it must not, by the address of an OpenID provider. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { after, before, describe, it } from "node:test";
import { OpenIdProvider } from "./open-id-provider.ts";
import { Person } from "./person.ts";
import { ServerProcess } from "./server-process.ts";

const SETTINGS = "/api/v1/signin/oidc/settings";

let server: ServerProcess;
let provider: OpenIdProvider;
let owner: Person;
before(async () => {
  server = await ServerProcess.start();
  provider = await OpenIdProvider.start(`${server.url}/api/v1/signin/oidc/callback`);
  owner = await Person.join(server, "grace", "owner");
  assert.equal((await put(provider.issuer)).status, 200);
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

function put(issuer: string) {
  return owner.call("PUT", SETTINGS, provider.settings({ issuer }));
}

/** Saves while the provider's document differs by this. */
async function withDocument(change: object) {
  provider.instead = (request, response) => {
    if (!request.url?.endsWith("/.well-known/openid-configuration")) return false;
    json(response, {
      issuer: provider.issuer,
      authorization_endpoint: `${provider.issuer}/auth`,
      token_endpoint: `${provider.issuer}/token`,
      jwks_uri: `${provider.issuer}/jwks`,
      ...change,
    });
    return true;
  };
  try {
    return await put(provider.issuer);
  } finally {
    provider.instead = undefined;
  }
}

describe("the issuer's address", () => {
  it("may be nothing but the provider's", async () => {
    const addressesOf = [
      "https://169.254.169.254/latest",
      "https://[fe80::1]/",
      "http://10.0.0.1/",
      "https://0.0.0.0/",
      "file:///etc/passwd",
      `${provider.issuer}?a=b`,
      `${provider.issuer}/#a`,
      provider.issuer.replace("://", "://name:word@"),
    ];
    for (const issuer of addressesOf) {
      const told = await put(issuer);
      assert.deepEqual([told.status, told.code], [400, "bad_issuer"], issuer);
    }
  });

  it("leads nowhere else: a redirect is not followed", async () => {
    for (const location of ["http://169.254.169.254/latest", `${provider.issuer}/elsewhere`]) {
      provider.asked.length = 0;
      provider.instead = (_request, response) => {
        response.writeHead(302, { location }).end();
        return true;
      };
      assert.equal((await put(provider.issuer)).code, "bad_issuer");
      assert.deepEqual(provider.asked, ["GET /.well-known/openid-configuration"]);
      provider.instead = undefined;
    }
  });

  it("has a document that leads nowhere else", async () => {
    assert.equal((await withDocument({})).status, 200);
    const changes = [
      { issuer: "https://evil.example" },
      { issuer: `${provider.issuer}/tenant` },
      { issuer: undefined },
      { jwks_uri: "https://169.254.169.254/latest" },
      { jwks_uri: undefined },
      { token_endpoint: "http://10.0.0.1/token" },
      { authorization_endpoint: "javascript:alert(1)" },
      { authorization_endpoint: "http://evil.example/auth" },
    ];
    for (const change of changes) {
      const told = await withDocument(change);
      assert.deepEqual([told.status, told.code], [400, "bad_issuer"], JSON.stringify(change));
    }
  });

  it("is refused where it sends ten megabytes, no JSON, or nothing", async () => {
    const answers: [send: (response: ServerResponse) => void, code: string][] = [
      [(response) => response.end(Buffer.alloc(10_000_000, " ")), "bad_issuer"],
      [(response) => response.end("<html>"), "bad_issuer"],
      [(response) => response.writeHead(500).end(), "bad_issuer"],
      [(response) => response.destroy(), "oidc_unreachable"],
    ];
    for (const [send, code] of answers) {
      provider.instead = (_request, response) => {
        send(response);
        return true;
      };
      assert.equal((await put(provider.issuer)).code, code);
      provider.instead = undefined;
    }
    const kept = await owner.call<{ settings: { issuer: string } }>("GET", SETTINGS);
    assert.equal(kept.body.settings.issuer, provider.issuer);
  });
});

function json(response: ServerResponse, body: object): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}
