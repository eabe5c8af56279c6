import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { tokenPermissions, type TokenMaker } from "./api-tokens.ts";
import {
  DEAD_TOKENS_KEPT_MAX,
  DEAD_TOKENS_KEPT_MS,
  TOKEN_MS_DEFAULT,
  TOKEN_MS_MAX,
} from "./limits.ts";
import {
  isReading,
  mayRole,
  type Permission,
  permissionsOf,
  type Role,
  ROLES,
} from "../api/roles.ts";
import { ADMIN, coded, TestControl } from "./test-control.ts";

let world: TestControl;
beforeEach(async () => {
  world = new TestControl();
  await world.join("root", "owner");
});

async function maker(role: Role, name = "ada"): Promise<TokenMaker> {
  const { user } = await world.join(name, role);
  const actor = { type: "user", id: user.id, name } as const;
  return { userId: user.id, who: { ...ADMIN, actor } };
}

/** As a request would show it. */
function permissions(text: string): Permission[] {
  const used = world.control.tokens.use(text);
  return used === undefined ? [] : tokenPermissions(used.token, used.user);
}

describe("an API token", () => {
  it("is shown once, kept as a hash, and found by its whole text alone", async () => {
    const { tokens } = world.control;
    const { token, text } = await tokens.create({ name: "ci" }, await maker("admin"));
    assert.match(text, /^tst1\.[0-9a-f]{16}\.[\w-]{43}$/);
    assert.equal(token.expiresAtMs, world.clock.nowMs() + TOKEN_MS_DEFAULT);
    assert.equal(tokens.use(text)?.user.name, "ada");
    const [form = "", id = "", secret = ""] = text.split(".");
    const said = JSON.stringify(world.journal);
    assert.ok(!said.includes(secret) && !said.includes(token.secretHash) && said.includes(id));
    const other = await tokens.create({ name: "other" }, { userId: token.userId, who: ADMIN });
    const wrong = [
      `${form}.${id}.${secret.slice(1)}`,
      `${form}.${id}.${"A".repeat(43)}`,
      `${form}.${other.token.id}.${secret}`,
      `${text} `,
      `tst2.${id}.${secret}`,
      token.secretHash,
      "",
    ];
    for (const each of wrong) assert.equal(tokens.use(each), undefined, each);
  });

  it("that is dead is remembered, but of a user no more than so many", async () => {
    const { tokens } = world.control;
    const making = await maker("viewer");
    const usable = await tokens.create({ name: "usable" }, making);
    const ids: string[] = [];
    for (let turn = 0; turn < DEAD_TOKENS_KEPT_MAX + 50; turn++) {
      world.clock.advance(1_000);
      const { token } = await tokens.create({ name: `n${turn}` }, making);
      await tokens.revoke(token.id, making.who, () => true);
      ids.push(token.id);
    }
    const listed = new Set(tokens.list(making.userId).map(({ id }) => id));
    assert.ok(listed.size <= DEAD_TOKENS_KEPT_MAX + 2, `${listed.size} tokens`);
    assert.ok(listed.has(usable.token.id) && listed.has(ids.at(-1) ?? ""));
    assert.ok(!listed.has(ids[0] ?? ""));
  });

  for (const role of ROLES) {
    it(`of ${role} may what the role may, and for an auditor what reads`, async () => {
      const { tokens } = world.control;
      const making = await maker(role);
      const { text } = await tokens.create({ name: "all" }, making);
      const all = permissionsOf(role);
      const may = role === "auditor" ? all.filter(isReading) : all;
      assert.deepEqual(permissions(text), may);
      for (const scope of permissionsOf("owner")) {
        const create = tokens.create({ name: "one", scopes: [scope] }, making);
        if (may.includes(scope)) assert.deepEqual(permissions((await create).text), [scope]);
        else await assert.rejects(create, coded("bad_scope"), scope);
      }
    });
  }

  it("never may more than the user does now", async () => {
    const { tokens, users } = world.control;
    const making = await maker("admin");
    const { text } = await tokens.create({ name: "ci", scopes: ["sql", "status.read"] }, making);
    const whole = await tokens.create({ name: "whole" }, making);
    await users.setRole("ada", "viewer", ADMIN);
    assert.deepEqual(permissions(text), ["status.read"]);
    assert.deepEqual(permissions(whole.text), permissionsOf("viewer"));
    await users.setRole("ada", "auditor", ADMIN);
    assert.ok(permissions(whole.text).every((each) => isReading(each) && mayRole("auditor", each)));
  });

  it("never outlives the user's being enabled, nor its own time", async () => {
    const { tokens, users } = world.control;
    const making = await maker("admin");
    const endsAtMs = world.clock.nowMs() + 10_000;
    const { text, token } = await tokens.create({ name: "ci", expiresAtMs: endsAtMs }, making);
    await users.disable("ada", ADMIN);
    assert.equal(tokens.use(text), undefined);
    await assert.rejects(tokens.create({ name: "more" }, making), coded("unknown_user"));
    await users.enable("ada", ADMIN);
    assert.ok(tokens.use(text) !== undefined);
    world.clock.advance(10_000);
    assert.deepEqual([tokens.use(text), tokens.stateOf(token)], [undefined, "expired"]);
  });

  it("stays listed for 90 days when it is dead, and then makes room for another", async () => {
    const { tokens } = world.control;
    const making = await maker("admin");
    const { token } = await tokens.create({ name: "dead" }, making);
    await tokens.revoke(token.id, ADMIN, () => true);
    const listed = () => tokens.list(making.userId).map(({ name }) => name);
    world.clock.advance(DEAD_TOKENS_KEPT_MS);
    await tokens.create({ name: "next" }, making);
    assert.deepEqual(listed(), ["next", "dead"]);
    world.clock.advance(1);
    await tokens.create({ name: "last" }, making);
    assert.deepEqual(listed(), ["last", "next"]);
  });

  for (const name of ["", "  ", "a\nb", "a\u202eb", "\u200b", "\u001b[2J", "a".repeat(64)]) {
    it(`is not named ${JSON.stringify(name.slice(0, 20))}`, async () => {
      const create = world.control.tokens.create({ name }, await maker("admin"));
      await assert.rejects(create, coded("bad_name"));
    });
  }

  const ends: [title: string, afterMs: number, isAllowed: boolean][] = [
    ["in 366 days", TOKEN_MS_MAX, true],
    ["a millisecond later", TOKEN_MS_MAX + 1, false],
    ["in a second", 1_000, true],
    ["now", 0, false],
    ["in the past", -1_000, false],
    ["never", Number.NaN, false],
  ];
  for (const [title, afterMs, isAllowed] of ends) {
    it(`may end ${title}: ${isAllowed}`, async () => {
      const expiresAtMs = world.clock.nowMs() + afterMs;
      const create = world.control.tokens.create({ name: "ci", expiresAtMs }, await maker("admin"));
      if (isAllowed) assert.equal((await create).token.expiresAtMs, expiresAtMs);
      else await assert.rejects(create, coded("bad_ttl"));
    });
  }
});

