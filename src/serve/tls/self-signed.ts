/**
 * The server's own certificate, for networks without a certificate authority. Nobody vouches for it:
 * agents know it by its fingerprint, which their enrolment key carries. ECDSA P-256, because every
 * TLS stack speaks it.
 */
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import { parseAddress } from "../../format/address.ts";
import {
  bitString,
  boolean,
  integer,
  objectId,
  octetString,
  sequence,
  set,
  tagged,
  time,
  utf8,
} from "./der.ts";

export interface SelfSigned {
  readonly certificatePem: string;
  readonly keyPem: string;
}

const ECDSA_SHA256 = sequence(objectId("1.2.840.10045.4.3.2"));
const YEARS = 10;
const DAY_MS = 24 * 3_600_000;

/** `names`: DNS names and addresses by which the server is reached. */
export function makeSelfSigned(names: readonly string[], nowMs: number): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subject = sequence(set(sequence(objectId("2.5.4.3"), utf8("tallystick"))));
  // A day early, for machines whose clock is behind.
  const validity = sequence(time(nowMs - DAY_MS), time(nowMs + YEARS * 365.25 * DAY_MS));
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    ECDSA_SHA256,
    subject,
    validity,
    subject,
    publicKey.export({ format: "der", type: "spki" }),
    extensions(names),
  );
  const certificate = sequence(body, ECDSA_SHA256, bitString(sign("sha256", body, privateKey)));
  return {
    certificatePem: pem(certificate),
    keyPem: privateKey.export({ format: "pem", type: "pkcs8" }),
  };
}

function extensions(names: readonly string[]): Buffer {
  // As its own authority it must say so, for clients that load it as one; below it nothing.
  const authority = sequence(boolean(true), integer(Buffer.from([0])));
  const signatureAndCertSign = bitString(Buffer.from([0b1000_0100]), 2);
  const serverAuth = sequence(objectId("1.3.6.1.5.5.7.3.1"));
  return tagged(
    0xa3,
    sequence(
      extension("2.5.29.19", authority, true),
      extension("2.5.29.15", signatureAndCertSign, true),
      extension("2.5.29.37", serverAuth),
      extension("2.5.29.17", sequence(...names.map(alternativeName))),
    ),
  );
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  const flag = critical ? [boolean(true)] : [];
  return sequence(objectId(id), ...flag, octetString(value));
}

function alternativeName(name: string): Buffer {
  const family = isIP(name);
  if (family === 0) return tagged(0x82, Buffer.from(name));
  const bytes = Buffer.from(parseAddress(name));
  return tagged(0x87, family === 4 ? bytes.subarray(12) : bytes);
}

function pem(der: Buffer): string {
  const lines = der.toString("base64").replaceAll(/.{64}/g, "$&\n").trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
