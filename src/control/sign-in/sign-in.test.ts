import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { Secret, TOTP } from "otpauth";
import { OWNER_LINK_MS, SESSION_IDLE_MS_MAX, SESSION_MS_MAX, USER_LINK_MS } from "../limits.ts";
import { ADMIN, coded, PASSWORD, PLACE, TestControl } from "../test-control.ts";
import type { Own } from "./own-credentials.ts";
import type { SignedIn } from "./sign-in.ts";

let world: TestControl;
beforeEach(() => {
  world = new TestControl();
});

function ownOf({ user, session }: SignedIn): Own {
  const actor = { type: "user", id: user.id, name: user.name } as const;
  return { userId: user.id, sessionId: session.id, who: { ...ADMIN, actor } };
}

/** With a second factor; resolves with what makes its codes, by the step after now. */
async function withTotp(signedIn: SignedIn) {
  const { ownCredentials } = world.control;
  const { secret } = await ownCredentials.beginTotp(ownOf(signedIn), undefined);
  const totp = new TOTP({ secret: Secret.fromBase32(secret) });
  const code = (steps = 0) => totp.generate({ timestamp: world.clock.nowMs() + steps * 30_000 });
  const recovery = await ownCredentials.confirmTotp(ownOf(signedIn), code());
  return { secret, code, recovery };
}

function signIn(name: string, password = PASSWORD, code?: string): Promise<SignedIn> {
  const given = { name, password, ...(code === undefined ? {} : { code }) };
  return world.control.signIn.byPassword(given, PLACE);
}

function use(token: string, name: string, password = PASSWORD): Promise<SignedIn> {
  return world.control.signIn.byLink({ token, name, password }, PLACE);
}

