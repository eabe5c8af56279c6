import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HASHES_AT_ONCE_MAX, HASHES_WAITING_MAX } from "../limits.ts";
import { coded } from "../test-control.ts";
import { checkPassword, type Derive, Passwords } from "./passwords.ts";

describe("argon2id", () => {
  it("makes a hash in PHC form that fits its password alone", async () => {
    const passwords = new Passwords();
    const stored = await passwords.hash("correct horse battery");
    assert.match(
      stored,
      /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
    );
    assert.equal(await passwords.fits("correct horse battery", stored), true);
    assert.equal(await passwords.fits("correct horse batterz", stored), false);
    assert.notEqual(await passwords.hash("correct horse battery"), stored);
  });

  it("reads a hash that another program made", async () => {
    // Of the reference implementation: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1
    const stored =
      "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    const passwords = new Passwords();
    assert.equal(await passwords.fits("password", stored), true);
    assert.equal(await passwords.fits("passwore", stored), false);
  });

  it("takes what is the same letter in another form as the same", async () => {
    const passwords = new Passwords();
    const stored = await passwords.hash("cafe\u0301 au lait, please");
    assert.equal(await passwords.fits("caf\u00e9 au lait, please", stored), true);
  });
});

it("works as much for nobody as for somebody", async () => {
  const costs: unknown[] = [];
  const derive: Derive = async (_password, _salt, cost) => {
    costs.push(cost);
    return Buffer.alloc(32);
  };
  const passwords = new Passwords(derive);
  const stored = await passwords.hash("a password that is long");
  assert.equal(await passwords.fits("a password that is long", stored), true);
  assert.equal(await passwords.fits("a password that is long", undefined), false);
  assert.deepEqual(costs, [costs[0], costs[0], costs[0]]);
});

it("hashes two at once, lets some wait, and sends more away", async () => {
  const ends: (() => void)[] = [];
  let begun = 0;
  const derive: Derive = () => {
    begun++;
    return new Promise((resolve) => ends.push(() => resolve(Buffer.alloc(32))));
  };
  const passwords = new Passwords(derive);
  const count = HASHES_AT_ONCE_MAX + HASHES_WAITING_MAX;
  const hashes = Array.from({ length: count }, () => passwords.hash("long enough, this one"));
  assert.equal(begun, HASHES_AT_ONCE_MAX);
  await assert.rejects(passwords.hash("one too many"), coded("control_busy"));
  for (let done = 0; done < count; done++) {
    assert.ok(begun - done <= HASHES_AT_ONCE_MAX);
    ends[done]?.();
    await hashes[done];
  }
  assert.equal((await Promise.all(hashes)).length, count);
  const again = passwords.hash("there is room again");
  ends.at(-1)?.();
  assert.match(await again, /^\$argon2id\$/);
});

describe("a password", () => {
  const given: [password: string, name: string, isAllowed: boolean][] = [
    ["correct horse battery", "ada", true],
    ["aaaaaaaaaaaa", "ada", true],
    ["elevenchars", "ada", false],
    ["", "ada", false],
    ["x".repeat(256), "ada", true],
    ["x".repeat(257), "ada", false],
    ["ada.lovelace", "ada.lovelace", false],
    ["ADA.lovelace1", "ada.lovelace", false],
    ["adaadaadaada", "ada", false],
    ["ada and her engine", "ada", true],
  ];
  for (const [password, name, isAllowed] of given) {
    it(`${password.slice(0, 30)} (${password.length}) of ${name}: ${isAllowed}`, () => {
      if (isAllowed) checkPassword(password, name);
      else assert.throws(() => checkPassword(password, name), coded("bad_password"));
    });
  }
});
