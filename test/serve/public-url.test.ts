/** Ways in that depend on where the browser sees the server, where that is --public-url. */
import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { TestAuthenticator } from "../../src/control/sign-in/test-authenticator.ts";
import type {
  AssertionOptions,
  RegistrationOptions,
} from "../../src/control/sign-in/passkey-checks.ts";
import { OpenIdProvider } from "./open-id-provider.ts";
import { JSON_TYPE, Person, tell } from "./person.ts";
import { ServerProcess } from "./server-process.ts";

const PUBLIC_URL = "https://logs.example.org/tally/";
const REDIRECT = "https://logs.example.org/tally/api/v1/signin/oidc/callback";

let server: ServerProcess;
let provider: OpenIdProvider;
let owner: Person;
before(async () => {
  server = await ServerProcess.start(["--public-url", PUBLIC_URL]);
  provider = await OpenIdProvider.start(REDIRECT);
  owner = await Person.join(server, "grace", "owner");
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

it("has the provider send people back there, and keeps cookies to https", async () => {
  const saved = await owner.call("PUT", "/api/v1/signin/oidc/settings", provider.settings());
  assert.equal(saved.body["redirect_uri"], REDIRECT);
  const told = await tell(server.url, ["GET", "/api/v1/signin/oidc"]);
  const { searchParams } = new URL(told.headers.location ?? "");
  assert.equal(searchParams.get("redirect_uri"), REDIRECT);
  const [cookie = ""] = told.headers["set-cookie"] ?? [];
  assert.match(
    cookie,
    /^__Host-tallystick-oidc=[\w-]+; .*Path=\/; HttpOnly; SameSite=Lax; Secure$/,
  );
});

it("has passkeys for that name", async () => {
  const device = new TestAuthenticator("https://logs.example.org");
  const passkeys = "/api/v1/profile/passkeys";
  const options = await owner.call<RegistrationOptions>("POST", passkeys, {});
  assert.equal(options.body.rp.id, "logs.example.org");
  const { clientExtensionResults: _made, ...made } = device.register(options.body);
  const confirmed = await owner.call("POST", `${passkeys}/confirm`, { name: "key", answer: made });
  assert.equal(confirmed.status, 201, JSON.stringify(confirmed.body));
  const path = "/api/v1/signin/passkey";
  const headers = { ...JSON_TYPE, host: "logs.example.org" };
  const asked = await tell<AssertionOptions>(server.url, ["POST", path], { headers, body: {} });
  const { clientExtensionResults: _signed, ...answer } = device.sign(asked.body);
  const told = await tell(server.url, ["POST", `${path}/confirm`], { headers, body: { answer } });
  assert.deepEqual([told.status, told.body["name"]], [200, "grace"], JSON.stringify(told.body));
});
