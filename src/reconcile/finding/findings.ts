/**
 * Conclusions as entries of the server's own stream. A finding's id follows from what it is about,
 * so that concluding the same twice, after a crash or a rebuild, is the same finding.
 *
 * A finding on one pair accuses nobody: it names the half that is missing or differs, and all
 * possible causes: those at either end, and where only a forwarder's word makes one connection of two halves, that
 * this word is false.
 */
import type { FindingEntry, Severity, Tuple } from "../../format/entry.ts";
import { halfId } from "../../format/half.ts";
import { domainHash } from "../../format/identity.ts";
import { tupleText } from "../../format/tuple-text.ts";
import type { CounterDifference } from "../decide/counters.ts";
import type { Half, HalfOwner } from "../half/half-records.ts";
import type { Abuse } from "../node/excuse/excuse-budget.ts";
import type { Accusation, Fold } from "../node/server-memory.ts";
import { nodeNames, NODES_LISTED_MAX } from "./node-names.ts";
import type { NodeStream } from "../node/node-stream.ts";

/** What reconcile can find, with how much it should worry. */
export const RECONCILE_FINDINGS = {
  accused: "critical",
  "missing-half": "high",
  "counters-differ": "high",
  "gap-abuse": "high",
  "back-dated": "high",
  "exceeds-interfaces": "medium",
  silent: "low",
  "lost-spool": "high",
  "undeclared-hole": "high",
  "long-restart": "low",
  rollback: "low",
  clone: "medium",
  "server-rollback": "critical",
  "opted-out": "low",
  "contested-address": "medium",
  "clock-step": "low",
} as const satisfies Readonly<Record<string, Severity>>;

export type ReconcileFinding = keyof typeof RECONCILE_FINDINGS;

