/** Passkeys over HTTP: a device in software answers what the server's pages would ask it. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { TestAuthenticator } from "../../src/control/sign-in/test-authenticator.ts";
import type {
  AssertionOptions,
  RegistrationOptions,
} from "../../src/control/sign-in/passkey-checks.ts";
import { auditRows } from "./audit-rows.ts";
import { cookieOf, JSON_TYPE, Person, tell, type Told } from "./person.ts";
import { ServerProcess } from "./server-process.ts";

const PASSKEYS = "/api/v1/profile/passkeys";
const SIGN_IN = "/api/v1/signin/passkey";

let server: ServerProcess;
/** The server under the name for which browsers have passkeys. */
let page = "";
before(async () => {
  server = await ServerProcess.start();
  page = `http://localhost:${new URL(server.url).port}`;
});
after(() => server[Symbol.asyncDispose]());

function at<T = Record<string, unknown>>(
  [method, path]: readonly [method: string, path: string],
  body?: object,
  person?: Person,
): Promise<Told<T>> {
  const host = new URL(page).host;
  const headers = { ...JSON_TYPE, ...person?.headers, host };
  return tell<T>(server.url, [method, path], { headers, body });
}

async function register(person: Person, device: TestAuthenticator, name: string) {
  const options = await at<RegistrationOptions>(["POST", PASSKEYS], {}, person);
  assert.equal(options.status, 200, JSON.stringify(options.body));
  const { clientExtensionResults: _, ...answer } = device.register(options.body);
  return at(["POST", `${PASSKEYS}/confirm`], { name, answer }, person);
}

async function signIn(device: TestAuthenticator): Promise<Told> {
  const options = await at<AssertionOptions>(["POST", SIGN_IN], {});
  assert.equal(options.status, 200, JSON.stringify(options.body));
  return at(["POST", `${SIGN_IN}/confirm`], { answer: device.sign(options.body) });
}

