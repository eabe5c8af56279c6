/** What can be found about a node, in words: of its silence, its numbers, its addresses and its own admissions. */
import type { Entry, GapEntry, RollbackEntry, TotalsEntry } from "../../format/entry.ts";
import { hourOf } from "../hours.ts";
import type { About } from "./findings.ts";
import type { Step } from "../node/node-clock.ts";
import { nodeNames, NODES_LISTED_MAX } from "./node-names.ts";
import type { Backdated, Hole } from "../node/node-memory.ts";
import type { NodeStream } from "../node/node-stream.ts";
import type { Excess } from "../node/totals.ts";

/** Parts of a hole that a finding lists. */
const RANGES_SHOWN_MAX = 64;

/** An entry and where it stands. */
export interface PlacedEntry<E extends Entry = Entry> {
  readonly stream: NodeStream;
  readonly entry: E;
  readonly seq: number;
  readonly index: number;
}

export function silentFinding(stream: NodeStream): About {
  const sinceMs = stream.memory.lastReceivedMs;
  return {
    kind: "silent",
    subject: `${stream.id} ${sinceMs}`,
    node: stream,
    title: `${stream.name} went silent; its last batch came at ${new Date(sinceMs).toISOString()}`,
    evidence: {
      lastReceivedMs: sinceMs,
      completeToMs: stream.memory.watermarkMs,
      todo: `check that ${stream.name} runs, reaches the server, and that its agent runs`,
    },
  };
}

export function holeFinding(stream: NodeStream, hole: Hole): About {
  const { epoch, first, last, index, seenMs, unexplained } = hole;
  return {
    kind: "undeclared-hole",
    subject: `${stream.id} ${epoch} ${first} ${last}`,
    node: stream,
    title: `${stream.name} skipped entries ${first} to ${last} and did not say why`,
    evidence: {
      epoch,
      first,
      last,
      index,
      seenMs,
      unexplained: unexplained.slice(0, RANGES_SHOWN_MAX),
      todo: "entries were removed before they were signed, or the agent has a fault",
    },
  };
}

/** `key`: network and address. */
export function contestedFinding(key: string, claimants: readonly NodeStream[]): About {
  const [network = "", address = ""] = key.split(" ");
  return {
    kind: "contested-address",
    subject: key,
    title: `${address} in network ${network} is claimed by ${nodeNames(claimants.map((one) => one.name))}`,
    evidence: {
      network,
      address,
      count: claimants.length,
      nodes: claimants.slice(0, NODES_LISTED_MAX).map((one) => one.id),
      todo: "an address names a node only while one node claims it: give one of them another address or network",
    },
  };
}

export function lostSpoolFinding(placed: PlacedEntry<GapEntry>): About {
  const { name } = placed.stream;
  return {
    kind: "lost-spool",
    ...aboutGap(placed),
    title: `${name} lost entries that it had recorded and cannot say how many`,
    evidence: {
      ...gapEvidence(placed),
      todo: `find out who removed files from ${name}'s state directory`,
    },
  };
}

export function longRestartFinding(placed: PlacedEntry<GapEntry>): About {
  const { name } = placed.stream;
  const { fromMs, toMs } = placed.entry;
  return {
    kind: "long-restart",
    ...aboutGap(placed),
    title: `${name}'s agent was not running for ${Math.round((toMs - fromMs) / 1000)} s without having stopped properly`,
    evidence: { ...gapEvidence(placed), todo: `read ${name}'s system log of that time` },
  };
}

function aboutGap({ stream, seq }: PlacedEntry): Pick<About, "subject" | "node"> {
  return { subject: `${stream.id} ${stream.memory.epoch} ${seq}`, node: stream };
}

function gapEvidence({ entry, seq, index }: PlacedEntry<GapEntry>): About["evidence"] {
  const { cause, count, fromMs, toMs, seqs } = entry;
  return { cause, count, fromMs, toMs, seqs: seqs ?? null, journalIndex: index, seq };
}

