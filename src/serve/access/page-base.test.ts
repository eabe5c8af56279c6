import assert from "node:assert/strict";
import { it } from "node:test";
import { coded } from "../../control/test-control.ts";
import { pageBase, passkeyPlace } from "./page-base.ts";

const pages: [protocol: "http" | "https", host: string | undefined, publicUrl?: string][] = [
  ["http", "localhost:8255"],
  ["https", "localhost"],
  ["https", "Logs.Lan:8255"],
  ["http", "127.0.0.1:8255", "https://logs.example.org/tally"],
];
const places = [
  { origin: "http://localhost:8255", rpId: "localhost" },
  { origin: "https://localhost", rpId: "localhost" },
  { origin: "https://logs.lan:8255", rpId: "logs.lan" },
  { origin: "https://logs.example.org", rpId: "logs.example.org" },
];
for (const [at, [protocol, host, publicUrl]] of pages.entries()) {
  it(`has passkeys at ${publicUrl ?? `${protocol}://${host}`}`, () => {
    const headers = host === undefined ? {} : { host };
    assert.deepEqual(passkeyPlace({ protocol, headers }, publicUrl), places[at]);
  });
}

const none: typeof pages = [
  ["http", "127.0.0.1:8255"],
  ["http", "[::1]:8255"],
  ["https", "127.0.0.1"],
  ["https", "192.0.2.1:8255"],
  ["https", "[2001:db8::1]"],
  ["http", "logs.lan"],
  ["https", "logs.lan."],
  ["https", undefined],
  ["https", "a b"],
  ["http", "localhost.evil.example"],
  ["https", "localhost", "http://logs.example.org"],
  ["https", "localhost", "https://192.0.2.1"],
];
for (const [protocol, host, publicUrl] of none) {
  it(`has none at ${publicUrl ?? `${protocol}://${host}`}`, () => {
    const headers = host === undefined ? {} : { host };
    assert.throws(() => passkeyPlace({ protocol, headers }, publicUrl), coded("passkey_origin"));
  });
}

it("is where --public-url says, and otherwise where the browser asked", () => {
  const request = { protocol: "http", headers: { host: "LOCALHOST:1" } } as const;
  assert.equal(pageBase(request, undefined), "http://localhost:1");
  assert.equal(pageBase(request, "https://a.example/b"), "https://a.example/b");
});
