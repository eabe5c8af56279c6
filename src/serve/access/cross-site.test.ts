import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coded } from "../../control/test-control.ts";
import { checkNotForeign, checkSameSite } from "./cross-site.ts";

const HOST = "logs.lan:8255";
const PUBLIC = "https://logs.example.org";
const JSON_TYPE = "application/json";

type Headers = Readonly<Record<string, string>>;

/** [what it is, headers, taken with a session's cookie, taken to sign in]. */
const requests: [title: string, headers: Headers, session: boolean, signIn: boolean][] = [
  ["our own page", { "sec-fetch-site": "same-origin" }, true, true],
  ["our own page on plain http", { origin: `http://${HOST}` }, true, true],
  ["our own page behind the proxy", { origin: PUBLIC }, true, true],
  ["a program", {}, false, true],
  ["another site", { "sec-fetch-site": "cross-site" }, false, false],
  ["another host of the same site", { "sec-fetch-site": "same-site" }, false, false],
  ["an address that somebody typed", { "sec-fetch-site": "none" }, false, false],
  [
    "another site that names our origin",
    { "sec-fetch-site": "cross-site", origin: `http://${HOST}` },
    false,
    false,
  ],
  ["another origin", { origin: "http://evil.example" }, false, false],
  ["another port", { origin: "http://logs.lan:1" }, false, false],
  ["another scheme", { origin: `https://${HOST}` }, false, false],
  ["a name that begins like ours", { origin: `${PUBLIC}.evil.example` }, false, false],
  ["a page without an origin", { origin: "null" }, false, false],
];

describe("a write from", () => {
  for (const [title, headers, session, signIn] of requests) {
    it(`${title}: ${session} with a session, ${signIn} to sign in`, () => {
      const request = {
        method: "POST",
        protocol: "http",
        headers: { host: HOST, "content-type": JSON_TYPE, ...headers },
      } as const;
      const checks = [
        [checkSameSite, session],
        [checkNotForeign, signIn],
      ] as const;
      for (const [check, isTaken] of checks) {
        if (isTaken) check(request, PUBLIC);
        else assert.throws(() => check(request, PUBLIC), coded("cross_site"));
      }
    });
  }

  const types: [type: string | undefined, isTaken: boolean][] = [
    ["application/json", true],
    ["application/json; charset=utf-8", true],
    ["Application/JSON", true],
    [undefined, false],
    ["text/plain", false],
    ["text/plain; application/json", false],
    ["application/x-www-form-urlencoded", false],
    ["multipart/form-data; boundary=application/json", false],
    ["application/jsonp", false],
  ];
  for (const [type, isTaken] of types) {
    it(`our own page as ${type}: ${isTaken}`, () => {
      const given = type === undefined ? {} : { "content-type": type };
      const headers = { host: HOST, "sec-fetch-site": "same-origin", ...given };
      for (const check of [checkSameSite, checkNotForeign]) {
        const request = { method: "DELETE", protocol: "http", headers } as const;
        if (isTaken) check(request, undefined);
        else assert.throws(() => check(request, undefined), coded("cross_site"));
      }
    });
  }
});

it("asks nothing of what only reads", () => {
  for (const method of ["GET", "HEAD"]) {
    checkSameSite({ method, protocol: "http", headers: { host: HOST } }, undefined);
  }
});
