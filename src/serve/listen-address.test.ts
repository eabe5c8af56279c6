import assert from "node:assert/strict";
import { it } from "node:test";
import { localUrl, parseListen, publicHostOf } from "./listen-address.ts";
import { ServeError } from "./serve-error.ts";

const right: [text: string, host: string, port: number, url: string][] = [
  ["127.0.0.1:8255", "127.0.0.1", 8255, "http://127.0.0.1:8255"],
  ["[::1]:0", "::1", 0, "http://[::1]:0"],
  ["[::]:80", "::", 80, "http://[::1]:80"],
  [":8255", "0.0.0.0", 8255, "http://127.0.0.1:8255"],
  ["0.0.0.0:1", "0.0.0.0", 1, "http://127.0.0.1:1"],
  ["logs.lan:65535", "logs.lan", 65_535, "http://logs.lan:65535"],
];
for (const [text, host, port, url] of right) {
  it(`--listen ${text}`, () => {
    assert.deepEqual(parseListen(text), { host, port });
    assert.equal(localUrl("http", { host, port }), url);
  });
}

for (const text of [
  "",
  "8255",
  "127.0.0.1",
  "a:65536",
  "a:-1",
  "::1:80",
  "[1.2.3.4]:80",
  "a/b:1",
]) {
  it(`--listen ${text} is refused`, () => {
    assert.throws(
      () => parseListen(text),
      (error) => error instanceof ServeError && error.code === "bad_listen",
    );
  });
}

it("reads the host of --public-url", () => {
  assert.equal(publicHostOf("https://Logs.example.org:8443/x"), "logs.example.org");
  assert.equal(publicHostOf("https://[2001:db8::1]/"), "2001:db8::1");
  for (const text of ["logs", "ftp://logs", "https://", ""])
    assert.throws(() => publicHostOf(text));
});
