/**
 * What somebody tried, as one finding. Its id follows from kind, node and hour alone, so writing it
 * twice (a later count, a restart) is the same finding.
 */
import { chainHash, encodeHeader, type BatchHeader } from "../format/batch.ts";
import type { FindingEntry, Severity } from "../format/entry.ts";
import { domainHash } from "../format/identity.ts";
import type { Place } from "./chain-heads.ts";
import { FOLD_MS } from "./limits.ts";

export type IncidentKind = "replayed" | "fork" | "forged" | "revoked_key_used" | "unknown_node";

export interface Incident {
  readonly kind: IncidentKind;
  /** Hex. For `forged` and `unknown_node` only claimed: the sender is not known to be that node. */
  readonly nodeId: string;
  readonly remote: string;
  readonly atMs: number;
  readonly header: BatchHeader;
  readonly reason?: string | undefined;
  /** The accepted batch at this number. */
  readonly genuine?: Place | undefined;
  /** Journal index of the kept frame. */
  readonly evidenceIndex?: number | undefined;
}

/** The same incidents within an hour. */
export interface Fold {
  readonly kind: IncidentKind;
  /** Hex, or empty when it is about nobody in particular. */
  readonly nodeId: string;
  readonly hour: number;
  count: number;
  lastAtMs: number;
  /** The first ones. */
  readonly samples: Incident[];
}

export function hourOf(atMs: number): number {
  return Math.floor(atMs / FOLD_MS);
}

/** The finding of a fold, as of now. */
export function findingOf(fold: Fold, nowMs: number): FindingEntry {
  const { severity, title } = INCIDENT_FINDINGS[fold.kind];
  return {
    kind: "finding",
    atMs: nowMs,
    id: findingId(fold),
    finding: fold.kind,
    severity,
    state: "open",
    node: fold.nodeId,
    connection: "",
    title,
    evidence: {
      count: fold.count,
      firstAtMs: fold.samples[0]?.atMs ?? nowMs,
      lastAtMs: fold.lastAtMs,
      samples: fold.samples.map(sampleOf),
    },
  };
}

/** Hex of the first 16 bytes of SHA-256("tallystick/finding/v1\n" ‖ kind ‖ "\n" ‖ node id in hex ‖ "\n" ‖ hour). */
export function findingId(fold: Pick<Fold, "kind" | "nodeId" | "hour">): string {
  const about = Buffer.from(`${fold.kind}\n${fold.nodeId}\n${fold.hour}`);
  return domainHash("tallystick/finding/v1\n", about).toString("hex", 0, 16);
}

/** How much each should worry, and what it says. */
export const INCIDENT_FINDINGS = {
  fork: {
    severity: "critical",
    title: "the key of this node signed two different batches at one place of its chain",
  },
  replayed: {
    severity: "high",
    title: "an old batch of this node was sent again",
  },
  forged: {
    severity: "high",
    title: "somebody sent batches in the name of this node without its key",
  },
  revoked_key_used: {
    severity: "high",
    title: "the revoked key of this node is still in use",
  },
  unknown_node: {
    severity: "low",
    title: "many batches came in the name of nodes that are not enrolled",
  },
} as const satisfies Record<IncidentKind, { severity: Severity; title: string }>;

function sampleOf(incident: Incident): Record<string, unknown> {
  const { header, genuine } = incident;
  return {
    atMs: incident.atMs,
    remote: incident.remote,
    claimedNode: incident.nodeId,
    keyId: Buffer.from(header.keyId).toString("hex"),
    epoch: header.epoch,
    batchNo: header.batchNo,
    hash: chainHash(encodeHeader(header)).toString("hex"),
    ...(incident.reason === undefined ? {} : { reason: incident.reason }),
    ...(genuine === undefined
      ? {}
      : { genuineIndex: genuine.index, genuineHash: Buffer.from(genuine.hash).toString("hex") }),
    ...(incident.evidenceIndex === undefined ? {} : { evidenceIndex: incident.evidenceIndex }),
  };
}