describe("a token that a token made", () => {
  it("has no more scope and no more time, and is revoked with it", async () => {
    const { tokens } = world.control;
    const making = await maker("owner");
    const scopes: Permission[] = ["profile.write", "sql"];
    const endsAtMs = world.clock.nowMs() + 60_000;
    const first = await tokens.create({ name: "first", scopes, expiresAtMs: endsAtMs }, making);
    const by = { ...making, token: first.token };
    await assert.rejects(
      tokens.create({ name: "wider", scopes: ["users.write"] }, by),
      coded("bad_scope"),
    );
    await assert.rejects(
      tokens.create({ name: "longer", expiresAtMs: endsAtMs + 1 }, by),
      coded("bad_ttl"),
    );
    const second = await tokens.create({ name: "second" }, by);
    assert.deepEqual([permissions(second.text), second.token.expiresAtMs], [scopes, endsAtMs]);
    const third = await tokens.create({ name: "third" }, { ...making, token: second.token });
    const beside = await tokens.create({ name: "beside" }, making);
    await assert.rejects(
      tokens.revoke(first.token.id, ADMIN, () => false),
      coded("unknown_token"),
    );
    await tokens.revoke(first.token.id, ADMIN, () => true);
    for (const { text } of [first, second, third]) assert.equal(tokens.use(text), undefined);
    assert.ok(tokens.use(beside.text) !== undefined);
    const revoked = world.audits.filter(({ action }) => action === "token.revoke").slice(-3);
    assert.equal(new Set(revoked.map(({ group }) => group)).size, 1);
    const before = world.journal.length;
    await tokens.revoke(first.token.id, ADMIN, () => true);
    assert.equal(world.journal.length, before);
  });
});