export function rollbackFinding(placed: PlacedEntry<RollbackEntry>): About {
  const { stream, entry, index } = placed;
  const kind = ROLLBACK_FINDING[entry.cause];
  const { oldEpoch, oldBatch, oldHead, machineId, bootId } = entry;
  return {
    kind,
    subject: `${stream.id} ${stream.memory.epoch}`,
    node: stream,
    title: ROLLBACK_TITLE[entry.cause](stream.name),
    evidence: {
      oldEpoch,
      oldBatch,
      oldHead,
      machineId,
      bootId,
      journalIndex: index,
      todo: ROLLBACK_ADVICE[entry.cause],
    },
  };
}

const ROLLBACK_FINDING = { state: "rollback", clone: "clone", server: "server-rollback" } as const;
const ROLLBACK_TITLE = {
  state: (name: string) => `${name}'s agent came back with older or emptied state than it had`,
  clone: (name: string) => `${name}'s key is used on another machine`,
  server: (name: string) => `${name} holds receipts for batches that this server does not have`,
} as const;
const ROLLBACK_ADVICE = {
  state: "expected after restoring a snapshot; otherwise find out who changed the state directory",
  clone: "expected after moving a disk; otherwise revoke the node and enrol it anew",
  server: "expected after restoring the server from a backup; otherwise its journal was cut",
} as const;

/** One in an hour, however many there are. */
export function backdatedFinding(
  stream: NodeStream,
  { count, first }: Backdated,
  nowMs: number,
): About {
  return {
    kind: "back-dated",
    subject: `${stream.id} ${hourOf(nowMs)}`,
    node: stream,
    title: `${stream.name} recorded ${count} connections of a time of which it had said that it told all`,
    evidence: {
      count,
      journalIndex: first.index,
      seq: first.seq,
      openedMs: first.openedMs,
      claimedMs: first.claimedMs,
      todo: "entries were added or given another time before they were signed, or the agent has a fault",
    },
  };
}

/** What its connections received is more than came in: the node contradicts itself. One in an hour of its clock. */
export function exceedsInterfacesFinding(
  { stream, index, seq }: PlacedEntry<TotalsEntry>,
  excess: Excess,
): About {
  const { name } = stream;
  const { connectionBytes, carriedBytes, toMs } = excess;
  return {
    kind: "exceeds-interfaces",
    subject: `${stream.id} ${hourOf(toMs)}`,
    node: stream,
    title: `${name}'s connections received ${connectionBytes} bytes, and its interfaces ${carriedBytes}`,
    evidence: {
      ...excess,
      journalIndex: index,
      seq,
      causes: [
        `${name}'s counters of connections were altered before they were signed`,
        `${name}'s kernel, or the driver of an interface, counts wrongly`,
      ],
      todo: `compare with what a switch or hypervisor counted for ${name}; look at its findings counters-differ of that time`,
    },
  };
}

export function clockStepFinding(stream: NodeStream, { fromMs, toMs, byMs }: Step): About {
  const seconds = (Math.abs(byMs) / 1000).toFixed(1);
  return {
    kind: "clock-step",
    subject: `${stream.id} ${fromMs} ${toMs} ${byMs}`,
    node: stream,
    title: `${stream.name}'s clock was set ${byMs > 0 ? "forward" : "back"} by ${seconds} s`,
    evidence: {
      fromMs,
      toMs,
      byMs,
      todo: `expected after a boot without network time; otherwise find out who set ${stream.name}'s clock`,
    },
  };
}

export function optOutFinding(stream: NodeStream, atMs: number): About {
  return {
    kind: "opted-out",
    subject: `${stream.id} ${atMs}`,
    node: stream,
    title: `${stream.name} opted out of logging`,
    evidence: {
      atMs,
      todo: "ask its owner; connections with it are recorded by the other end only",
    },
  };
}
