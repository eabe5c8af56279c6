/**
 * The server's own Ed25519 key: it signs receipts, heads and the server's own stream. Who owns the
 * file can forge receipts, but not change what nodes signed. Created once; never replaced silently,
 * because every enrolled node has pinned it.
 */
import { randomBytes, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { keyIdOf, nodeIdOf, privateKeyFromSeed, rawPublicKey } from "../format/identity.ts";
import type { Disk } from "../std/disk.ts";
import { readFile, replaceFile } from "../std/durable-file.ts";
import { IngestError } from "./errors.ts";

const SEED_BYTES = 32;

export interface ServerKey {
  readonly privateKey: KeyObject;
  /** 32 bytes: what an enrolment answers as `serverKey`. */
  readonly publicKeyBytes: Buffer;
  /** 16 bytes: the server is a node too. */
  readonly nodeId: Buffer;
  readonly keyId: Buffer;
}

/**
 * The key in DIR/server.key (32 bytes, mode 0600). `create`: make one when the file is absent;
 * pass false when the journal has records, so that a lost key stops the start instead of turning
 * the server into another one. Throws `bad_server_key`.
 */
export async function loadServerKey(
  disk: Disk,
  directory: string,
  create: boolean,
): Promise<ServerKey> {
  const path = join(directory, "server.key");
  const seed = (await readFile(disk, path)) ?? (await createSeed(disk, path, create));
  if (seed.length !== SEED_BYTES) {
    throw new IngestError(
      "bad_server_key",
      `${path} has ${seed.length} bytes, expected ${SEED_BYTES}; restore it from a backup`,
    );
  }
  return serverKeyFromSeed(seed);
}

export function serverKeyFromSeed(seed: Uint8Array): ServerKey {
  const privateKey = privateKeyFromSeed(seed);
  const publicKeyBytes = rawPublicKey(privateKey);
  return {
    privateKey,
    publicKeyBytes,
    nodeId: nodeIdOf(publicKeyBytes),
    keyId: keyIdOf(publicKeyBytes),
  };
}

async function createSeed(disk: Disk, path: string, create: boolean): Promise<Buffer> {
  if (!create) {
    throw new IngestError(
      "bad_server_key",
      `${path} is missing but the journal is not empty; restore the key from a backup`,
    );
  }
  const seed = randomBytes(SEED_BYTES);
  await replaceFile(disk, path, seed);
  return seed;
}
