import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { beforeEach, describe, it } from "node:test";
import { CHALLENGE_MS_MAX, FRESH_SESSION_MS } from "../limits.ts";
import { ADMIN, coded, PASSWORD, PLACE, TestControl } from "../test-control.ts";
import type { Own } from "./own-credentials.ts";
import type { SignedIn } from "./sign-in.ts";
import { type Lie, PRESENT, TestAuthenticator, VERIFIED } from "./test-authenticator.ts";

const PAGE = { origin: "https://logs.example.org", rpId: "logs.example.org" };
const NETWORK = "10.0.0.9";

let world: TestControl;
let ada: SignedIn;
let own: Own;
let device: TestAuthenticator;
beforeEach(async () => {
  world = new TestControl();
  ada = await world.join("ada", "owner");
  own = ownOf(ada);
  device = new TestAuthenticator(PAGE.origin);
});

function ownOf({ user, session }: SignedIn): Own {
  const actor = { type: "user", id: user.id, name: user.name } as const;
  const who = { actor, address: NETWORK, origin: "console" } as const;
  return { userId: user.id, sessionId: session.id, who };
}

async function register(lie: Lie = {}, of = device, name = "laptop") {
  const options = await world.control.ownPasskeys.begin(own, PAGE, undefined);
  return world.control.ownPasskeys.confirm(own, of.register(options, lie), name);
}

async function signIn(lie: Lie = {}, of = device): Promise<SignedIn> {
  const options = await world.control.passkeySignIn.begin(PAGE, NETWORK);
  return world.control.passkeySignIn.confirm(of.sign(options, lie), PLACE);
}

function byPassword(code?: string) {
  const given = { name: "ada", password: PASSWORD, ...(code === undefined ? {} : { code }) };
  return world.control.signIn.byPassword(given, PLACE);
}

describe("a passkey", () => {
  it("is registered on record, and signs in as both factors without a name", async () => {
    const { passkey } = await register();
    assert.equal(world.last, "passkey.create done");
    assert.deepEqual([passkey.name, passkey.rpId], ["laptop", PAGE.rpId]);
    const { user, session } = await signIn();
    assert.deepEqual([user.id, session.secondFactor], [ada.user.id, true]);
    assert.equal(world.last, "session.create done");
    assert.deepEqual(world.audits.at(-1)?.facts, { by: "passkey", passkey: "laptop" });
    const [kept] = world.control.ownPasskeys.table.list(ada.user.id);
    assert.deepEqual([kept?.counter, kept?.usedAtMs], [1, world.clock.nowMs()]);
  });

  it("asks for one that the person chooses, who must be looked at", async () => {
    const registration = await world.control.ownPasskeys.begin(own, PAGE, undefined);
    const selection = registration.authenticatorSelection;
    assert.deepEqual(
      [selection?.residentKey, selection?.userVerification, registration.attestation],
      ["required", "required", "none"],
    );
    const { allowCredentials, userVerification, rpId } = await world.control.passkeySignIn.begin(
      PAGE,
      NETWORK,
    );
    assert.deepEqual(
      [allowCredentials, userVerification, rpId],
      [undefined, "required", PAGE.rpId],
    );
  });

  it("leaves neither key nor credential in the journal", async () => {
    await register();
    await signIn();
    const [kept] = world.control.ownPasskeys.table.list(ada.user.id);
    const journal = JSON.stringify(world.journal);
    assert.ok(kept !== undefined && !journal.includes(kept.publicKey));
    assert.ok(!journal.includes(kept.credentialId));
  });

  it("takes the place of an authenticator as second factor, with recovery codes", async () => {
    const other = await byPassword();
    const { recoveryCodes } = await register();
    assert.equal(recoveryCodes.length, 10);
    assert.equal(world.control.sessions.isAlive(own.sessionId), true);
    assert.equal(world.control.sessions.table.get(own.sessionId)?.secondFactor, true);
    assert.equal(world.control.sessions.isAlive(other.session.id), false);
    // From now on the password alone lets nobody in, right or wrong.
    await assert.rejects(byPassword(), coded("bad_signin"));
    await assert.rejects(byPassword("123456"), coded("bad_signin"));
    const { session } = await byPassword(recoveryCodes[0]);
    assert.equal(session.secondFactor, true);
    await assert.rejects(byPassword(recoveryCodes[0]), coded("bad_signin"));
    const second = await register({}, new TestAuthenticator(PAGE.origin), "phone");
    assert.deepEqual(second.recoveryCodes, []);
  });

  it("is gone when an owner resets the second factor, uses a link, or deletes the user", async () => {
    await register();
    await world.control.users.resetSecondFactor("ada", ADMIN);
    const [change] = world.audits.at(-1)?.changes ?? [];
    assert.deepEqual(change, { property: "second_factor", old: "passkey", new: "none" });
    await assert.rejects(signIn(), coded("bad_passkey"));
    own = ownOf(await byPassword());
    await register();
    const link = await world.control.links.create(world.control.users.find("ada"), ADMIN);
    const use = { token: link.token, name: "ada", password: PASSWORD };
    own = ownOf(await world.control.signIn.byLink(use, PLACE));
    await assert.rejects(signIn(), coded("bad_passkey"));
    await register();
    await world.join("grace", "owner");
    await world.control.users.delete("ada", ADMIN);
    await assert.rejects(signIn(), coded("bad_passkey"));
    assert.deepEqual(world.control.ownPasskeys.table.list(ada.user.id), []);
  });

  it("lets nobody in who is disabled", async () => {
    await register();
    await world.join("grace", "owner");
    await world.control.users.disable("ada", ADMIN);
    await assert.rejects(signIn(), coded("bad_passkey"));
    assert.equal(world.last, "session.create refused bad_passkey");
  });
});

