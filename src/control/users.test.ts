import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import type { Ended } from "./access-ends.ts";
import type { Who } from "./who.ts";
import { ADMIN, coded, PASSWORD, TestControl } from "./test-control.ts";

let world: TestControl;
let ended: Ended[];
beforeEach(() => {
  world = new TestControl();
  ended = [];
  world.control.accessEnds.listen((one) => ended.push(one));
});

/** The properties that the last entry says changed. */
function changed(): Record<string, [unknown, unknown]> {
  const changes = world.audits.at(-1)?.changes ?? [];
  return Object.fromEntries(changes.map((one) => [one.property, [one.old, one.new]]));
}

describe("a user", () => {
  it("is made with a name that nobody has, in whatever case", async () => {
    const { users } = world.control;
    const { user } = await users.create({ name: "ada", role: "admin" }, ADMIN);
    assert.equal(users.find("ADA").id, user.id);
    assert.equal(users.find(user.id).name, "ada");
    await assert.rejects(
      users.create({ name: "Ada", role: "viewer" }, ADMIN),
      coded("user_exists"),
    );
    assert.equal(world.last, "user.create refused user_exists");
    assert.deepEqual(
      world.audits[0]?.changes.map(({ property }) => property),
      ["name", "role", "source", "enabled", "second_factor"],
    );
  });

  for (const name of ["", "a b", "-a", "a/b", "ä", "a\u202eb", "__proto__", "a".repeat(64)]) {
    it(`is not named ${JSON.stringify(name.slice(0, 20))}`, async () => {
      await assert.rejects(
        world.control.users.create({ name, role: "viewer" }, ADMIN),
        coded("bad_name"),
      );
    });
  }

  it("has nothing left after each change of what they may", async () => {
    const { users, sessions, tokens } = world.control;
    await world.join("eve", "owner");
    const changes: [action: string, make: () => Promise<unknown>][] = [
      ["user.set_role", () => users.setRole("ada", "viewer", ADMIN)],
      ["user.disable", () => users.disable("ada", ADMIN)],
      ["user.delete", () => users.delete("ada", ADMIN)],
    ];
    const ada = await world.join("ada", "admin");
    const who = { ...ADMIN, actor: { type: "user", id: ada.user.id, name: "ada" } } as const;
    const { text } = await tokens.create({ name: "ci" }, { userId: ada.user.id, who });
    for (const [action, make] of changes) {
      ended.length = 0;
      const given = { name: "ada", password: PASSWORD };
      const place = { address: "", agent: "", origin: "console" } as const;
      const session = await world.control.signIn.byPassword(given, place).catch(() => undefined);
      await make();
      assert.equal(world.last, `${action} done`);
      assert.deepEqual(ended, [{ user: ada.user.id }], action);
      if (session !== undefined) assert.equal(sessions.use(session.secret), undefined, action);
      const token = tokens.use(text);
      assert.equal(token?.user.role, action === "user.set_role" ? "viewer" : undefined, action);
    }
    assert.deepEqual([tokens.list(), users.table.byName("ada")], [[], undefined]);
  });

  it("says what changed, and nothing where nothing does", async () => {
    const { users } = world.control;
    await world.join("eve", "owner");
    await users.create({ name: "ada", role: "admin" }, ADMIN);
    await users.setRole("ada", "operator", ADMIN);
    assert.deepEqual(changed(), { role: ["admin", "operator"] });
    await users.disable("ada", ADMIN);
    assert.deepEqual(changed(), { enabled: [true, false] });
    const before = world.journal.length;
    await users.disable("ada", ADMIN);
    await users.setRole("ada", "operator", ADMIN);
    await users.resetSecondFactor("ada", ADMIN);
    assert.equal(world.journal.length, before);
    await users.enable("ada", ADMIN);
    assert.deepEqual(changed(), { enabled: [false, true] });
    await users.delete("ada", ADMIN);
    assert.deepEqual(changed()["name"], ["ada", null]);
    await assert.rejects(users.delete("ada", ADMIN), coded("unknown_user"));
  });
});

it("a user's token and session see the same views, which go with the user unless shared", async () => {
  const { users, views } = world.control;
  await world.join("eve", "owner");
  const { user } = await world.join("ada", "admin");
  const session: Who = { ...ADMIN, actor: { type: "user", id: user.id, name: "ada" } };
  const token: Who = { ...ADMIN, actor: { type: "token", id: "t1", name: "ada/ci" }, user };
  const content = { topic: "connections", query: "", settings: {} } as const;
  const own = await views.create({ ...content, name: "own", shared: false }, token);
  await views.create({ ...content, name: "shared", shared: true }, session);
  assert.equal((await views.update(own.id, { name: "mine" }, session)).ownerName, "ada");
  assert.deepEqual(
    views.list(user.id).map(({ name }) => name),
    ["mine", "shared"],
  );
  await users.delete("ada", ADMIN);
  assert.deepEqual(
    views.list(user.id).map(({ name }) => name),
    ["shared"],
  );
});

describe("the last owner who can sign in", () => {
  it("stays, as owner and enabled", async () => {
    const { users } = world.control;
    await world.join("ada", "owner");
    await world.join("bob", "owner");
    await users.disable("bob", ADMIN);
    // Whoever did not use the link yet cannot sign in either.
    await users.create({ name: "eve", role: "owner" }, ADMIN);
    const attempts: [action: string, make: () => Promise<unknown>][] = [
      ["user.set_role", () => users.setRole("ada", "admin", ADMIN)],
      ["user.disable", () => users.disable("ada", ADMIN)],
      ["user.delete", () => users.delete("ada", ADMIN)],
    ];
    for (const [action, make] of attempts) {
      await assert.rejects(make(), coded("last_owner"));
      assert.equal(world.last, `${action} refused last_owner`);
    }
    // They are no way in, and may go.
    await users.delete("bob", ADMIN);
    await users.delete("eve", ADMIN);
    assert.deepEqual(
      users.table.list().map(({ name }) => name),
      ["ada"],
    );
  });

  it("is one of two who would go at once", async () => {
    const { users } = world.control;
    await world.join("ada", "owner");
    await world.join("bob", "owner");
    const both = await Promise.allSettled([
      users.setRole("ada", "viewer", ADMIN),
      users.delete("bob", ADMIN),
    ]);
    assert.deepEqual(
      both.map(({ status }) => status),
      ["fulfilled", "rejected"],
    );
  });
});
