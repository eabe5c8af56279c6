/**
 * What the entries that are not about connections mean for the comparison, and what the silence of
 * a node means.
 */
import type {
  EnrolledEntry,
  EntryKind,
  GapEntry,
  StartEntry,
  TotalsEntry,
} from "../format/entry.ts";
import type { AddressBook } from "./node/address-book.ts";
import type { About } from "./finding/findings.ts";
import type { EntryPlace } from "./half/half-records.ts";
import {
  HOLE_PATIENCE_MS,
  OFFLINE_PATIENCE_MS,
  RESTART_QUIET_MS,
  SERVER_AWAY_MS,
  SILENT_AFTER_MS,
} from "./limits.ts";
import {
  backdatedFinding,
  contestedFinding,
  exceedsInterfacesFinding,
  holeFinding,
  longRestartFinding,
  lostSpoolFinding,
  optOutFinding,
  type PlacedEntry,
  rollbackFinding,
  silentFinding,
} from "./finding/node-findings.ts";
import type { Hole } from "./node/node-memory.ts";
import type { NodeStream } from "./node/node-stream.ts";
import { forgetReadings, noteReading } from "./node/totals.ts";

/** What these entries act on. */
interface Reconciled {
  readonly streams: ReadonlyMap<string, NodeStream>;
  readonly book: AddressBook;
  streamFor(id: string): NodeStream;
  conclude(about: About, state?: "open" | "resolved"): void;
}

export function applyNodeEntry(to: Reconciled, placed: PlacedEntry): void {
  const { stream, entry } = placed;
  if (stream.memory.state === "server") return applyServerEntry(to, placed);
  if (UNSETTLING.has(entry.kind)) forgetReadings(stream.memory.totals);
  switch (entry.kind) {
    case "start":
      stream.comeBack(entry.atMs);
      stream.memory.bootId = bootIdOf(entry);
      stream.memory.state = "active";
      stream.memory.startedMs = entry.atMs;
      return;
    case "stop":
      stream.leave("stopped", entry.atMs, placeOf(placed));
      stream.memory.state = "stopped";
      return;
    case "addresses":
      return claimAddresses(to, stream, entry.networks);
    case "gap":
      return applyGap(to, { ...placed, entry });
    case "degraded":
      return stream.degrade(entry.events !== "all", entry.atMs);
    case "totals":
      return applyTotals(to, { ...placed, entry });
    case "rollback":
      return to.conclude(rollbackFinding({ ...placed, entry }));
    case "opt_out":
      stream.leave("opted_out", entry.atMs, placeOf(placed));
      stream.memory.state = "opted_out";
      return to.conclude(optOutFinding(stream, entry.atMs));
    case "resume":
      return applyResume(to, stream, entry.atMs);
    default:
      return;
  }
}

/** After these an agent may know of other connections, or of other interfaces, than at its last reading. */
const UNSETTLING: ReadonlySet<EntryKind> = new Set([
  "start",
  "stop",
  "addresses",
  "gap",
  "degraded",
  "rollback",
  "opt_out",
  "resume",
]);

function applyTotals(to: Reconciled, placed: PlacedEntry<TotalsEntry>): void {
  const { stream, entry, index, seq } = placed;
  const excess = noteReading(stream.memory.totals, entry, { index, seq });
  stream.changed = true;
  if (excess !== undefined) to.conclude(exceedsInterfacesFinding(placed, excess));
}

function applyServerEntry(to: Reconciled, placed: PlacedEntry): void {
  const { entry } = placed;
  if (entry.kind === "enrolled") applyEnrolled(to, { ...placed, entry });
  if (entry.kind === "revoked") applyRevoked(to, entry.node);
}

function placeOf({ index, seq }: PlacedEntry): EntryPlace {
  return { index, seq };
}

/** Of the machine's boot; empty where the agent does not say. */
export function bootIdOf(entry: StartEntry): string {
  const { bootId } = entry.facts;
  return typeof bootId === "string" ? bootId : "";
}

/** Time passed for every node. `deafMs`: the longest time of it in which the server took nothing from anybody. */
export function reviewNodes(on: Reconciled, deafMs: number, nowMs: number): void {
  const serverWasAway = deafMs > SERVER_AWAY_MS;
  for (const stream of on.streams.values()) {
    const { memory } = stream;
    if (memory.holes.length > 0) reviewHoles(on, stream, nowMs);
    if (memory.backdated !== null) {
      on.conclude(backdatedFinding(stream, memory.backdated, nowMs));
      memory.backdated = null;
      stream.changed = true;
    }
    // Of a node that is silent already the time stays: it names the finding that its return resolves.
    if (memory.state !== "active" || memory.lastReceivedMs === 0) continue;
    if (serverWasAway) {
      memory.lastReceivedMs = nowMs;
      stream.changed = true;
    }
    if (nowMs - memory.lastReceivedMs > SILENT_AFTER_MS) fallSilent(on, stream);
  }
}

