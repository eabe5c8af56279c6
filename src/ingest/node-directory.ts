/** Who may send. Ingest does not own this knowledge: it is handed in as a function. */
import type { KeyObject } from "node:crypto";

export interface KnownNode {
  /** Made once per node, not per request: building a key object costs as much as a tenth of a check. */
  readonly publicKey: KeyObject;
  /** The same key's 32 bytes. */
  readonly publicKeyBytes: Uint8Array;
  /** 4 bytes. */
  readonly keyId: Uint8Array;
  readonly state: "active" | "revoked";
  /** Last batch that counts, when revoked. Ingest itself accepts nothing after a revocation. */
  readonly revokedAfter?: { readonly epoch: number; readonly batchNo: number };
}

/** By hex node id. Synchronous: it is asked for every frame, before anything costs. */
export type LookupNode = (nodeId: string) => KnownNode | undefined;
