/**
 * The server's own certificate, for networks without a certificate authority. Nobody vouches for it:
 * agents know it by its fingerprint, which their enrolment key carries. ECDSA P-256, because every
 * TLS stack speaks it.
 */
// The certificate library finds its algorithms through decorators, and those need this first.
import "reflect-metadata";
import { KeyObject, randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

export interface SelfSigned {
  readonly certificatePem: string;
  readonly keyPem: string;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const YEARS = 10;
const DAY_MS = 24 * 3_600_000;

/** `names`: DNS names and addresses by which the server is reached. */
export async function makeSelfSigned(names: readonly string[], nowMs: number): Promise<SelfSigned> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: Buffer.concat([Buffer.of(1), randomBytes(15)]).toString("hex"),
      name: "CN=tallystick",
      // A day early, for machines whose clock is behind.
      notBefore: new Date(nowMs - DAY_MS),
      notAfter: new Date(nowMs + YEARS * 365.25 * DAY_MS),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: extensions(names),
    },
    webcrypto,
  );
  const privateKey = KeyObject.from(keys.privateKey);
  return {
    certificatePem: `${certificate.toString("pem")}\n`,
    keyPem: privateKey.export({ format: "pem", type: "pkcs8" }),
  };
}

function extensions(names: readonly string[]) {
  return [
    // As its own authority it must say so, for clients that load it as one; below it nothing.
    new BasicConstraintsExtension(true, 0, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    new SubjectAlternativeNameExtension(
      names.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value })),
    ),
  ];
}
