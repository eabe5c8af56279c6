import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServeError } from "../serve-error.ts";
import { parseTarget, resolveTarget } from "./target.ts";

const isBad = (error: unknown) => error instanceof ServeError && error.code === "bad_webhook";

const GOOD = [
  "https://example.org/hook?a=b",
  "https://10.0.0.7:8443/",
  "https://[fd12::1]/",
  "http://127.0.0.1:9000/x",
  "http://localhost/",
  "http://[::1]:1/",
  "https://localhost/",
];
const BAD = [
  "",
  "example.org",
  "ftp://example.org/",
  "file:///etc/passwd",
  "http://example.org/",
  "http://10.0.0.7/",
  "https://user@example.org/",
  "https://user:word@example.org/",
  "https://169.254.169.254/latest/meta-data",
  "https://100.100.100.200/latest/meta-data",
  "https://168.63.129.16/",
  "https://192.0.0.192/",
  "https://2852039166/",
  "https://0xa9fea9fe/",
  "https://0251.0376.0251.0376/",
  "https://[::ffff:169.254.169.254]/",
  "https://[::ffff:a9fe:a9fe]/",
  "https://[64:ff9b::a9fe:a9fe]/",
  "https://[2002:a9fe:a9fe::1]/",
  "https://[fe80::1]/",
  "https://[fd00:ec2::254]/",
  "https://[::]/",
  "https://0.0.0.0/",
  "http://0.0.0.0/",
  "https://224.0.0.1/",
  "https://255.255.255.255/",
  "https://[ff02::1]/",
  "http://127.0.0.1.example.org/",
  `https://example.org/${"a".repeat(2_000)}`,
];

describe("a webhook may point", () => {
  for (const url of GOOD)
    it(`to ${url}`, () => assert.equal(parseTarget(url).href, new URL(url).href));
});
describe("a webhook may not point", () => {
  for (const url of BAD)
    it(`to ${url.slice(0, 60)}`, () => assert.throws(() => parseTarget(url), isBad));
});

function resolving(...addresses: string[]) {
  const found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  let asked = 0;
  const resolve = async () => {
    asked++;
    return found;
  };
  return { resolve: resolve as never, asked: () => asked };
}

describe("a name", () => {
  it("is resolved once, and the connection goes where the check looked", async () => {
    const { resolve, asked } = resolving("203.0.113.7", "2001:db8::7");
    const { url, address, family } = await resolveTarget("https://example.org/x", resolve);
    assert.deepEqual([url.host, address, family], ["example.org", "203.0.113.7", 4]);
    assert.equal(asked(), 1);
  });

  for (const addresses of [
    ["169.254.169.254"],
    ["203.0.113.7", "169.254.169.254"],
    ["fe80::1%eth0"],
    ["::ffff:169.254.169.254"],
    ["0.0.0.0"],
    [],
  ]) {
    it(`that leads to ${addresses.join(" and ") || "nowhere"} is refused`, async () => {
      const { resolve } = resolving(...addresses);
      await assert.rejects(resolveTarget("https://rebind.example.org/", resolve), isBad);
    });
  }

  it("of this machine that leads elsewhere is refused without TLS", async () => {
    const { resolve } = resolving("203.0.113.7");
    await assert.rejects(resolveTarget("http://localhost/", resolve), isBad);
  });
});
