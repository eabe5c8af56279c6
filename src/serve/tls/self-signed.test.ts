import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";
import { describe, it } from "node:test";
import { integer, objectId, sequence, time, utf8 } from "./der.ts";
import { makeSelfSigned } from "./self-signed.ts";

const nowMs = Date.now();
const { certificatePem, keyPem } = makeSelfSigned(["localhost", "10.0.0.1", "fd00::1"], nowMs);
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

  it("is another one each time", () => {
    const other = new X509Certificate(makeSelfSigned(["localhost"], nowMs).certificatePem);
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

describe("DER", () => {
  const pieces: [title: string, bytes: Buffer, hex: string][] = [
    ["zero", integer(Buffer.from([0])), "020100"],
    ["a positive number with a high bit", integer(Buffer.from([0x80])), "02020080"],
    ["a number with leading zeros", integer(Buffer.from([0, 0, 5])), "020105"],
    ["an object id", objectId("1.2.840.10045.4.3.2"), "06082a8648ce3d040302"],
    ["a time before 2050", time(Date.UTC(2026, 0, 2, 3, 4, 5)), "170d3236303130323033303430355a"],
    ["a time after 2050", time(Date.UTC(2050, 0, 1)), "180f32303530303130313030303030305a"],
    ["a text", utf8("ä"), "0c02c3a4"],
  ];
  for (const [title, bytes, hex] of pieces) {
    it(title, () => assert.equal(bytes.toString("hex"), hex));
  }

  it("writes long lengths", () => {
    assert.equal(sequence(Buffer.alloc(200)).subarray(0, 3).toString("hex"), "3081c8");
    assert.equal(sequence(Buffer.alloc(300)).subarray(0, 4).toString("hex"), "3082012c");
  });
});
