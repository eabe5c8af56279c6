import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { readProfile, removeProfile, writeProfile } from "./profile.ts";
import { remoteOf, type RemoteValues } from "./remote-options.ts";

const directory = mkdtempSync(join(tmpdir(), "profile-"));
after(() => rmSync(directory, { recursive: true }));

const PROFILE = {
  url: "https://logs.lan:8255",
  token: "tst1.a.b",
  ca: `sha256:${"ab".repeat(32)}`,
};
const NONE: RemoteValues = { url: undefined, token: undefined, ca: undefined, data: undefined };

it("is kept for its owner alone, whole, and removed without a trace", () => {
  const env = { XDG_CONFIG_HOME: join(directory, "a") };
  assert.equal(readProfile(env), undefined);
  removeProfile(env);
  const file = writeProfile(env, { url: "http://old", token: "old" });
  assert.equal(file, join(directory, "a", "tallystick", "profile.json"));
  writeProfile(env, PROFILE);
  assert.deepEqual(readProfile(env), PROFILE);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  removeProfile(env);
  assert.equal(readProfile(env), undefined);
});

it("stands below .config of HOME, where nothing absolute is said", () => {
  const home = join(directory, "home");
  for (const XDG_CONFIG_HOME of [undefined, "", "relative"]) {
    const file = writeProfile({ XDG_CONFIG_HOME, HOME: home }, PROFILE);
    assert.equal(file, join(home, ".config", "tallystick", "profile.json"));
  }
  assert.equal(readProfile({}), undefined);
  assert.throws(() => writeProfile({}, PROFILE), /no home directory/);
});

for (const damaged of ["", "null", "[]", "{}", '{"url":"x"}', '{"url":1,"token":"t"}', "{"]) {
  it(`does not take ${JSON.stringify(damaged)} for one`, () => {
    const env = { XDG_CONFIG_HOME: join(directory, "damaged") };
    writeFileSync(writeProfile(env, PROFILE), damaged);
    assert.throws(() => readProfile(env), /cannot read, .*profile\.json, remove it/);
  });
}

it("counts after options and variables, and for its own server alone", () => {
  const env = { XDG_CONFIG_HOME: join(directory, "used") };
  writeProfile(env, PROFILE);
  const remote = remoteOf(NONE, env);
  assert.deepEqual([remote.url.href, remote.token], [`${PROFILE.url}/`, PROFILE.token]);
  assert.deepEqual(remote.fingerprint, Buffer.alloc(32, 0xab));
  assert.equal(remoteOf({ ...NONE, url: `${PROFILE.url}/` }, env).token, PROFILE.token);
  for (const url of ["http://logs.lan:8255", "https://logs.lan", "https://evil.example:8255"]) {
    assert.throws(() => remoteOf({ ...NONE, url }, env), /no token \(the profile is for https:/);
  }
  const other = remoteOf({ ...NONE, token: "mine" }, env);
  assert.deepEqual([other.url.origin, other.token], ["http://127.0.0.1:8255", "mine"]);
});
