/**
 * The halves at the moment of a crash: the last snapshot, brought forward by the entries that were
 * spooled after it. Halves opened in between have no kernel id; the tracker matches those by tuple.
 */
import type { ConnectionEntry } from "../../format/entry.ts";
import type { Half } from "./half-table.ts";

/**
 * `since`: the connection entries after the snapshot, in order, with their numbers. Entries of
 * halves that the snapshot does not know, other than their `open`, are passed over.
 */
export function bringForward(
  snapshot: readonly Half[],
  since: Iterable<readonly [seq: number, entry: ConnectionEntry]>,
): Half[] {
  const halves = new Map(snapshot.map((half) => [half.openSeq, { ...half }]));
  for (const [seq, entry] of since) {
    if (entry.kind === "open") halves.set(seq, openedHalf(seq, entry));
    else if (entry.kind === "account") halves.delete(entry.openSeq);
    else {
      const half = halves.get(entry.openSeq);
      if (half !== undefined) amend(half, entry);
    }
  }
  return [...halves.values()];
}

function openedHalf(openSeq: number, entry: Extract<ConnectionEntry, { kind: "open" }>): Half {
  return {
    id: null,
    zone: 0,
    ...entry.tuple,
    openSeq,
    openedAtMs: entry.atMs,
    pickup: entry.pickup,
    muted: false,
    kernelState: "",
    established: false,
    assured: false,
    prompted: false,
    ended: null,
    unbegun: false,
    generation: 0,
    counters: undefined,
    payload: undefined,
  };
}

function amend(half: Half, entry: Extract<ConnectionEntry, { kind: "update" | "close" }>): void {
  half.assured = entry.assured;
  half.established = entry.state !== "S0" && entry.state !== "REJ";
  half.prompted ||= half.established;
  if (entry.kind === "update") half.counters = entry.counters;
  else {
    half.ended = entry.state;
    half.counters = undefined;
  }
}