const elsewhere: [title: string, lie: Lie][] = [
  ["of another page", { origin: "https://evil.example" }],
  ["of another port", { origin: `${PAGE.origin}:8443` }],
  ["of the same page without TLS", { origin: "http://logs.example.org" }],
  ["for another name", { rpId: "evil.example" }],
  ["for the name above", { rpId: "example.org" }],
  ["to another challenge", { challenge: "A".repeat(43) }],
  ["to no challenge", { challenge: "" }],
  ["from a frame within another page", { crossOrigin: true }],
  ["from a frame within a named page", { crossOrigin: true, topOrigin: "https://evil.example" }],
  ["of nobody who was looked at", { flags: PRESENT }],
  ["of nobody who was there", { flags: VERIFIED }],
];

describe("an answer that registers", () => {
  const more: [title: string, lie: Lie][] = [["that was to sign in", { type: "webauthn.get" }]];
  for (const [title, lie] of [...elsewhere, ...more]) {
    it(`is refused ${title}`, async () => {
      await assert.rejects(register(lie), coded("bad_passkey"));
      assert.deepEqual(world.control.ownPasskeys.table.list(ada.user.id), []);
    });
  }

  it("is refused with a maker's word, before any address in it could be asked", async () => {
    const lies: Lie[] = [
      { format: "packed", certificates: [Buffer.from("x")] },
      { format: "tpm" },
      { format: "android-key" },
      { format: "fido-u2f" },
      { format: "apple" },
    ];
    for (const lie of lies) await assert.rejects(register(lie), /none was asked for/);
  });

  it("counts once, for five minutes, in its own session", async () => {
    const { ownPasskeys } = world.control;
    const options = await ownPasskeys.begin(own, PAGE, undefined);
    const answer = device.register(options);
    const grace = ownOf(await world.join("grace", "viewer"));
    await assert.rejects(ownPasskeys.confirm(grace, answer, "a"), coded("bad_passkey"));
    // What somebody tried is used up.
    await assert.rejects(ownPasskeys.confirm(own, answer, "a"), coded("bad_passkey"));
    const late = await ownPasskeys.begin(own, PAGE, undefined);
    world.clock.advance(CHALLENGE_MS_MAX);
    await assert.rejects(
      ownPasskeys.confirm(own, device.register(late), "a"),
      coded("bad_passkey"),
    );
  });

  it("registers a device for one user, once", async () => {
    await register();
    await assert.rejects(register(), coded("bad_passkey"));
    own = ownOf(await world.join("grace", "viewer"));
    await assert.rejects(register(), coded("bad_passkey"));
  });

  it("needs a session that has just begun, or the password", async () => {
    const { ownPasskeys } = world.control;
    world.clock.advance(FRESH_SESSION_MS);
    await assert.rejects(ownPasskeys.begin(own, PAGE, undefined), coded("proof_needed"));
    await assert.rejects(ownPasskeys.begin(own, PAGE, "wrong"), coded("wrong_password"));
    const options = await ownPasskeys.begin(own, PAGE, PASSWORD);
    const { passkey } = await ownPasskeys.confirm(own, device.register(options), "laptop");
    await assert.rejects(ownPasskeys.remove(own, passkey.id, undefined), coded("proof_needed"));
    await assert.rejects(ownPasskeys.remove(own, passkey.id, "wrong"), coded("wrong_password"));
  });

  it("comes too late for a session that has ended meanwhile", async () => {
    const options = await world.control.ownPasskeys.begin(own, PAGE, undefined);
    await world.control.sessions.end(own.sessionId, ADMIN, () => true);
    const confirm = world.control.ownPasskeys.confirm(own, device.register(options), "laptop");
    await assert.rejects(confirm, coded("unknown_session"));
  });

  it("is one of twenty", async () => {
    for (let count = 0; count < 20; count++) {
      await register({}, new TestAuthenticator(PAGE.origin), `device ${count}`);
    }
    await assert.rejects(register(), coded("too_many_passkeys"));
  });
});

