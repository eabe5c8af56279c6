/** Keys from fixed seeds, the names that follow from them, and halves' ids. */
import type { KeyObject } from "node:crypto";
import { genesisHash } from "../../src/format/batch.ts";
import { halfId } from "../../src/format/half.ts";
import { keyIdOf, nodeIdOf, privateKeyFromSeed, rawPublicKey } from "../../src/format/identity.ts";

export interface Signer {
  readonly key: KeyObject;
  readonly publicKey: Buffer;
  readonly nodeId: Buffer;
  readonly keyId: Buffer;
}

/** The node of all other vectors. */
export const NODE_SEED = Buffer.from(
  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
  "hex",
);
/** The server of all other vectors. */
export const SERVER_SEED = Buffer.alloc(32, 0xa5);

export function signer(seed: Buffer): Signer {
  const key = privateKeyFromSeed(seed);
  const publicKey = rawPublicKey(key);
  return { key, publicKey, nodeId: nodeIdOf(publicKey), keyId: keyIdOf(publicKey) };
}

export function identityVectors(): object {
  return { keys: [NODE_SEED, SERVER_SEED, Buffer.alloc(32)].map(identity), halves: halves() };
}

function identity(seed: Buffer): object {
  const { publicKey, nodeId, keyId } = signer(seed);
  return {
    seed: seed.toString("hex"),
    publicKey: publicKey.toString("hex"),
    nodeId: nodeId.toString("hex"),
    keyId: keyId.toString("hex"),
    genesisHash: genesisHash(publicKey).toString("hex"),
  };
}

function halves(): object[] {
  const { nodeId } = signer(NODE_SEED);
  const opens: [epoch: number, openSeq: number][] = [
    [0, 0],
    [0, 1],
    [1, 0],
    [4_294_967_295, 9_007_199_254_740_991],
  ];
  return opens.map(([epoch, openSeq]) => ({
    nodeId: nodeId.toString("hex"),
    epoch,
    openSeq,
    halfId: halfId(nodeId, epoch, openSeq).toString("hex"),
  }));
}
