/** What may excuse that a half's partner is absent, beyond what the peer said of being away. */
import { otherOf } from "../half/connection.ts";
import type { GapCause } from "../../format/entry.ts";
import { UDP } from "../../format/protocol.ts";
import type { ProducibleCause } from "../node/excuse/excuse-budget.ts";
import {
  CELL,
  FORWARDER,
  Half,
  type EntryPlace,
  type HalfRecords,
  type Names,
  roleAt,
  windowsOn,
} from "../half/half-records.ts";
import {
  type Excuse,
  excuseOf,
  MARK,
  setMark,
  setVerdict,
  slotHasMark,
  verdictOf,
} from "../half/half-state.ts";
import { inOrder } from "../half/half-order.ts";
import { heardOf, isPast, provenAfterMs, type Sky, type Until } from "./judge.ts";
import { EXCUSE_SLACK_MS, NAMING_SLACK_MS, PAIRING_CLOSE_MS } from "../limits.ts";
import { alignSides, inTurn } from "../match/align-sides.ts";
import { LoneEnds } from "./lone-ends.ts";
import type { Matching } from "../match/matching.ts";
import type { NodeStream } from "../node/node-stream.ts";
import { isPartOf } from "./pair.ts";

/** A way that goes to and fro within a minute is none. */
const DIRECT_NEAR_MS = 60_000;

const NOBODY: ReadonlySet<number> = new Set();

/** `until`: to be asked for again then, as it may be another one. */
interface Excused {
  readonly excuse: Excuse;
  readonly proof?: EntryPlace;
  readonly until?: readonly Until[];
}

interface ExcuseParts {
  readonly records: HalfRecords;
  readonly names: Names;
  readonly matching: Matching;
  /** By number. */
  readonly streams: readonly NodeStream[];
  changed(half: Half): void;
  /** To be looked at when the server ticks next. */
  again(half: Half): void;
}

export class Excuses {
  readonly #parts: ExcuseParts;
  readonly #ends: LoneEnds;
  /** Slots of responders' halves that were decided for good since: they are strangers until the tick ends. */
  readonly #settled = new Set<number>();
  /** Slots of strangers that somebody was found for in this tick. */
  readonly #met = new Set<number>();
  /** Slots of initiators' halves in pairs that are not settled, which are those of the last minutes, by node; made when first asked for in a tick. */
  #paired: Map<number, number[]> | undefined;
  /** Addresses under which any node is known; made when first asked for in a tick. */
  #outside: ReadonlySet<string> | undefined;

  constructor(parts: ExcuseParts) {
    this.#parts = parts;
    this.#ends = new LoneEnds(parts.records);
  }

  /** The decisions of a tick begin. */
  begin(): void {
    this.#settled.clear();
    this.#met.clear();
    this.#paired = undefined;
    this.#outside = undefined;
    this.#ends.tidy();
  }

  /** A half is looked at that stands alone: it may be what another one is a part of, or was translated to. */
  note(half: Half): void {
    this.#ends.note(half);
  }

  /** A half that stands alone is decided for good. */
  settled(half: Half): void {
    if (half.roleNumber === 1) this.#settled.add(half.slot);
  }

  /** Addresses have other numbers now. */
  reindex(): void {
    const { records, names } = this.#parts;
    this.#ends.reindex(new Half(records, names, 0));
  }

  /** Why `peer` may have no entry for `half`; asked in the order of time, since an excuse may be used up. */
  find(half: Half, peer: NodeStream, sky: Sky): Excused | undefined {
    return (
      this.#split(half) ??
      this.#translated(half, peer, sky) ??
      this.#goesOn(half, peer, sky) ??
      this.#gap(half, peer)
    );
  }