function fallSilent(on: Reconciled, stream: NodeStream): void {
  stream.memory.state = "silent";
  stream.changed = true;
  on.conclude(silentFinding(stream));
}

/** Called when a silent node's chain continues, or nothing is expected of it any more. */
export function breakSilence(on: Reconciled, stream: NodeStream): void {
  if (stream.memory.state !== "silent") return;
  on.conclude(silentFinding(stream), "resolved");
  stream.memory.state = "active";
}

function reviewHoles(on: Reconciled, stream: NodeStream, nowMs: number): void {
  for (const hole of stream.memory.holes) {
    if (hole.told || !isOverdue(hole, stream, nowMs)) continue;
    hole.told = true;
    stream.changed = true;
    on.conclude(holeFinding(stream, hole));
  }
}

/**
 * The gap that explains a hole stands behind all that waited in the spool. So the node's patience
 * ends when it is heard without backlog, and that long after the hole; or when it took a day.
 */
function isOverdue(hole: Hole, stream: NodeStream, nowMs: number): boolean {
  return (
    stream.memory.freshAtMs - hole.seenMs >= HOLE_PATIENCE_MS ||
    nowMs - hole.seenMs >= OFFLINE_PATIENCE_MS
  );
}

function claimAddresses(
  to: Reconciled,
  stream: NodeStream,
  networks: Readonly<Record<string, readonly string[]>>,
): void {
  to.book.claim(stream, networks);
  stream.memory.addresses = Object.fromEntries(
    Object.entries(networks).map(([network, addresses]) => [network, [...addresses]]),
  );
  stream.changed = true;
}

/**
 * Claims that changed since the last look: an address that two nodes claim, or that they no longer do.
 * Given those that were contested then, returns those that are.
 */
export function reviewContested(on: Reconciled, before: readonly string[]): string[] {
  const contested = new Set(before);
  for (const { key, claimants } of on.book.takeChanges()) {
    const isContested = claimants.length > 1;
    if (isContested) contested.add(key);
    else contested.delete(key);
    on.conclude(contestedFinding(key, claimants), isContested ? "open" : "resolved");
  }
  return [...contested].toSorted();
}

/** How many halves a gap may excuse: what it lost; an interval nobody watched has no number. */
function excusable(entry: GapEntry): number {
  if (entry.cause === "lost") return 0;
  if (entry.count !== null) return entry.count;
  return entry.cause === "restart" || entry.cause === "pressure" ? Number.MAX_SAFE_INTEGER : 0;
}

function applyGap(to: Reconciled, placed: PlacedEntry<GapEntry>): void {
  const { stream, entry, seq, index } = placed;
  const { cause, toMs } = entry;
  // What the node had said to be complete needs no excuse afterwards.
  const fromMs = Math.max(entry.fromMs, stream.memory.claimedMs);
  if (entry.seqs !== undefined) {
    for (const hole of stream.explainHoles(entry.seqs[0], entry.seqs[1])) {
      if (hole.told) to.conclude(holeFinding(stream, hole), "resolved");
    }
  }
  stream.budget.declare();
  stream.admit({ cause, fromMs, toMs, remaining: excusable(entry), index, seq });
  if (cause === "lost" || (entry.count === null && excusable(entry) === 0)) {
    to.conclude(lostSpoolFinding(placed));
  } else if (cause === "restart" && toMs - fromMs > RESTART_QUIET_MS) {
    to.conclude(longRestartFinding(placed));
  }
}

function applyResume(to: Reconciled, stream: NodeStream, atMs: number): void {
  for (const absence of stream.memory.absences) {
    if (absence.reason === "opted_out" && absence.toMs === null) {
      to.conclude(optOutFinding(stream, absence.fromMs), "resolved");
    }
  }
  stream.comeBack(atMs);
  stream.memory.state = "active";
}

function applyEnrolled(to: Reconciled, placed: PlacedEntry<EnrolledEntry>): void {
  const { node, name } = placed.entry;
  const stream = to.streamFor(node);
  stream.name = name;
  stream.turned = true;
  if (stream.memory.lastReceivedMs === 0) stream.leave("not_started", 0, placeOf(placed));
  stream.changed = true;
}

function applyRevoked(to: Reconciled, node: string): void {
  const stream = to.streamFor(node);
  breakSilence(to, stream);
  to.book.release(stream);
  stream.memory.addresses = {};
  stream.memory.state = "revoked";
  stream.changed = true;
  stream.turned = true;
}
