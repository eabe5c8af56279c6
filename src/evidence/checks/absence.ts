/**
 * That the other end has no entry: its whole batches around the time, in which none with these
 * addresses and ports may be. How far they reach is how far the two clocks may differ, and less than
 * what the server allows for proves nothing.
 */
import type { CaseFacts, Facts, NodeFacts } from "../facts.ts";
import type { HalfClaim } from "../claims.ts";
import { REACH_MS_MIN, WINDOW_MS } from "../limits.ts";
import { type Coverage, coverageAround, skippedNumbers } from "../runs.ts";
import { counted, spanText, timeText } from "../values.ts";
import { type Check, fails, holds, open } from "./check.ts";

export function checkAbsence(facts: Facts, each: CaseFacts): Check[] {
  const { absence, halves } = each.claims;
  const [half] = halves;
  if (absence === undefined || half === undefined) return [];
  const peer = facts.nodes.find(({ id }) => id === absence.node);
  const subject = `${absence.name}: no entry`;
  const covered = peer === undefined ? undefined : coverageAround(peer.chain, half.openedMs);
  if (peer === undefined || covered === undefined) {
    return [open(subject, "its whole batches of that time are not in this file")];
  }
  const look = { facts, each, half, peer };
  return [absent(look, covered), watermark(peer, absence.completeToMs)];
}

/** One half, and the node that should have the other. */
interface Look {
  readonly facts: Facts;
  readonly each: CaseFacts;
  readonly half: HalfClaim;
  readonly peer: NodeFacts;
}

function absent(look: Look, covered: Coverage): Check {
  const { facts, each, peer } = look;
  const subject = `${peer.name}: no entry`;
  const rivals = apart(look, peer.id, WINDOW_MS);
  const proof = provenFor(look, covered, rivals);
  const bound = `if the two clocks differ by less than ${spanText(Math.max(0, proof.spanMs))}`;
  if (proof.spanMs >= REACH_MS_MIN) {
    const found = `${lookedAt(covered)}, hold ${foundText(look, rivals, proof)}`;
    return holds(subject, `${found}; it proves the absence ${bound}${admitted(facts, peer)}`);
  }
  if (rivals.length === 0) {
    const found = `${lookedAt(covered)}, hold ${NO_OPEN}`;
    const only = `that proves the absence only ${bound}, and the server allows for ${spanText(REACH_MS_MIN)}`;
    return open(subject, `${found}; ${only}: a later export may reach further`);
  }
  if (each.finding.entry.state !== "resolved") return contested(look, rivals.length);
  return holds(subject, `it has ${opensText(rivals.length)} of these; the finding is resolved`);
}

function lookedAt({ batches, fromMs, toMs }: Coverage): string {
  const from = fromMs === 0 ? "its first" : timeText(fromMs);
  return `${counted(batches, "whole batch", "whole batches")} without a hole, from ${from} to where it says that it is complete (${timeText(toMs)})`;
}

const NO_OPEN = "no open of these addresses and ports";

function foundText({ half }: Look, rivals: readonly number[], proof: Proof): string {
  if (rivals.length === 0) return NO_OPEN;
  const { own, timeMs, spanMs } = proof;
  const near = rivals.filter((apartMs) => apartMs < timeMs + spanMs).length;
  const theirs = `${opensText(near)} of these addresses and ports within ${spanText(timeMs + spanMs)} of it`;
  return `${theirs}, where ${half.name} has ${own} within ${spanText(timeMs)}: at least one is without its other end`;
}

/** By how much clocks may differ at most, so that what is in the file still proves an absence. */
interface Proof {
  readonly spanMs: number;
  /** Opens of the end that has the half, within so much time of it. */
  readonly own: number;
  readonly timeMs: number;
}

/**
 * The same addresses and ports may be used again. So what counts is that the node has fewer opens than
 * the other end has within some time of the half, also if what it has in more than that time is
 * counted: as much more as clocks may differ by. Of all such times the one that allows for most.
 */
function provenFor(look: Look, covered: Coverage, rivals: readonly number[]): Proof {
  const { half } = look;
  const reachMs = Math.min(
    WINDOW_MS,
    covered.toMs - half.openedMs,
    covered.fromMs === 0 ? WINDOW_MS : half.openedMs - covered.fromMs,
  );
  const own = apart(look, half.node, WINDOW_MS);
  // The half itself is one, also where its batch is not in the file.
  const times = [0, ...own.filter((apartMs) => apartMs > 0)];
  const proofs = times.map((timeMs, index): Proof => {
    const count = index + 1;
    const rivalMs = rivals[count - 1] ?? Infinity;
    return { spanMs: Math.min(rivalMs, reachMs) - timeMs, own: count, timeMs };
  });
  return proofs.reduce((best, proof) => (proof.spanMs > best.spanMs ? proof : best));
}

/** What the node itself says that it lost may have been the half: that is for the reader to weigh. */
function admitted({ statements }: Facts, { id, chain }: NodeFacts): string {
  const gaps = statements.filter(({ entry, piece }) => entry.kind === "gap" && piece.nodeId === id);
  const holes = skippedNumbers(chain).length;
  return [
    ...(gaps.length === 0 ? [] : [`; it declares ${counted(gaps.length, "gap", "gaps")} there`]),
    ...(holes === 0 ? [] : [`; it skipped numbers in ${counted(holes, "place", "places")}`]),
  ].join("");
}

/** With as many opens as the other end has in more time, and that in full, nothing is missing. */
function contested(look: Look, rivals: number): Check {
  const { facts, half, peer } = look;
  const subject = `${peer.name}: no entry`;
  const own = facts.nodes.find(({ id }) => id === half.node);
  const covered = own && coverageAround(own.chain, half.openedMs);
  const wideMs = 2 * WINDOW_MS;
  const isWide =
    covered !== undefined &&
    covered.fromMs <= half.openedMs - wideMs &&
    covered.toMs >= half.openedMs + wideMs;
  const count = apart(look, half.node, wideMs).length;
  const both = `it has ${opensText(rivals)} with these addresses and ports, ${half.name} has ${count}`;
  if (isWide && rivals >= count) return fails(subject, `${both}: none is missing`);
  return open(subject, `${both}; which of them are one cannot be told from what is in the file`);
}

/** How far from the half the node's opens with its addresses and ports are, the nearest first. */
function apart({ each, half }: Look, nodeId: string, windowMs: number): number[] {
  return each.opens
    .filter(({ piece }) => piece.nodeId === nodeId)
    .map(({ entry }) => Math.abs(entry.atMs - half.openedMs))
    .filter((apartMs) => apartMs <= windowMs)
    .toSorted((a, b) => a - b);
}

function opensText(count: number): string {
  return counted(count, "open", "opens");
}

function watermark(peer: NodeFacts, claimedMs: number): Check {
  const subject = `${peer.name}: watermark`;
  const isSigned = peer.chain.some(({ header }) => header.completeToMs === claimedMs);
  return isSigned
    ? holds(subject, `the node signed that it is complete to ${timeText(claimedMs)}`)
    : open(subject, `no header in this file says complete to ${timeText(claimedMs)}`);
}
