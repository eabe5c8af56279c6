import assert from "node:assert/strict";
import { hostname } from "node:os";
import { it } from "node:test";
import { isKnownHost } from "./host-names.ts";
import { isLoopback, isOwnAddress } from "./own-addresses.ts";

const names = { listenHost: "Logs.lan", publicHost: "logs.example.org" };
const hosts: [header: string | undefined, isKnown: boolean][] = [
  ["localhost", true],
  ["LOCALHOST:8255", true],
  ["127.0.0.1:8255", true],
  ["[::1]", true],
  ["logs.lan:1", true],
  ["logs.example.org", true],
  ["logs.example.org.", true],
  [hostname(), true],
  [undefined, false],
  ["", false],
  ["evil.example", false],
  ["logs.example.org.evil.example", false],
  ["localhost:8255:1", false],
  ["localhost@evil.example", false],
  ["203.0.113.9", false],
  ["[2001:db8::1]:80", false],
  ["::1", false],
  ["a b", false],
];
for (const [header, isKnown] of hosts) {
  it(`Host: ${header ?? "none"} is ${isKnown ? "ours" : "refused"}`, () => {
    assert.equal(isKnownHost(header, names), isKnown);
  });
}

it("knows loopback and its own addresses in every spelling", () => {
  const own = [
    "127.0.0.1",
    "127.9.9.9",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::ffff:127.0.0.1",
    "::FFFF:7f00:1",
  ];
  for (const address of own) {
    assert.ok(isLoopback(address) && isOwnAddress(address), address);
  }
  for (const address of [
    "203.0.113.9",
    "::ffff:203.0.113.9",
    "2001:db8::1",
    "127.0.0.1.example",
    "",
  ]) {
    assert.ok(!isLoopback(address) && !isOwnAddress(address), address);
  }
});
