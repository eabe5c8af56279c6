import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { CommandError } from "../std/command-error.ts";
import { remoteOf, type RemoteValues } from "./remote-options.ts";

const directory = mkdtempSync(join(tmpdir(), "remote-"));
after(() => rmSync(directory, { recursive: true }));
writeFileSync(join(directory, "admin.token"), "secret\n");
writeFileSync(
  join(directory, "serving.json"),
  JSON.stringify({
    url: "https://127.0.0.1:1",
    fingerprint: Buffer.alloc(32, 7).toString("base64url"),
  }),
);

const none: RemoteValues = { url: undefined, token: undefined, ca: undefined, data: undefined };

it("knows the server of a directory, and pins its certificate", () => {
  const remote = remoteOf({ ...none, data: directory, url: "http://other:1", token: "other" });
  assert.equal(remote.url.origin, "https://127.0.0.1:1");
  assert.equal(remote.token, "secret");
  assert.deepEqual(remote.fingerprint, Buffer.alloc(32, 7));
});

it("has a default for the URL, none for the token", () => {
  assert.equal(remoteOf({ ...none, token: "t" }).url.origin, "http://127.0.0.1:8255");
  assert.throws(() => remoteOf(none), /no token/);
});

it("takes a fingerprint in both spellings", () => {
  const bytes = Buffer.alloc(32, 0xab);
  const hex = bytes.toString("hex");
  const colons = hex.match(/../g)?.join(":").toUpperCase() ?? "";
  for (const text of [hex, colons]) {
    assert.deepEqual(remoteOf({ ...none, token: "t", ca: `sha256:${text}` }).fingerprint, bytes);
  }
});

it("takes the token out of the white space around it", () => {
  assert.equal(remoteOf({ ...none, token: " t\r\n" }).token, "t");
});

const text = join(directory, "text.pem");
writeFileSync(text, "no certificate");
const torn = join(directory, "torn.pem");
writeFileSync(torn, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");

const wrong: [given: Partial<RemoteValues>, message: RegExp][] = [
  [{ token: "t", url: "ftp://x" }, /no URL/],
  [{ token: "t", ca: "sha256:ff" }, /no SHA-256/],
  [
    { token: "t", ca: join(directory, "none.pem") },
    /cannot read, .*none\.pem \(ENOENT\), .*\(bad_ca\)/,
  ],
  [{ token: "t", ca: directory }, /cannot read, .*\(EISDIR\), .*\(bad_ca\)/],
  [{ token: "t", ca: text }, /no certificate in PEM form, .*text\.pem, name .*\(bad_ca\)/],
  [{ token: "t", ca: torn }, /no certificate in PEM form, .*torn\.pem, .*\(bad_ca\)/],
  [{ token: "one\ntwo" }, /^the token holds a line break, .*admin\.token.*\(bad_token\)$/],
  [{ token: "\n" }, /^the token is empty, .*\(bad_token\)$/],
  [{ data: join(directory, "none") }, /cannot read, .*admin\.token/],
];
for (const [given, message] of wrong) {
  it(`refuses ${JSON.stringify(Object.keys(given))}: ${message.source}`, () => {
    assert.throws(
      () => remoteOf({ ...none, ...given }),
      (error) => error instanceof CommandError && message.test(error.message),
    );
  });
}
