/**
 * How the server is reached: plain http on loopback; beyond it TLS, with the certificate that the
 * administrator names, or its own; plain http beyond loopback only when asked for.
 */
import { createHash, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import type { Disk } from "../../std/disk.ts";
import { readFile, replaceFile } from "../../std/durable-file.ts";
import { isLoopback } from "../access/own-addresses.ts";
import { ServeError } from "../serve-error.ts";
import { makeSelfSigned } from "./self-signed.ts";

export interface TransportOptions {
  /** Address or name. */
  readonly listenHost: string;
  readonly publicHost?: string;
  readonly dataDir: string;
  readonly certificateFile?: string;
  readonly keyFile?: string;
  readonly allowHttp: boolean;
  readonly disk: Disk;
  readonly nowMs: number;
}

export type Transport =
  | { readonly scheme: "http" }
  | {
      readonly scheme: "https";
      readonly cert: Buffer;
      readonly key: Buffer;
      /** SHA-256 of the certificate in DER. */
      readonly fingerprint: Buffer;
      /**
       * Nobody but itself vouches for it, so agents must pin it. A certificate of an authority they
       * must not pin: it is another one in three months.
       */
      readonly isSelfIssued: boolean;
    };

/** Throws `bad_tls`. */
export async function chooseTransport(options: TransportOptions): Promise<Transport> {
  const { certificateFile, keyFile, allowHttp, listenHost } = options;
  if ((certificateFile === undefined) !== (keyFile === undefined)) {
    throw new ServeError("bad_tls", "--tls-cert and --tls-key belong together, give both");
  }
  if (certificateFile !== undefined && keyFile !== undefined) {
    if (allowHttp)
      throw new ServeError("bad_tls", "--allow-http and --tls-cert exclude each other");
    return namedCertificate(options, certificateFile, keyFile);
  }
  if (allowHttp || isLoopbackHost(listenHost)) return { scheme: "http" };
  return ownCertificate(options);
}

export function isLoopbackHost(host: string): boolean {
  return host === "localhost" || (isIP(host) !== 0 && isLoopback(host));
}

async function namedCertificate(
  { disk }: TransportOptions,
  certificateFile: string,
  keyFile: string,
): Promise<Transport> {
  const cert = await readFile(disk, certificateFile);
  const key = await readFile(disk, keyFile);
  const missing = cert === undefined ? certificateFile : keyFile;
  if (cert === undefined || key === undefined) {
    throw new ServeError("bad_tls", `cannot read ${missing}, name a file in PEM form`);
  }
  return transport(cert, key, certificateFile);
}

/** DIR/tls/key.pem is written last: a certificate without its key is made anew, nobody has seen it. */
async function ownCertificate(options: TransportOptions): Promise<Transport> {
  const { disk, dataDir, nowMs } = options;
  const certificateFile = join(dataDir, "tls", "cert.pem");
  const keyFile = join(dataDir, "tls", "key.pem");
  const cert = await readFile(disk, certificateFile);
  const key = await readFile(disk, keyFile);
  if (cert !== undefined && key !== undefined) return transport(cert, key, certificateFile);
  if (key !== undefined) {
    throw new ServeError(
      "bad_tls",
      `${certificateFile} is missing, restore it or remove ${keyFile}`,
    );
  }
  const made = await makeSelfSigned(ownNames(options), nowMs);
  await disk.mkdir(join(dataDir, "tls"));
  await replaceFile(disk, certificateFile, made.certificatePem);
  await replaceFile(disk, keyFile, made.keyPem);
  return transport(Buffer.from(made.certificatePem), Buffer.from(made.keyPem), certificateFile);
}

function transport(cert: Buffer, key: Buffer, certificateFile: string): Transport {
  try {
    createSecureContext({ cert, key });
    const { raw, issuer, subject } = new X509Certificate(cert);
    const fingerprint = createHash("sha256").update(raw).digest();
    return { scheme: "https", cert, key, fingerprint, isSelfIssued: issuer === subject };
  } catch (cause) {
    throw new ServeError("bad_tls", `${certificateFile} and its key cannot be used`, { cause });
  }
}

function ownNames({ listenHost, publicHost }: TransportOptions): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const names = [
    "localhost",
    hostname(),
    ...(publicHost === undefined ? [] : [publicHost]),
    ...(isIP(listenHost) === 0 ? [listenHost] : []),
    ...addresses.filter(({ address }) => !address.startsWith("fe80:")).map((one) => one.address),
  ];
  return [...new Set(names.filter((name) => /^[\x21-\x7e]+$/.test(name)))];
}