describe("an answer that signs in", () => {
  const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const more: [title: string, lie: Lie][] = [
    ["that was to register", { type: "webauthn.create" }],
    ["by another key", { key: stranger }],
    ["by a device that is unknown", { credentialId: "AAAAAAAAAAAAAAAAAAAAAA" }],
    ["for another user", { userHandle: "AAAAAAAAAAA" }],
    ["for nobody", { userHandle: undefined }],
  ];
  for (const [title, lie] of [...elsewhere, ...more]) {
    it(`is refused ${title}`, async () => {
      await register();
      await assert.rejects(signIn(lie), coded("bad_passkey"));
      assert.equal((await signIn()).user.id, ada.user.id);
    });
  }

  it("counts once, and for five minutes", async () => {
    await register();
    const { passkeySignIn } = world.control;
    const answer = device.sign(await passkeySignIn.begin(PAGE, NETWORK));
    await passkeySignIn.confirm(answer, PLACE);
    await assert.rejects(passkeySignIn.confirm(answer, PLACE), coded("bad_passkey"));
    const late = device.sign(await passkeySignIn.begin(PAGE, NETWORK));
    world.clock.advance(CHALLENGE_MS_MAX);
    await assert.rejects(passkeySignIn.confirm(late, PLACE), coded("bad_passkey"));
  });

  it("is refused to a challenge for registering, and the other way round", async () => {
    await register();
    const { ownPasskeys, passkeySignIn } = world.control;
    const creation = await ownPasskeys.begin(own, PAGE, undefined);
    const assertion = device.sign({ challenge: creation.challenge, rpId: PAGE.rpId });
    await assert.rejects(passkeySignIn.confirm(assertion, PLACE), coded("bad_passkey"));
  });

  it("counts for the name of the server that it was registered for", async () => {
    await register();
    const place = { origin: "http://localhost:8255", rpId: "localhost" };
    const options = await world.control.passkeySignIn.begin(place, NETWORK);
    const answer = device.sign(options, { origin: place.origin });
    await assert.rejects(world.control.passkeySignIn.confirm(answer, PLACE), coded("bad_passkey"));
  });

  it("shows a copy by its counter, on record with whose it is", async () => {
    await register();
    await signIn({ counter: 7 });
    for (const counter of [7, 6, 0]) {
      await assert.rejects(signIn({ counter }), coded("passkey_cloned"));
      const entry = world.audits.at(-1);
      assert.deepEqual(
        [entry?.action, entry?.code, entry?.actor.name],
        ["session.create", "passkey_cloned", "ada"],
      );
    }
    await signIn({ counter: 8 });
  });

  it("of devices that share a key says nothing by its counter", async () => {
    device.step = 0;
    await register();
    await signIn();
    await signIn();
    await signIn({ counter: 3 });
    await assert.rejects(signIn({ counter: 0 }), coded("passkey_cloned"));
  });

  it("by one counter lets in one of two who come at once", async () => {
    await register();
    const { passkeySignIn } = world.control;
    const options = [1, 2].map(() => passkeySignIn.begin(PAGE, NETWORK));
    const answers = (await Promise.all(options)).map((each) => device.sign(each, { counter: 5 }));
    const both = await Promise.allSettled(
      answers.map((answer) => passkeySignIn.confirm(answer, PLACE)),
    );
    assert.deepEqual(both.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
  });
});

describe("one's passkeys", () => {
  it("are renamed and removed on record, by their user alone", async () => {
    const { ownPasskeys, signInRules } = world.control;
    const { passkey } = await register();
    assert.equal((await ownPasskeys.rename(own, passkey.id, "work")).name, "work");
    assert.equal(world.last, "passkey.update done");
    await assert.rejects(ownPasskeys.rename(own, passkey.id, "a\u202eb"), coded("bad_name"));
    const grace = ownOf(await world.join("grace", "owner"));
    await assert.rejects(ownPasskeys.rename(grace, passkey.id, "x"), coded("unknown_passkey"));
    await assert.rejects(
      ownPasskeys.remove(grace, passkey.id, undefined),
      coded("unknown_passkey"),
    );
    assert.equal(world.audits.at(-1)?.target.name, "");
    await assert.rejects(ownPasskeys.remove(own, passkey.id, undefined), coded("last_factor"));
    await signInRules.set({ secondFactorRequired: false }, ADMIN);
    await ownPasskeys.remove(own, passkey.id, undefined);
    assert.equal(world.last, "passkey.delete done");
    assert.equal(world.control.users.table.countRecoveryCodes(ada.user.id), 0);
    await assert.rejects(signIn(), coded("bad_passkey"));
    assert.equal((await byPassword()).user.id, ada.user.id);
  });
});
