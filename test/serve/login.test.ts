/** The command line of people: login, logout, users, tokens, and the way back in. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Secret, TOTP } from "otpauth";
import { cleanEnv, type Ended, PROGRAM, run, ServerProcess } from "./server-process.ts";

const PASSWORD = "correct horse battery";

let server: ServerProcess;
const config = mkdtempSync(join(tmpdir(), "tallystick-config-"));
const env = { XDG_CONFIG_HOME: config };
const profile = join(config, "tallystick", "profile.json");
/** Of ada, the first owner. */
let totp: TOTP;
let recovery: string[];

before(async () => {
  server = await ServerProcess.start();
});
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(config, { recursive: true });
});

/** By a one-time link, as somebody would type it; the code is what the shown secret makes. */
async function loginByLink(link: string, name: string): Promise<Ended & { secret: string }> {
  const words = [PROGRAM, "login", "--link", "--url", server.url];
  const child = spawn(process.execPath, words, { env: cleanEnv(env) });
  child.stdin.write(`${link}\n${name}\n${PASSWORD}\n${PASSWORD}\n`);
  let secret = "";
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    const shown = /^ {2}([A-Z2-7]{32})$/m.exec(stderr)?.[1];
    if (shown === undefined || secret !== "" || !stderr.includes("Code that it shows")) return;
    secret = shown;
    const code = new TOTP({ secret: Secret.fromBase32(shown) }).generate();
    child.stdin.end(`${code}\n`);
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr, secret };
}

describe("login", () => {
  it("by the one-time link: sets a password and a second factor, and keeps a token", async () => {
    const link = await server.command("admin", "signin-link");
    assert.match(link.stdout, /^http:\/\/127\.0\.0\.1:\d+\/#signin=[\w-]{43}\n$/);
    const ended = await loginByLink(link.stdout.trim(), "ada");
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /^signed in at http:\S+ as ada \(owner\), until .*profile\.json\n$/);
    assert.ok(!ended.stderr.includes(PASSWORD));
    totp = new TOTP({ secret: Secret.fromBase32(ended.secret) });
    recovery = ended.stderr.match(/[a-z2-7]{4}(?:-[a-z2-7]{4}){3}/g) ?? [];
    assert.equal(recovery.length, 10);
    assert.equal(statSync(profile).mode & 0o777, 0o600);
    const kept = JSON.parse(readFileSync(profile, "utf8")) as { url: string; token: string };
    assert.equal(kept.url, server.url);
    assert.match(kept.token, /^tst1\./);
  });

  it("makes other commands need no token, on this server and no other", async () => {
    const users = await run(["users", "--json"], env);
    assert.match(users.stdout, /"name":"ada","role":"owner"/);
    const other = await run(["users", "--url", "http://127.0.0.1:9"], env);
    assert.equal(other.code, 2);
    assert.match(other.stderr, /no token \(the profile is for http:\/\/127\.0\.0\.1:\d+\)/);
    const given = await run(["users"], { ...env, TALLYSTICK_TOKEN: "tst1.wrong" });
    assert.match(given.stderr, /cannot reach|no valid token/);
  });

  it("by name, password and code: the token before is revoked, the session over", async () => {
    const code = totp.generate({ timestamp: Date.now() + 30_000 });
    const words = ["login", "--url", server.url, "--json"];
    const kept = readFileSync(profile, "utf8");
    const ended = await run(words, env, `ada\n${PASSWORD}\n${code}\n`);
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal((JSON.parse(ended.stdout) as { role: string }).role, "owner");
    assert.notEqual(readFileSync(profile, "utf8"), kept);
    const { body } = await server.call<{ items: { state: string; user: string }[] }>(
      "GET",
      "/api/v1/tokens",
    );
    assert.deepEqual(
      body.items.map(({ state }) => state),
      ["usable", "revoked"],
    );
    const sessions = await server.call<{ items: unknown[] }>("GET", "/api/v1/sessions");
    assert.deepEqual(sessions.body.items, []);
  });

  it("by a recovery code, once", async () => {
    const words = ["login", "--url", server.url];
    const input = `ada\n${PASSWORD}\n${recovery[0]}\n`;
    assert.equal((await run(words, env, input)).code, 0);
    const again = await run(words, env, input);
    assert.match(again.stderr, /name, password or code is wrong, .*\(bad_signin\)\n$/);
    assert.equal(again.code, 1);
  });

  const wrong: [title: string, words: string[], input: string, code: number, error: RegExp][] = [
    ["nothing typed", [], "", 1, /no answer, stdin ended/],
    ["a password without a name", [], "\nx\n\n", 1, /bad_signin/],
    ["two passwords", ["--link"], "t\nada\nfirst\nsecond\n", 1, /two different passwords/],
    ["no link", ["--link"], `t\nada\n${PASSWORD}\n${PASSWORD}\n`, 1, /\(bad_signin_link\)/],
    ["a wrong token", ["--token-stdin"], "tst1.x\n", 1, /\(unauthorized\)/],
    ["no token", ["--token-stdin"], "", 2, /the token is empty/],
    ["two ways", ["--token-stdin", "--link"], "", 2, /exclude each other/],
  ];
  for (const [title, words, input, code, error] of wrong) {
    it(`fails with ${title}, and keeps what was kept`, async () => {
      const kept = readFileSync(profile, "utf8");
      const ended = await run(["login", "--url", server.url, ...words], env, input);
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, error);
      assert.equal(readFileSync(profile, "utf8"), kept);
    });
  }
});

