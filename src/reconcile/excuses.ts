/** What may excuse that a half's partner is absent, beyond what its node said of being away. */
import type { GapCause } from "../format/entry.ts";
import type { ProducibleCause } from "./excuse-budget.ts";
import {
  CELL,
  FORWARDER,
  Half,
  type EntryPlace,
  type HalfRecords,
  type Names,
} from "./half-records.ts";
import { type Excuse, hasMark, MARK, setMark, setVerdict, verdictOf } from "./half-state.ts";
import { ABSENCE_SLACK_MS, EXCUSE_SLACK_MS } from "./limits.ts";
import type { Matching } from "./matching.ts";
import type { NodeStream } from "./node-stream.ts";

const UDP = 17;

/** Verdicts of a half that nobody fits. */
const STRANGE: ReadonlySet<string> = new Set(["external", "pending", "missing"]);

export interface Excused {
  readonly excuse: Excuse;
  readonly proof?: EntryPlace;
}

export interface ExcuseParts {
  readonly records: HalfRecords;
  readonly names: Names;
  readonly matching: Matching;
  changed(half: Half): void;
}

export class Excuses {
  readonly #parts: ExcuseParts;
  /** Responders' lone halves by their own end; made when first asked for in a tick. */
  #strangers: Map<string, Half[]> | undefined;

  constructor(parts: ExcuseParts) {
    this.#parts = parts;
  }

  /** The decisions of a tick begin. */
  begin(): void {
    this.#strangers = undefined;
  }

  /** Why `peer` may have no entry for `half`; asked in the order of time, since an excuse may be used up. */
  find(half: Half, peer: NodeStream): Excused | undefined {
    return this.#split(half) ?? this.#translated(half, peer) ?? this.#gap(half, peer);
  }

  /** A UDP session that the other end counts as a part of a longer one. */
  #split(half: Half): Excused | undefined {
    if (half.protocol !== UDP) return undefined;
    const whole = this.#mates(half).find(
      (mate) =>
        mate.roleNumber !== FORWARDER &&
        mate.ownIpNumber !== half.ownIpNumber &&
        mate.serverMs - ABSENCE_SLACK_MS <= half.serverMs &&
        half.serverMs <= (mate.closed ? mate.closedServerMs : Infinity) + ABSENCE_SLACK_MS,
    );
    if (whole === undefined) return undefined;
    setMark(whole, MARK.split);
    return { excuse: "idle_split" };
  }

  /**
   * Somebody between the two gave it another address: the peer has a half that nobody else fits. If who has that
   * address is a node, that one lacks the half of a forwarder.
   */
  #translated(half: Half, peer: NodeStream): Excused | undefined {
    if (half.roleNumber !== 0) return undefined;
    this.#strangers ??= this.#findStrangers();
    const strangers = this.#strangers.get(endKey(half, peer.number)) ?? [];
    const at = strangers.findIndex(
      (other) =>
        other.initiatorIpNumber !== half.initiatorIpNumber &&
        Math.abs(other.serverMs - half.serverMs) <= EXCUSE_SLACK_MS,
    );
    const stranger = strangers[at];
    if (stranger === undefined) return undefined;
    strangers.splice(at, 1);
    if (verdictOf(stranger) === "external") {
      setVerdict(stranger, "excused", "nat");
      this.#parts.changed(stranger);
    }
    return { excuse: "nat", proof: { index: stranger.index, seq: stranger.seq } };
  }

  #gap(half: Half, peer: NodeStream): Excused | undefined {
    if (!peer.budget.mayExcuse(half.node.id)) return undefined;
    const gap = peer.spendGap(peer.toNodeMs(half.serverMs), EXCUSE_SLACK_MS);
    if (gap === undefined) return undefined;
    spend(half, peer, GAP_CAUSE[gap.cause]);
    return { excuse: "gap", proof: { index: gap.index, seq: gap.seq } };
  }

  #mates(half: Half): Half[] {
    const { matching, records, names } = this.#parts;
    return [...matching.mates(half)].map((slot) => new Half(records, names, slot));
  }

  #findStrangers(): Map<string, Half[]> {
    const { records, names } = this.#parts;
    const found = new Map<string, Half[]>();
    for (let slot = 0; slot < records.end; slot++) {
      const half = new Half(records, names, slot);
      if (!hasMark(half, MARK.live) || half.isPaired || half.roleNumber !== 1) continue;
      if (!STRANGE.has(verdictOf(half))) continue;
      const key = endKey(half, half.nodeNumber);
      const list = found.get(key);
      if (list === undefined) found.set(key, [half]);
      else list.push(half);
    }
    for (const list of found.values())
      list.sort((a, b) => a.serverMs - b.serverMs || a.seq - b.seq);
    return found;
  }
}

const GAP_CAUSE = {
  overflow: "gap",
  spool: "gap",
  queue: "gap",
  lost: "gap",
  restart: "restart",
  pressure: "overload",
} as const satisfies Record<GapCause, ProducibleCause>;

/** An excuse that `peer` was able to make up is used up for `half`. */
export function spend(half: Half, peer: NodeStream, cause: ProducibleCause): void {
  const isOverload = peer.isOverloadedAt(peer.toNodeMs(half.serverMs));
  peer.changed = true;
  peer.budget.excused({ peer: half.node.id, atMs: half.serverMs, cause, isOverload });
}

function endKey(half: Half, node: number): string {
  const { records, slot } = half;
  return `${node} ${half.protocol} ${records.cell(slot, CELL.responderIp)} ${half.responderPort}`;
}
