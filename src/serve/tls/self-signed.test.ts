import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";
import { describe, it } from "node:test";
import { makeSelfSigned } from "./self-signed.ts";

const nowMs = Date.now();
const { certificatePem, keyPem } = await makeSelfSigned(
  ["localhost", "10.0.0.1", "fd00::1"],
  nowMs,
);
const certificate = new X509Certificate(certificatePem);

describe("an own certificate", () => {
  it("is signed by its own key, for ten years from now", () => {
    assert.ok(certificate.verify(certificate.publicKey));
    assert.ok(certificate.checkPrivateKey(createPrivateKey(keyPem)));
    assert.ok(Date.parse(certificate.validFrom) < nowMs);
    const years = (Date.parse(certificate.validTo) - nowMs) / (365.25 * 24 * 3_600_000);
    assert.ok(years > 9.9 && years < 10.1);
    assert.equal(certificate.subject, "CN=tallystick");
  });

  it("names names and addresses, and nobody else", () => {
    assert.equal(certificate.checkHost("localhost"), "localhost");
    assert.equal(certificate.checkIP("10.0.0.1"), "10.0.0.1");
    assert.equal(certificate.checkIP("fd00::1"), "fd00::1");
    assert.equal(certificate.checkHost("example.org"), undefined);
  });

  it("is another one each time", async () => {
    const other = new X509Certificate((await makeSelfSigned(["localhost"], nowMs)).certificatePem);
    assert.notEqual(other.serialNumber, certificate.serialNumber);
    assert.notEqual(other.fingerprint256, certificate.fingerprint256);
  });

  it("is believed by a client that holds it", async () => {
    const server = createServer({ cert: certificatePem, key: keyPem }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const client = connect({
      port,
      host: "127.0.0.1",
      servername: "localhost",
      ca: certificatePem,
    });
    await once(client, "secureConnect");
    assert.ok(client.authorized);
    client.destroy();
    server.close();
  });
});