describe("a passkey", () => {
  it("is a way in where browsers have passkeys, and nowhere else", async () => {
    const methods = await at(["GET", "/api/v1/signin/methods"]);
    assert.deepEqual(methods.body, { password: true, passkey: true, oidc: null });
    const { body } = await server.call("GET", "/api/v1/signin/methods");
    assert.equal(body["passkey"], false);
    const told = await tell(server.url, ["POST", SIGN_IN], { headers: JSON_TYPE, body: {} });
    assert.deepEqual([told.status, told.code], [400, "passkey_origin"]);
  });

  it("is the second factor of who has none yet, and then lets in without name or password", async () => {
    const ada = await Person.invited(server, "ada", "operator");
    assert.equal((await ada.call("GET", "/api/v1/nodes")).code, "second_factor_needed");
    const device = new TestAuthenticator(page);
    const made = await register(ada, device, "laptop");
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.equal((made.body["recovery_codes"] as string[]).length, 10);
    assert.equal((await ada.call("GET", "/api/v1/nodes")).status, 200);
    const told = await signIn(device);
    assert.equal(told.status, 200, JSON.stringify(told.body));
    const { name, role, second_factor, second_factor_needed } = told.body;
    assert.deepEqual(
      [name, role, second_factor, second_factor_needed],
      ["ada", "operator", "passkey", false],
    );
    const cookie = cookieOf(told);
    assert.notEqual(cookie, ada.cookie);
    assert.match(String(told.headers["set-cookie"]), /HttpOnly; SameSite=Lax/);
    const { body } = await tell(server.url, ["GET", "/api/v1/profile"], { headers: { cookie } });
    assert.equal(body["user_id"], ada.id);
    assert.equal((await ada.signIn()).code, "bad_signin");
  });

  it("is listed with when it was used, renamed, and removed", async () => {
    const lin = await Person.join(server, "lin", "viewer");
    const device = new TestAuthenticator(page);
    const made = await register(lin, device, "phone");
    assert.deepEqual([made.status, made.body["recovery_codes"]], [201, []]);
    assert.equal((await signIn(device)).status, 200);
    const id = String(made.body["id"]);
    const renamed = await at(["PATCH", `${PASSKEYS}/${id}`], { name: "old phone" }, lin);
    assert.equal(renamed.status, 200);
    const { items } = (
      await at<{ items: Record<string, unknown>[] }>(["GET", PASSKEYS], undefined, lin)
    ).body;
    assert.deepEqual(
      items.map(({ name, for: rpId, backed_up }) => [name, rpId, backed_up]),
      [["old phone", "localhost", false]],
    );
    assert.ok(Date.parse(String(items[0]?.["used_at"])) > 0);
    const removed = await at(["POST", `${PASSKEYS}/${id}/remove`], { password: "wrong" }, lin);
    assert.deepEqual([removed.status, removed.code], [403, "wrong_password"]);
    const { password } = lin;
    assert.equal((await at(["POST", `${PASSKEYS}/${id}/remove`], { password }, lin)).status, 200);
    assert.equal((await signIn(device)).code, "bad_passkey");
    const rows = await auditRows(
      server,
      `actor_id = '${lin.id}' AND startsWith(action, 'passkey')`,
    );
    assert.deepEqual(
      rows.map(({ action, target, outcome, code }) => [action, target, outcome, code]),
      [
        ["passkey.create", "phone", "done", ""],
        ["passkey.update", "phone", "done", ""],
        ["passkey.delete", "", "refused", "wrong_password"],
        ["passkey.delete", "old phone", "done", ""],
      ],
    );
  });

  it("belongs to its user: others see, rename and remove none of it", async () => {
    const [one, other] = [
      await Person.join(server, "one", "owner"),
      await Person.join(server, "other", "owner"),
    ];
    const { body } = await register(one, new TestAuthenticator(page), "key");
    const path = `${PASSKEYS}/${String(body["id"])}`;
    const listed = await at<{ items: object[] }>(["GET", PASSKEYS], undefined, other);
    assert.deepEqual(listed.body.items, []);
    assert.equal((await at(["PATCH", path], { name: "x" }, other)).code, "unknown_passkey");
    assert.equal((await at(["POST", `${path}/remove`], {}, other)).code, "unknown_passkey");
    const token = await one.token();
    const headers = { authorization: `Bearer ${token}`, ...JSON_TYPE };
    const told = await tell(server.url, ["POST", `${path}/remove`], { headers, body: {} });
    assert.equal(told.code, "session_needed");
  });

  it("answers alike whether there is such a user or device or not", async () => {
    const [known, unknown] = [new TestAuthenticator(page), new TestAuthenticator(page)];
    await register(await Person.join(server, "kim", "viewer"), known, "key");
    const options = await at<AssertionOptions>(["POST", SIGN_IN], {});
    assert.deepEqual(Object.keys(options.body).toSorted(), [
      "challenge",
      "rpId",
      "timeout",
      "userVerification",
    ]);
    unknown.userHandle = known.userHandle;
    const refused = [
      await signIn(unknown),
      await at(["POST", `${SIGN_IN}/confirm`], {
        answer: known.sign((await at<AssertionOptions>(["POST", SIGN_IN], {})).body, {
          origin: "https://evil.example",
        }),
      }),
    ];
    for (const told of refused) {
      assert.deepEqual([told.status, told.code], [403, "bad_passkey"]);
      assert.doesNotMatch(JSON.stringify(told.body), /evil|kim/);
    }
  });

  it("is asked for by the server's own pages alone", async () => {
    for (const path of [SIGN_IN, `${SIGN_IN}/confirm`]) {
      const headers = { ...JSON_TYPE, host: new URL(page).host, "sec-fetch-site": "cross-site" };
      const told = await tell(server.url, ["POST", path], { headers, body: {} });
      assert.equal(told.code, "cross_site");
    }
  });

  it("takes no answer that is none", async () => {
    const answers: object[] = [
      {},
      { id: "a", rawId: "a", type: "public-key", response: {} },
      { id: "a", rawId: "a", type: "password", response: assertion("e30", "AA", "AA") },
      { id: "a", rawId: "a", type: "public-key", response: assertion("+/=", "AA", "AA") },
      {
        id: "a".repeat(2_000),
        rawId: "a",
        type: "public-key",
        response: assertion("e30", "A", "A"),
      },
    ];
    for (const answer of answers) {
      assert.equal((await at(["POST", `${SIGN_IN}/confirm`], { answer })).code, "bad_request");
    }
    const empty = {
      id: "a",
      rawId: "a",
      type: "public-key",
      response: assertion("e30", "AA", "AA"),
    };
    const told = await at(["POST", `${SIGN_IN}/confirm`], { answer: empty });
    assert.deepEqual([told.status, told.code], [403, "bad_passkey"]);
  });
});

function assertion(clientDataJSON: string, authenticatorData: string, signature: string) {
  return { clientDataJSON, authenticatorData, signature };
}