describe("a password", () => {
  it("begins a session of its own each time, on record, without any secret", async () => {
    const first = await world.join("ada", "admin");
    const second = await signIn("ADA");
    assert.notEqual(second.secret, first.secret);
    assert.notEqual(second.session.id, first.session.id);
    assert.equal(world.control.sessions.use(second.secret)?.user.name, "ada");
    assert.equal(world.last, "session.create done");
    const entry = world.audits.at(-1);
    assert.deepEqual(
      [entry?.actor.name, entry?.address, entry?.origin],
      ["ada", PLACE.address, "console"],
    );
    const said = JSON.stringify(world.journal);
    const user = world.control.users.find("ada");
    for (const secret of [
      PASSWORD,
      first.secret,
      second.secret,
      second.session.secretHash,
      user.passwordHash,
    ]) {
      assert.ok(secret !== undefined && !said.includes(secret));
    }
  });

  it("is refused alike, after one hash, whatever is wrong, and leaves nothing typed on record", async () => {
    const ada = await world.join("ada", "admin");
    const { code } = await withTotp(ada);
    await world.join("bob", "admin");
    await world.control.users.disable("bob", ADMIN);
    await world.control.users.create({ name: "eve", role: "viewer" }, ADMIN);
    const before = world.journal.length;
    const wrong: [title: string, name: string, password: string, code?: string][] = [
      ["an unknown name", "zoe", PASSWORD],
      ["an unknown name with a code", "zoe", PASSWORD, "123456"],
      ["no name", "", PASSWORD],
      ["a wrong password", "ada", "wrong horse battery", code(1)],
      ["no code", "ada", PASSWORD],
      ["a code that was used", "ada", PASSWORD, code()],
      ["a code of next week", "ada", PASSWORD, code(20_000)],
      ["a wrong recovery code", "ada", PASSWORD, "aaaa-bbbb-cccc-dddd"],
      ["a disabled user", "bob", PASSWORD],
      ["a user without a password yet", "eve", ""],
    ];
    for (const [title, name, password, given] of wrong) {
      world.hashes = 0;
      const texts = await signIn(name, password, given).catch((error: Error) => error.message);
      assert.equal(texts, "or the user may not sign in", title);
      assert.equal(world.hashes, 1, title);
    }
    assert.equal(world.journal.length, before);
  });

  it("needs a code that was not used, one of each step, or a recovery code once", async () => {
    const { code, recovery } = await withTotp(await world.join("ada", "owner"));
    await assert.rejects(signIn("ada", PASSWORD, code()), coded("bad_signin"));
    const signedIn = await signIn("ada", PASSWORD, code(1));
    assert.equal(signedIn.session.secondFactor, true);
    await assert.rejects(signIn("ada", PASSWORD, code(1)), coded("bad_signin"));
    world.clock.advance(60_000);
    const both = await Promise.allSettled([
      signIn("ada", PASSWORD, code()),
      signIn("ada", PASSWORD, code()),
    ]);
    assert.deepEqual(both.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
    const [one = ""] = recovery;
    assert.equal((await signIn("ada", PASSWORD, one.toUpperCase())).session.secondFactor, true);
    await assert.rejects(signIn("ada", PASSWORD, one), coded("bad_signin"));
    assert.equal(world.control.users.table.countRecoveryCodes(signedIn.user.id), 9);
  });

  it("that is changed meanwhile lets nobody in", async () => {
    const ada = await world.join("ada", "owner");
    const [attempt] = await Promise.allSettled([
      signIn("ada"),
      world.control.ownCredentials.setPassword(ownOf(ada), PASSWORD, "another one, longer"),
    ]);
    const alive =
      attempt.status === "fulfilled" && world.control.sessions.use(attempt.value.secret);
    assert.ok(alive === false || alive === undefined, "a session of the old password is over");
    await assert.rejects(signIn("ada"), coded("bad_signin"));
    assert.equal((await signIn("ada", "another one, longer")).user.name, "ada");
  });
});

describe("a session", () => {
  it("ends after half a day, after two idle hours, and after a restart in the same way", async () => {
    const ada = await world.join("ada", "admin");
    const { sessions } = world.control;
    for (let usedMs = 0; usedMs < SESSION_MS_MAX - 3_600_000; usedMs += 3_600_000) {
      world.clock.advance(3_600_000);
      assert.ok(sessions.use(ada.secret) !== undefined, `${usedMs}`);
    }
    world.clock.advance(3_600_000);
    assert.equal(sessions.use(ada.secret), undefined);
    const idle = await signIn("ada");
    world.clock.advance(SESSION_IDLE_MS_MAX - 1);
    assert.ok(sessions.isAlive(idle.session.id));
    world.clock.advance(1);
    assert.equal(sessions.use(idle.secret), undefined);
    assert.deepEqual(sessions.list(), []);
  });

  it("is one of twenty: of more, the oldest ends", async () => {
    const ended: unknown[] = [];
    const first = await world.join("ada", "admin");
    world.control.accessEnds.listen((one) => ended.push(one));
    for (let more = 0; more < 20; more++) {
      world.clock.advance(1);
      await signIn("ada");
    }
    assert.equal(world.control.sessions.list().length, 20);
    assert.equal(world.control.sessions.use(first.secret), undefined);
    assert.deepEqual(ended, [{ session: first.session.id }]);
  });
});

describe("a second factor", () => {
  it("is confirmed by a code, shown nowhere on record, and ends other sessions", async () => {
    const ada = await world.join("ada", "admin");
    const other = await signIn("ada");
    const { ownCredentials, sessions } = world.control;
    await assert.rejects(ownCredentials.confirmTotp(ownOf(ada), "123456"), coded("wrong_code"));
    assert.equal(world.last, "user.set_second_factor refused wrong_code");
    const { secret, recovery } = await withTotp(ada);
    assert.equal(sessions.use(ada.secret)?.session.secondFactor, true);
    assert.equal(sessions.use(other.secret), undefined);
    const said = JSON.stringify(world.journal);
    for (const hidden of [secret, ...recovery]) assert.ok(!said.includes(hidden));
  });

  it("is replaced with the password alone", async () => {
    const ada = await world.join("ada", "admin");
    const first = await withTotp(ada);
    const { ownCredentials } = world.control;
    for (const wrong of [undefined, "not the right one"]) {
      await assert.rejects(ownCredentials.beginTotp(ownOf(ada), wrong), coded("wrong_password"));
    }
    const { secret } = await ownCredentials.beginTotp(ownOf(ada), PASSWORD);
    assert.notEqual(secret, first.secret);
    // Until it is confirmed, the first one counts.
    assert.equal((await signIn("ada", PASSWORD, first.code(1))).user.name, "ada");
  });
});

describe("a one-time link", () => {
  it("makes the first owner, once", async () => {
    const { links, users } = world.control;
    const { token } = await links.create(undefined, ADMIN);
    assert.ok(!JSON.stringify(world.journal).includes(token));
    await assert.rejects(use(token, "ada", "short"), coded("bad_password"));
    await assert.rejects(use(token, "no name"), coded("bad_name"));
    const { user, session } = await use(token, "ada");
    assert.deepEqual([user.role, session.secondFactor, users.table.size], ["owner", false, 1]);
    assert.deepEqual(
      world.audits.slice(-2).map(({ action, group }) => [action, group]),
      ["user.create", "session.create"].map((action) => [action, world.audits.at(-1)?.group]),
    );
    await assert.rejects(use(token, "ada"), coded("bad_signin_link"));
  });

  it("makes one owner, where two use it at once", async () => {
    const { token } = await world.control.links.create(undefined, ADMIN);
    const both = await Promise.allSettled([use(token, "ada"), use(token, "eve")]);
    assert.deepEqual(both.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
    assert.equal(world.control.users.table.size, 1);
  });

  it("ends with its time, and with the next one", async () => {
    const { links, users } = world.control;
    const late = await links.create(undefined, ADMIN);
    world.clock.advance(OWNER_LINK_MS);
    await assert.rejects(use(late.token, "ada"), coded("bad_signin_link"));
    const [older, newer] = [
      await links.create(undefined, ADMIN),
      await links.create(undefined, ADMIN),
    ];
    await assert.rejects(use(older.token, "ada"), coded("bad_signin_link"));
    assert.equal((await use(newer.token, "ada")).user.role, "owner");
    const { link } = await users.create({ name: "bob", role: "viewer" }, ADMIN);
    world.clock.advance(USER_LINK_MS);
    await assert.rejects(use(link.token, "bob"), coded("bad_signin_link"));
  });

  it("is for its user alone, and leaves the role as it is", async () => {
    await world.join("ada", "owner");
    const { link } = await world.control.users.create({ name: "bob", role: "viewer" }, ADMIN);
    await assert.rejects(use(link.token, "ada"), coded("unknown_user"));
    await assert.rejects(use(link.token, "eve"), coded("unknown_user"));
    const { user } = await use(link.token, "Bob");
    assert.deepEqual([user.name, user.role], ["bob", "viewer"]);
    const next = await world.control.links.create(user, ADMIN);
    await world.control.users.disable("bob", ADMIN);
    await assert.rejects(use(next.token, "bob"), coded("unknown_user"));
  });

  it("lets an owner in again who lost password and second factor, and nobody else", async () => {
    const ada = await world.join("ada", "owner");
    const { code } = await withTotp(ada);
    await world.join("bob", "admin");
    const { token } = await world.control.links.create(undefined, ADMIN);
    await assert.rejects(use(token, "bob"), coded("unknown_user"));
    await assert.rejects(use(token, "eve"), coded("unknown_user"));
    const again = await use(token, "ada", "the new one, long enough");
    assert.equal(again.session.secondFactor, false);
    assert.equal(again.user.totp, undefined);
    assert.equal(world.control.sessions.use(ada.secret), undefined);
    await assert.rejects(signIn("ada", PASSWORD, code(1)), coded("bad_signin"));
    assert.equal((await signIn("ada", "the new one, long enough")).user.id, ada.user.id);
  });
});