  /**
   * While an agent is stopped its kernel need not track: it takes what ended meanwhile for going on when the tuple is
   * used again, and has one entry where the other end has two.
   */
  #goesOn(half: Half, peer: NodeStream, sky: Sky): Excused | undefined {
    if (half.protocol === UDP || !peer.budget.mayExcuse(half.node.id)) return undefined;
    const former = this.#mates(half).find((mate) => {
      const other = otherOf(mate);
      if (mate.nodeNumber !== peer.number || other === undefined || !other.closed) return false;
      const goesOn = !mate.closed || mate.closedServerMs >= half.serverMs - EXCUSE_SLACK_MS;
      const [fromMs, toMs] = [other.closedServerMs, half.serverMs];
      const slackMs = EXCUSE_SLACK_MS + sky.streamOf(mate).uncertaintyMs;
      return (
        goesOn &&
        fromMs < toMs &&
        peer.wasBlind(peer.toNodeMs(fromMs - slackMs), peer.toNodeMs(toMs + slackMs))
      );
    });
    if (former === undefined) return undefined;
    spend(half, peer, "stopped");
    return { excuse: "offline", proof: { index: former.index, seq: former.seq } };
  }

  /**
   * A UDP session that the other end counts as a part of a longer one. That hides nothing that would need a
   * budget: the other end says that it talked all that time, and its bytes are compared with those of all the parts.
   */
  #split(half: Half): Excused | undefined {
    if (half.protocol !== UDP) return undefined;
    const whole = this.#mates(half).find(
      (mate) => mate.roleNumber !== FORWARDER && isPartOf(half, mate),
    );
    if (whole === undefined) return undefined;
    setMark(whole, MARK.split);
    // Its row says so, and its counters are to be compared with those of its parts.
    this.#parts.changed(whole);
    this.#parts.again(whole);
    return { excuse: "idle_split" };
  }

  /**
   * Somebody between the two gave it another address: the peer has a half that nobody else fits. Where a node has
   * that address, it is that node that lacks a half, as a forwarder.
   */
  #translated(half: Half, peer: NodeStream, sky: Sky): Excused | undefined {
    if (half.roleNumber !== 0) return undefined;
    const slots = this.#ends.at(half, 1, this.#settled).filter((slot) => !this.#met.has(slot));
    const strangers = this.#windows(slots).filter(
      (other) => other.nodeNumber === peer.number && excuseOf(other) !== "nat",
    );
    const candidates = strangers
      .filter((other) => mayBeTranslated(half, other, sky))
      .toSorted((a, b) => likeness(half, a) - likeness(half, b) || inOrder(a, b));
    const stranger = this.#ownOf(half, candidates, { strangers, sky });
    if (stranger === undefined) return this.#lateBehind(half, peer, sky);
    const until = translatorOf(stranger, sky);
    if (until !== undefined) return { excuse: "nat", until: [until] };
    if (!this.#mayBeStranger(half, peer, sky)) return undefined;
    this.#met.add(stranger.slot);
    noteTranslator(half, stranger, sky);
    if (verdictOf(stranger) === "external") {
      setVerdict(stranger, "excused", "nat");
      this.#parts.changed(stranger);
      this.#parts.again(stranger);
    }
    return { excuse: "nat", proof: { index: stranger.index, seq: stranger.seq } };
  }

  /**
   * The likeliest of the candidates, which stand in order: of those with another port, the first that no initiator
   * has by its port; and where a port is used again and again, the one that an alignment of all its instances finds.
   */
  #ownOf(
    half: Half,
    candidates: readonly Half[],
    { strangers, sky }: { readonly strangers: readonly Half[]; readonly sky: Sky },
  ): Half | undefined {
    const [likeliest] = candidates;
    if (likeliest === undefined) return undefined;
    const isSamePort = likeliest.initiatorPort === half.initiatorPort;
    const alike = strangers.filter((one) => haveOneInitiator(one, likeliest));
    const isNear = Math.abs(likeliest.serverMs - half.serverMs) <= PAIRING_CLOSE_MS;
    if (isSamePort && isNear && alike.length === 1) return likeliest;
    const others = this.#windows(this.#ends.at(half, 0, NOBODY)).filter(
      (one) => one.slot !== half.slot && verdictOf(one) === "pending",
    );
    if (!isSamePort) {
      const isClaimed = (stranger: Half): boolean =>
        others.some(
          (one) =>
            one.initiatorPort === stranger.initiatorPort && mayBeTranslated(one, stranger, sky),
        );
      return candidates.find((one) => !isClaimed(one));
    }
    const rivals = others.filter((one) => haveOneInitiator(one, half));
    if (rivals.length === 0) return likeliest;
    const [left, right] = [inTurn([half, ...rivals]), inTurn(alike)];
    const sightOf = (one: Half): NodeStream => sky.streamOf(one);
    const own = alignSides(left, right, { sightOf, hasAllCome: true }).find(
      ([l]) => left[l]?.slot === half.slot,
    );
    return own && right[own[1]];
  }

  /**
   * A half that comes late, of a node that its peer knows under another address, finds no stranger any more. But
   * the peer has told of one, if it had one; where it did not, it excuses itself.
   */
  #lateBehind(half: Half, peer: NodeStream, sky: Sky): Excused | undefined {
    if (half.receivedMs - half.serverMs <= NAMING_SLACK_MS) return undefined;
    const addresses = sky.streamOf(half).knownTo(peer.id);
    if (addresses.length === 0) return undefined;
    if (addresses.some((address) => peer.takeStranger(address, half.serverMs))) {
      return this.#mayBeStranger(half, peer, sky) ? { excuse: "nat" } : undefined;
    }
    if (!peer.budget.mayExcuse(half.node.id)) return undefined;
    spend(half, peer, "stranger");
    return { excuse: "nat" };
  }

  /**
   * Whether what `peer` has of a stranger may pass for its half. The peer can give its half a stranger's address at will,
   * but it cannot make the way to it a translated one: where the same address reached the same service untranslated both
   * before and after within a minute, it counts as an excuse of the peer's own making. An honest way that
   * changes shows one before, and the other after.
   */
  #mayBeStranger(half: Half, peer: NodeStream, sky: Sky): boolean {
    if (!sky.streamOf(half).memory.isMetDirectly || !this.#isBetweenDirect(half)) return true;
    if (!peer.budget.mayExcuse(half.node.id)) return false;
    spend(half, peer, "stranger");
    return true;
  }

  #isBetweenDirect(half: Half): boolean {
    const { records, names } = this.#parts;
    this.#paired ??= initiatorsPaired(records);
    let [isBefore, isAfter] = [false, false];
    const paired = new Half(records, names, 0);
    for (const slot of this.#paired.get(half.nodeNumber) ?? []) {
      paired.slot = slot;
      const afterMs = paired.openedMs - half.openedMs;
      if (Math.abs(afterMs) > DIRECT_NEAR_MS || afterMs === 0) continue;
      if (!isSameWay(half, paired)) continue;
      if (afterMs < 0) isBefore = true;
      else isAfter = true;
    }
    return isBefore && isAfter;
  }

  /**
   * A responder's half is about to go, and its initiator is nobody. The half of a node that began it under another
   * address may not show that its peer took part until a long connection ends: so the two meet now. Or that node is
   * out of reach, and tells of it once it is back: so the stranger is counted.
   */
  leave(stranger: Half, sky: Sky): void {
    if (stranger.roleNumber !== 1 || this.#meet(stranger, sky)) return;
    this.#outside ??= addressesOf(this.#parts.streams);
    const { initiatorIp } = stranger;
    if (!this.#outside.has(initiatorIp)) return;
    sky.streamOf(stranger).noteStranger(initiatorIp, stranger.serverMs);
  }

  #meet(stranger: Half, sky: Sky): boolean {
    const half = this.#windows(this.#ends.at(stranger, 0, NOBODY))
      .filter((one) => verdictOf(one) === "pending" && mayBeTranslated(one, stranger, sky))
      // Somebody else may record whatever it likes under the address of its peer.
      .filter((one) => isPeerOf(one, stranger, sky))
      .toSorted((a, b) => likeness(a, stranger) - likeness(b, stranger) || inOrder(a, b))[0];
    if (half === undefined || !this.#mayBeStranger(half, sky.streamOf(stranger), sky)) return false;
    for (const one of [half, stranger]) {
      setVerdict(one, "excused", "nat");
      this.#parts.changed(one);
    }
    half.records.rareOf(half.slot).proof = { index: stranger.index, seq: stranger.seq };
    noteTranslator(half, stranger, sky);
    this.#parts.again(half);
    return true;
  }

  #gap(half: Half, peer: NodeStream): Excused | undefined {
    if (!peer.budget.mayExcuse(half.node.id)) return undefined;
    const gap = peer.spendGap(peer.toNodeMs(half.serverMs), EXCUSE_SLACK_MS);
    if (gap === undefined) return undefined;
    spend(half, peer, GAP_CAUSE[gap.cause]);
    return { excuse: "gap", proof: { index: gap.index, seq: gap.seq } };
  }

  #mates(half: Half): Half[] {
    return this.#windows(this.#parts.matching.mates(half)).toSorted(inOrder);
  }

  #windows(slots: readonly number[]): Half[] {
    return windowsOn(this.#parts, slots);
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

/** An excuse that `peer` could have made up is used up for `half`. */
export function spend(half: Half, peer: NodeStream, cause: ProducibleCause): void {
  const isOverload = peer.isOverloadedAt(peer.toNodeMs(half.serverMs));
  peer.changed = true;
  peer.budget.excused({ peer: half.node.id, atMs: half.serverMs, cause, isOverload });
}

/** Where a node has the other address, its forwarder's half may still come. */
function translatorOf(stranger: Half, sky: Sky): Until | undefined {
  const claim = sky.book.lookup(stranger.network, stranger.peerIp);
  if (claim.kind !== "node") return undefined;
  const until = heardOf(stranger, claim.node, sky);
  return isPast(until, sky) ? undefined : until;
}

/**
 * Whether `other` may be what the responder saw of `half`, from another address. Translators keep the port where they
 * can, which shows their address. From an address that is not known so, any client of a busy service would do: so it
 * counts only for a node of which no connection has come under its own address yet.
 */
function mayBeTranslated(half: Half, other: Half, sky: Sky): boolean {
  const lateMs = other.serverMs - half.serverMs;
  const { isMetDirectly } = sky.streamOf(half).memory;
  const translators = sky.streamOf(half).knownTo(other.node.id);
  const isLike =
    other.initiatorPort === half.initiatorPort ||
    translators.includes(other.initiatorIp) ||
    // Nobody ever saw it under its own address.
    (!isMetDirectly && translators.length === 0);
  return (
    isLike &&
    other.networkNumber === half.networkNumber &&
    other.initiatorIpNumber !== half.initiatorIpNumber &&
    lateMs >= -EXCUSE_SLACK_MS &&
    lateMs <= provenAfterMs(half) + EXCUSE_SLACK_MS
  );
}

function noteTranslator(half: Half, stranger: Half, sky: Sky): void {
  if (stranger.initiatorPort === half.initiatorPort) {
    sky.streamOf(half).noteTranslator(stranger.initiatorIp, stranger.node.id);
  }
}

/** Whether `other` was recorded by the node that `half` names as its peer. */
function isPeerOf(half: Half, other: Half, sky: Sky): boolean {
  const claim = sky.book.lookup(half.network, half.peerIp);
  return claim.kind === "node" && claim.node.number === other.nodeNumber;
}

function addressesOf(streams: readonly NodeStream[]): Set<string> {
  return new Set(streams.flatMap(({ memory }) => memory.translators.map(({ address }) => address)));
}

/** By node, from numbers alone: there are millions of records. */
function initiatorsPaired(records: HalfRecords): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (let slot = 0; slot < records.end; slot++) {
    if (records.cell(slot, CELL.partner) === 0 || slotHasMark(records, slot, MARK.settled))
      continue;
    if (roleAt(records, slot) !== 0) continue;
    const node = records.cell(slot, CELL.node);
    const slots = found.get(node);
    if (slots === undefined) found.set(node, [slot]);
    else slots.push(slot);
  }
  return found;
}

/** Whether a paired initiator went the same way as `half`, from one address to one service, and nobody translated it. */
function isSameWay(half: Half, paired: Half): boolean {
  const other = new Half(paired.records, paired.names, paired.partner);
  return (
    paired.initiatorIpNumber === half.initiatorIpNumber &&
    paired.responderIpNumber === half.responderIpNumber &&
    paired.responderPort === half.responderPort &&
    paired.protocol === half.protocol &&
    paired.networkNumber === half.networkNumber &&
    other.roleNumber === 1 &&
    other.initiatorIpNumber === half.initiatorIpNumber
  );
}

function haveOneInitiator(a: Half, b: Half): boolean {
  return (
    a.initiatorPort === b.initiatorPort &&
    a.initiatorIpNumber === b.initiatorIpNumber &&
    a.nodeNumber === b.nodeNumber
  );
}

/** Less is more alike. */
function likeness(half: Half, other: Half): number {
  const isSamePort = other.initiatorPort === half.initiatorPort;
  return Math.abs(other.serverMs - half.serverMs) + (isSamePort ? 0 : 1e9);
}
