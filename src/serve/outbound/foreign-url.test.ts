import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addressFault, foreignHost, urlFault } from "./foreign-url.ts";

const HTTPS = /does not begin with https/;
const REFUSED = /leads to .*, where nothing is asked/;
const WITHOUT_TLS = /leads to .*, which is not on this machine, without https/;
const NAMED = /has a name or password/;

const URLS: readonly [url: string, fault: RegExp | undefined][] = [
  ["https://example.org/hook?a=b", undefined],
  ["https://10.0.0.7:8443/", undefined],
  ["https://[fd12::1]/", undefined],
  ["https://localhost/", undefined],
  ["http://localhost:9000/", undefined],
  ["http://127.0.0.1/", undefined],
  ["http://[::1]:1/", undefined],
  ["ftp://127.0.0.1/", HTTPS],
  ["file:///etc/passwd", HTTPS],
  ["data:application/json,{}", HTTPS],
  ["http://example.org/", HTTPS],
  ["http://localhost.example.org/", HTTPS],
  ["http://127.0.0.1.example.org/", HTTPS],
  ["http://10.0.0.7/", WITHOUT_TLS],
  ["https://user@example.org/", NAMED],
  ["https://:word@example.org/", NAMED],
  ["https://169.254.169.254/latest/meta-data", REFUSED],
  ["https://2852039166/", REFUSED],
  ["https://0xa9fea9fe/", REFUSED],
  ["https://0251.0376.0251.0376/", REFUSED],
  ["https://[::ffff:a9fe:a9fe]/", REFUSED],
  ["https://[64:ff9b::a9fe:a9fe]/", REFUSED],
  ["https://[2002:a9fe:a9fe::1]/", REFUSED],
  ["https://[fe80::1]/", REFUSED],
  ["https://[fd00:ec2::254]/", REFUSED],
  ["https://[::]/", REFUSED],
  ["http://0.0.0.0/", REFUSED],
  ["https://224.0.0.1/", REFUSED],
  ["https://255.255.255.255/", REFUSED],
];

describe("a URL that somebody gives the server to ask", () => {
  for (const [url, fault] of URLS) {
    it(`${url}: ${fault?.source ?? "nothing is wrong"}`, () => {
      const found = urlFault(new URL(url));
      if (fault === undefined) assert.equal(found, undefined);
      else assert.match(found ?? "", fault);
    });
  }
});

const ADDRESSES: readonly [url: string, address: string, fault: RegExp | undefined][] = [
  ["https://example.org/", "203.0.113.7", undefined],
  ["https://example.org/", "127.0.0.1", undefined],
  ["https://example.org/", "169.254.169.254", REFUSED],
  ["https://example.org/", "::ffff:169.254.169.254", REFUSED],
  ["https://example.org/", "fe80::1%eth0", REFUSED],
  ["http://localhost/", "::1", undefined],
  ["http://localhost/", "203.0.113.7", WITHOUT_TLS],
];

describe("an address that a name has", () => {
  for (const [url, address, fault] of ADDRESSES) {
    it(`${url} at ${address}: ${fault?.source ?? "nothing is wrong"}`, () => {
      const found = addressFault(new URL(url), address);
      if (fault === undefined) assert.equal(found, undefined);
      else assert.match(found ?? "", fault);
    });
  }
});

it("names an IPv6 host as a resolver takes it", () => {
  assert.equal(foreignHost(new URL("https://[FD12::1]:8443/")), "fd12::1");
  assert.equal(foreignHost(new URL("https://Example.org/")), "example.org");
});