export interface About {
  readonly kind: ReconcileFinding;
  /** What makes this finding this one: half ids, a range, a place in the journal. */
  readonly subject: string;
  readonly node?: NodeStream;
  readonly connection?: string;
  readonly title: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** Shape without time: the server's stream stamps it. */
export type FindingDraft = Omit<FindingEntry, "atMs">;

export function finding(about: About, state: "open" | "resolved"): FindingDraft {
  return {
    kind: "finding",
    id: findingId(about.kind, about.subject),
    finding: about.kind,
    severity: RECONCILE_FINDINGS[about.kind],
    state,
    node: about.node?.id ?? "",
    connection: about.connection ?? "",
    title: about.title,
    evidence: about.evidence,
  };
}

/** Hex of 16 bytes. */
export function findingId(kind: string, subject: string): string {
  const hash = domainHash("tallystick/finding/v1\n", Buffer.from(`${kind}\n${subject}`));
  return hash.subarray(0, 16).toString("hex");
}

/** The id of a mismatch's finding. */
export function mismatchOf({ kind, subject }: About): string {
  return findingId(kind, subject);
}

/** More of one kind between two nodes than are told one by one. */
export function manyMismatches(
  kind: string,
  [low, high]: readonly [NodeStream, NodeStream],
  {
    hour,
    fold,
    forwarders,
  }: {
    readonly hour: number;
    readonly fold: Readonly<Fold>;
    readonly forwarders?: readonly NodeStream[] | undefined;
  },
): About {
  const { count, firstMs, lastMs } = fold;
  const what = kind === "missing-half" ? "lack one half" : "differ in their counters";
  return {
    kind: kind === "missing-half" ? "missing-half" : "counters-differ",
    subject: [low.id, high.id, hour, ...(forwarders ?? []).map(({ id }) => id)].join(" "),
    title: `${count} connections between ${low.name} and ${high.name} within an hour ${what}`,
    evidence: {
      nodes: [low.id, high.id],
      count,
      firstMs,
      lastMs,
      causes: [
        ...[low, high].map(({ name }) => `${name} left out or altered what it recorded`),
        ...falseForwarding(forwarders),
      ],
      ...throughNodes(forwarders),
      todo: `list them: tallystick connections --node ${low.name} --verdict missing --verdict differs`,
    },
  };
}

/** More than f independent witnesses contradict one node. */
export function accusedFinding(
  { node, witnesses, sinceMs, maxLiars }: Accusation & { readonly maxLiars: number },
  nodeOf: (id: string) => NodeStream,
): About {
  const accused = nodeOf(node);
  const names = witnesses.map((one) => nodeOf(one.node).name);
  return {
    kind: "accused",
    subject: node,
    node: accused,
    title: `${accused.name} does not tell the truth: ${nodeNames(names)} contradict it independently`,
    evidence: {
      sinceMs,
      count: witnesses.length,
      maxLiars,
      witnesses: witnesses
        .slice(0, NODES_LISTED_MAX)
        .map((one) => ({ ...one, name: nodeOf(one.node).name })),
      todo: `take ${accused.name} off the network and examine it; its entries from ${new Date(sinceMs).toISOString()} on are not to be trusted`,
    },
  };
}

/** A node's own admissions, beyond what an honest node needs. */
export function gapAbuseFinding(
  stream: NodeStream,
  abuse: Abuse,
  nodeOf: (id: string) => NodeStream,
): About {
  const { name } = stream;
  const isPeer = abuse.kind === "concentration";
  const title = isPeer
    ? `${name} excuses again and again the lack of its connections with ${nodeOf(abuse.peer).name}, and of nobody else's`
    : `${name} excused the lack of ${abuse.excused} of ${abuse.connections} connections by what it says itself, more than an honest node has to`;
  return {
    kind: "gap-abuse",
    subject: `${stream.id} ${isPeer ? abuse.peer : ""} ${abuse.sinceMs}`,
    node: stream,
    title,
    evidence: {
      ...abuse,
      todo: `what ${name} says of its losses excuses nothing any more; look for what it hides, and at its load`,
    },
  };
}

function idOfHalf(half: Half): string {
  return halfId(Buffer.from(half.node.id, "hex"), half.epoch, half.seq).toString("hex");
}

/** `forwarders`: those whose word it is that `peer` is at the other end; absent where `half` says so itself. */
export function missingHalf(
  half: Half,
  peer: NodeStream,
  forwarders?: readonly HalfOwner[],
): About {
  const connection = idOfHalf(half);
  return {
    kind: "missing-half",
    subject: connection,
    node: peer,
    connection,
    title: `${peer.name} has no entry for ${tupleText(tupleOf(half))}, which ${half.node.name} recorded as ${half.role} (${half.state})`,
    evidence: {
      nodes: [half.node.id, peer.id],
      atMs: Math.round(half.serverMs),
      recorded: halfEvidence(half),
      missing: { node: peer.id, name: peer.name, completeToMs: peer.memory.watermarkMs },
      causes: [
        `${peer.name} did not record it, or its entry was removed before it was signed`,
        `${half.node.name} recorded a connection that did not take place`,
        ...falseForwarding(forwarders),
      ],
      ...throughNodes(forwarders),
      todo: `compare with a third record, such as ${peer.name}'s service log around that time`,
    },
  };
}

/** `halves`: the key first. `forwarders`: those whose word it is that they are one connection; absent where they say so. */
export function countersDiffer(
  halves: readonly Half[],
  difference: CounterDifference,
  forwarders?: readonly HalfOwner[],
): About {
  const [key] = halves;
  const names = halves.map((half) => half.node.name);
  const what = difference.impossible
    ? "more arrived than was sent"
    : "less arrived than loss explains";
  return {
    kind: "counters-differ",
    subject: halves.map(idOfHalf).toSorted().join(" "),
    connection: key === undefined ? "" : idOfHalf(key),
    title: `${names.join(" and ")} count different bytes for ${key === undefined ? "" : tupleText(tupleOf(key))}: ${difference.sentBytes} sent by the ${difference.sentBy}, ${difference.receivedBytes} received (${what})`,
    evidence: {
      nodes: halves.map((half) => half.node.id),
      atMs: key === undefined ? 0 : Math.round(key.serverMs),
      difference,
      halves: halves.map(halfEvidence),
      causes: [
        ...names.map((name) => `${name}'s counters were altered before they were signed`),
        ...falseForwarding(forwarders),
      ],
      ...throughNodes(forwarders),
      todo: "compare with the interface counters of both nodes over the same time",
    },
  };
}

function falseForwarding(forwarders: readonly HalfOwner[] = []): string[] {
  return forwarders.map(
    ({ name }) =>
      `${name} recorded that it forwarded one to the other, which it did not, or changed what it forwarded`,
  );
}

function throughNodes(forwarders: readonly HalfOwner[] | undefined): Record<string, unknown> {
  if (forwarders === undefined) return {};
  return { forwarders: forwarders.map(({ id, name }) => ({ node: id, name })) };
}

function halfEvidence(half: Half): Record<string, unknown> {
  return {
    half: idOfHalf(half),
    node: half.node.id,
    name: half.node.name,
    role: half.role,
    epoch: half.epoch,
    seq: half.seq,
    journalIndex: half.index,
    openedMs: half.openedMs,
    durationMs: half.closed ? half.durationMs : null,
    state: half.state,
    tuple: tupleOf(half),
    counters: half.counters ?? null,
    payload: half.payload ?? null,
  };
}

function tupleOf(half: Half): Tuple {
  const { protocol, initiatorIp, initiatorPort, responderIp, responderPort } = half;
  return { protocol, initiatorIp, initiatorPort, responderIp, responderPort };
}
