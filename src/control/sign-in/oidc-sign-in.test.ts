import assert from "node:assert/strict";
import { it } from "node:test";
import type { Role } from "../../api/roles.ts";
import { ADMIN, coded, PLACE, TestControl } from "../test-control.ts";
import type { ProvenPerson } from "./oidc-sign-in.ts";

const ISSUER = "https://idp.example";
const REQUEST = {
  issuer: ISSUER,
  clientId: "us",
  clientSecret: "hush, hush",
  scopes: ["openid"],
  groupsClaim: "groups",
  roles: [
    { group: "a", role: "admin" },
    { group: "v", role: "viewer" },
    { group: "o", role: "operator" },
    { group: "v", role: "auditor" },
  ],
  label: "IdP",
} as const;
const PROVIDER = { metadata: { issuer: ISSUER }, keys: [{ kty: "RSA" }], fetchedAtMs: 0 };

async function configured(): Promise<TestControl> {
  const test = new TestControl();
  await test.control.oidcRules.set(REQUEST, PROVIDER, ADMIN);
  return test;
}

function person(change: Partial<ProvenPerson> = {}): ProvenPerson {
  return { issuer: ISSUER, subject: "1", groups: ["v"], names: ["ada"], ...change };
}

const roles: [groups: string[], role: Role][] = [
  [["v"], "auditor"],
  [["o", "v"], "auditor"],
  [["v", "a", "o"], "admin"],
  [["o", "unknown"], "operator"],
];
for (const [groups, role] of roles) {
  it(`gives who is in ${groups.join(", ")} the role ${role}`, async () => {
    const { control } = await configured();
    assert.equal((await control.oidcSignIn.begin(person({ groups }), PLACE)).user.role, role);
  });
}

it("makes one user of somebody who comes twice at once, and two of two", async () => {
  const { control } = await configured();
  const people = [person(), person(), person({ subject: "2" }), person({ subject: "2 " })];
  const ids = await Promise.all(
    people.map(async (each) => (await control.oidcSignIn.begin(each, PLACE)).user.id),
  );
  assert.equal(ids[0], ids[1]);
  assert.equal(new Set(ids).size, 3);
  const names = control.users.table.list().map(({ name }) => name);
  assert.deepEqual(names, ["ada", "ada-2", "ada-3"]);
});

it("lets in nobody of an issuer that is configured no more", async () => {
  const { control, ...test } = await configured();
  const { user } = await control.oidcSignIn.begin(person(), PLACE);
  const other = "https://other.example";
  const provider = { ...PROVIDER, metadata: { issuer: other } };
  await control.oidcRules.set({ ...REQUEST, issuer: other }, provider, ADMIN);
  assert.deepEqual(control.sessions.list(user.id), []);
  await assert.rejects(control.oidcSignIn.begin(person(), PLACE), coded("oidc_denied"));
  await control.oidcRules.delete(ADMIN);
  await assert.rejects(control.oidcSignIn.begin(person(), PLACE), coded("oidc_off"));
  assert.ok(test.journal.length > 0);
});

it("sends the secret to no other issuer or client than it was given for", async () => {
  const { control } = await configured();
  const { clientSecret: _, ...rest } = REQUEST;
  assert.equal(control.oidcRules.complete(rest).clientSecret, "hush, hush");
  for (const change of [{ issuer: "https://other.example" }, { clientId: "other" }]) {
    assert.throws(
      () => control.oidcRules.complete({ ...rest, ...change }),
      coded("oidc_secret_needed"),
    );
  }
});

it("has neither secret nor session's secret in the journal", async () => {
  const test = await configured();
  const { secret } = await test.control.oidcSignIn.begin(person(), PLACE);
  const journal = JSON.stringify(test.journal);
  assert.ok(!journal.includes("hush") && !journal.includes(secret));
  assert.match(journal, /https:\/\/idp\.example 1/);
});