describe("users and tokens", () => {
  it("are made, listed, changed and deleted", async () => {
    const made = await run(["users", "create", "bob", "--role", "viewer"], env);
    assert.match(made.stdout, /#signin=[\w-]{43}\n$/);
    assert.match(made.stderr, /^once, until .*; or by `tallystick login --link`\n$/);
    const commands: [words: string, out: RegExp][] = [
      ["users", /^NAME +ROLE +STATE .*\nada +owner +enabled +totp .*\nbob +viewer +invited +none /],
      ["users role bob operator", /\nbob +operator /],
      ["users disable bob", /\nbob +operator +disabled /],
      ["users enable BOB", /\nbob +operator +invited /],
      ["users link bob", /#signin=/],
      ["users reset-second-factor bob", /\nbob /],
      ["users delete bob", /\nbob /],
      ["tokens create ci --scope status.read --ttl 1d", /^tst1\.[0-9a-f]{16}\.[\w-]{43}\n$/],
      ["tokens", /^ID .*\n[0-9a-f]{16} +ci +ada +usable .* status\.read\n/],
    ];
    for (const [words, out] of commands) {
      const ended = await run(words.split(" "), env);
      assert.equal(ended.code, 0, ended.stderr);
      assert.match(ended.stdout, out, words);
    }
    const refused: [words: string, error: RegExp][] = [
      ["users delete bob", /no such user, .*\(unknown_user\)/],
      ["users role ada viewer", /\(last_owner\)/],
      ["users create ada --role viewer", /\(user_exists\)/],
      ["users create eve --role king", /must be one of viewer, operator, auditor, admin, owner/],
      ["tokens create x --scope all", /\(bad_request\)/],
      ["tokens revoke none", /\(unknown_token\)/],
    ];
    for (const [words, error] of refused) {
      const ended = await run(words.split(" "), env);
      assert.deepEqual([ended.code, ended.stdout], [1, ""], words);
      assert.match(ended.stderr, error);
    }
  });

  it("a token that may little is taken from stdin, and can end itself", async () => {
    const reader = mkdtempSync(join(config, "reader-"));
    const made = await run(["tokens", "create", "narrow", "--scope", "status.read"], env);
    assert.equal(made.code, 0, made.stderr);
    const own = { XDG_CONFIG_HOME: reader };
    const words = ["login", "--url", server.url, "--token-stdin"];
    const ended = await run(words, own, made.stdout);
    assert.equal(ended.stderr, "");
    assert.match(ended.stdout, /as ada \(owner\); the token is in /);
    assert.equal((await run(["status"], own)).code, 0);
    assert.match((await run(["users"], own)).stderr, /\(forbidden\)/);
    const left = await run(["logout"], own);
    assert.equal(left.stdout, `signed out of ${server.url}\n`);
    assert.match((await run(["status"], own)).stderr, /no token, set TALLYSTICK_TOKEN/);
    const dead = await run(["status", "--url", server.url, "--token", made.stdout.trim()], own);
    assert.match(dead.stderr, /\(unauthorized\)/);
  });
});

it("whoever lost everything gets in again from the server's machine, and it is on record", async () => {
  const link = await server.command("admin", "signin-link");
  const ended = await loginByLink(link.stdout.trim(), "ada");
  assert.equal(ended.code, 0, ended.stderr);
  const sql = `SELECT action, actor FROM audit WHERE action IN ('signin_link.create',
    'user.set_password') ORDER BY journal_index DESC LIMIT 2`;
  const rows = await server.until(
    async () => (await server.call<{ rows: string[][] }>("POST", "/api/v1/sql", { sql })).body.rows,
    ([last]) => last?.[0] === "user.set_password",
  );
  assert.deepEqual(rows, [
    ["user.set_password", "ada"],
    ["signin_link.create", "admin"],
  ]);
});

it("a profile that is damaged is named, and no other credential is taken for it", async () => {
  writeFileSync(profile, "{");
  const ended = await run(["status"], env);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /cannot read, .*profile\.json, remove it and sign in/);
  const data = await run(["status", "--data", server.dir], env);
  assert.equal(data.code, 0, data.stderr);
});
