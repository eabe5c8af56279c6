/**
 * That the other end has no entry: its whole batches around the time, in which none with these
 * addresses and ports may be. How far they reach is how far the two clocks may differ.
 */
import type { CaseFacts, Facts, NodeFacts } from "../facts.ts";
import type { HalfClaim } from "../claims.ts";
import type { Placed } from "../half-facts.ts";
import type { OpenEntry } from "../../format/entry.ts";
import { WINDOW_MS } from "../limits.ts";
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
  const { facts, half, peer } = look;
  const subject = `${peer.name}: no entry`;
  const rivals = opensOf(look, peer.id, WINDOW_MS);
  if (rivals.length > 0) return contested(look, rivals);
  const marginMs = Math.min(covered.toMs, half.openedMs + WINDOW_MS) - half.openedMs;
  const beforeMs = half.openedMs - Math.max(covered.fromMs, half.openedMs - WINDOW_MS);
  const from = covered.fromMs === 0 ? "its first" : timeText(covered.fromMs);
  return holds(
    subject,
    `${counted(covered.batches, "whole batch", "whole batches")} without a hole, from ${from} to where it says that it is complete (${timeText(covered.toMs)}), hold no open of these addresses and ports; it proves the absence if the two clocks differ by less than ${spanText(Math.min(marginMs, beforeMs))}${admitted(facts, peer)}`,
  );
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

/** The same addresses and ports were used again: then there must be fewer opens than at the end that has the half. */
function contested(look: Look, rivals: readonly Placed<OpenEntry>[]): Check {
  const { facts, each, half, peer } = look;
  const subject = `${peer.name}: no entry`;
  const own = facts.nodes.find(({ id }) => id === half.node);
  const covered = own && coverageAround(own.chain, half.openedMs);
  const wideMs = 2 * WINDOW_MS;
  const isWide =
    covered !== undefined &&
    covered.fromMs <= half.openedMs - wideMs &&
    covered.toMs >= half.openedMs + wideMs;
  const count = opensOf(look, half.node, wideMs).length;
  const both = `it has ${counted(rivals.length, "open", "opens")} with these addresses and ports, ${half.name} has ${count}`;
  if (rivals.length < count)
    return holds(subject, `${both}: at least one is without its other end`);
  if (each.finding.entry.state === "resolved")
    return holds(subject, `${both}; the finding is resolved`);
  if (isWide) return fails(subject, `${both}: none is missing`);
  return open(subject, `${both}; ${half.name}'s batches of that time are not all in this file`);
}

function opensOf({ each, half }: Look, nodeId: string, windowMs: number): Placed<OpenEntry>[] {
  return each.opens.filter(
    ({ entry, piece }) =>
      piece.nodeId === nodeId && Math.abs(entry.atMs - half.openedMs) <= windowMs,
  );
}

function watermark(peer: NodeFacts, claimedMs: number): Check {
  const subject = `${peer.name}: watermark`;
  const isSigned = peer.chain.some(({ header }) => header.completeToMs === claimedMs);
  return isSigned
    ? holds(subject, `the node signed that it is complete to ${timeText(claimedMs)}`)
    : open(subject, `no header in this file says complete to ${timeText(claimedMs)}`);
}
