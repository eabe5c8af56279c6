/**
 * What is decided when the server ticks: every half and pair that changed since the last tick, or that
 * waited for a stream which has moved on, gets its verdict, or goes on waiting.
 */
import { Company } from "./company.ts";
import { otherOf } from "../half/connection.ts";
import type { CounterDifference } from "./counters.ts";
import { Excuses, spend } from "./excuses.ts";
import {
  FORWARDER,
  Half,
  type EntryPlace,
  type HalfRecords,
  type Names,
} from "../half/half-records.ts";
import { byBoth, byHalf, inOrder } from "../half/half-order.ts";
import {
  clearMark,
  type Excuse,
  hasMark,
  MARK,
  setCounters,
  setMark,
  setVerdict,
  verdictOf,
} from "../half/half-state.ts";
import {
  accountsEnd,
  endsToCome,
  isPastAccounts,
  judgeLone,
  mayBeNamed,
  namedBy,
  type LoneJudgement,
  isPast,
  type Sky,
  type Until,
} from "./judge.ts";
import { REUSED_MS_MIN } from "../limits.ts";
import { apartMs } from "../match/match-cost.ts";
import type { Matching } from "../match/matching.ts";
import type { NodeStream } from "../node/node-stream.ts";
import {
  forwarderDifference,
  inDirection,
  isPartOf,
  judgePair,
  type PairJudgement,
} from "./pair.ts";
import { PairNotes } from "./pair-notes.ts";
import { dropPlans, Plans } from "./plans.ts";
import { haveOneTuple } from "../half/tuple-index.ts";
import type { IsGone } from "./waiting.ts";

type ConcludedLone = Exclude<LoneJudgement, { readonly verdict: "wait" }>;
type ConcludedPair = Exclude<PairJudgement, { readonly counters: "pending" }>;
type ExcusedJudgement = Extract<LoneJudgement, { readonly verdict: "excused" }>;

/** Where everything goes that nothing excuses. */
interface Unexcused {
  /** `peer` has no half for `half`. `forwarder`: by whose record it is `peer` that lacks it. */
  missing(
    half: Half,
    peer: NodeStream,
    what: { readonly nowMs: number; readonly forwarder: Half | undefined },
  ): void;
  /** The counters of two halves do not fit. `forwarders`: by whose records the two are one connection. */
  differ(key: Half, other: Half, what: Differing & { readonly nowMs: number }): void;
  /** All of this tick was told. */
  review(nowMs: number): void;
}

interface DecisionParts {
  readonly records: HalfRecords;
  readonly names: Names;
  readonly matching: Matching;
  readonly mismatches: () => Unexcused;
  /** By number. */
  readonly streams: readonly NodeStream[];
  sky(): Sky;
  /** Its row is to be written again. */
  changed(key: Half): void;
  /** To be looked at when the server ticks next. */
  again(half: Half): void;
  /** Nothing changes it any more. */
  settled(key: Half): void;
  /** A half and that of a forwarder, which stands for an end that nobody watches, are one connection. */
  bridged(half: Half, forwarder: Half): void;
}

export class Decisions {
  readonly #parts: DecisionParts;
  readonly #plans: Plans;
  readonly #company: Company;
  readonly #notes: PairNotes;
  readonly #excuses: Excuses;
  #absent: [half: Half, peer: NodeStream, forwarder: Half | undefined][] = [];
  #excusedByPeer: [half: Half, judgement: ExcusedJudgement, producer: NodeStream][] = [];
  #bridged: Half[] = [];
  /** What is to be concluded of tuples with several instances. */
  #shared: Half[] = [];
  #leaving: Half[] = [];
  /** Parts of sessions that are decided. */
  #divided: Half[] = [];
  #different: [key: Half, other: Half, what: Differing][] = [];
  #sky: Sky;
  #isDeciding = false;

  constructor(parts: DecisionParts) {
    this.#parts = parts;
    this.#plans = new Plans(parts.records, parts.names);
    this.#company = new Company(parts);
    this.#notes = new PairNotes(this.#company);
    this.#excuses = new Excuses(parts);
    this.#sky = parts.sky();
  }

  /** Plans of halves that wait, also those that count no more. */
  get waitingCount(): number {
    return this.#plans.count;
  }

  /** Goes through all plans that wait for a stream, and drops each plan for which `isGone` returns true. */
  sift(isGone: IsGone): void {
    this.#plans.sift(isGone);
  }

  /** Addresses have other numbers now. */
  reindex(): void {
    this.#excuses.reindex();
  }

  decide(touched: readonly number[]): void {
    this.#sky = this.#parts.sky();
    this.#isDeciding = true;
    this.#excuses.begin();
    this.#decideAll(touched);
    this.#isDeciding = false;
    this.#plans.tidy();
  }

  /** Two halves became a pair. A pair that is made while a tick decides is taken notice of at that tick too, as a restart supposes. */
  paired(key: Half, other: Half): void {
    if (this.#isDeciding && !hasMark(key, MARK.noted)) this.#notes.note(key, other, this.#sky);
  }

  #decideAll(touched: readonly number[]): void {
    const { records, names, streams } = this.#parts;
    const half = new Half(records, names, 0);
    for (const slot of touched) this.#look(half, slot);
    this.#plans.due(streams, this.#sky, (woken) => {
      this.#look(woken, hasMark(woken, MARK.second) ? woken.partner : woken.slot);
    });
    this.#decideShared();
    this.#decideInOrder();
    // A half that waited for what was concluded here, and has rivals itself, goes next.
    for (const rival of taken(this.#shared)) this.#parts.again(rival);
    this.#parts.mismatches().review(this.#sky.nowMs);
  }

  #look(half: Half, slot: number): void {
    half.slot = slot;
    if (!hasMark(half, MARK.live) || hasMark(half, MARK.settled)) return;
    clearMark(half, MARK.touched);
    // It became the second half of a pair; the key of that was touched then.
    if (hasMark(half, MARK.second)) return;
    const other = otherOf(half);
    if (other === undefined) this.#alone(half);
    else this.#pair(half, other);
  }

  #pair(key: Half, other: Half): void {
    if (!hasMark(key, MARK.noted)) this.#notes.note(key, other, this.#sky);
    const beside = this.#company.of(key, other);
    const judgement = judgePair(key, other, this.#sky, beside);
    if (judgement.counters === "pending") {
      const mark = judgement.for === "parts" ? MARK.awaitsParts : MARK.awaitsCounters;
      return this.#plans.plan(key, mark, judgement.until);
    }
    const rivals = this.#rivalsToCome(key, other);
    if (rivals === undefined) this.#concludePair(key, other, { judgement, beside });
    else if (rivals.length > 0) this.#plans.plan(key, MARK.awaitsParts, rivals);
    else this.#shared.push(key.copy());
  }

  /** Undefined where no third half has its tuple. */
  #rivalsToCome(key: Half, other: Half): Until[] | undefined {
    const atMs = this.#parts.matching.contestedUntil(key, other);
    if (atMs === undefined) return undefined;
    const nodes = [this.#sky.streamOf(key), this.#sky.streamOf(other)];
    return nodes.map((node) => ({ node, atMs })).filter((one) => !isPast(one, this.#sky));
  }

  #concludePair(
    key: Half,
    other: Half,
    { judgement, beside }: { readonly judgement: ConcludedPair; readonly beside: readonly Half[] },
  ): void {
    setCounters(key, judgement.counters);
    if (judgement.counters === "final" && judgement.difference !== undefined) {
      setVerdict(key, "differs");
      const { difference } = judgement;
      this.#differ(key, other, { difference, forwarders: this.#company.joining(key, other) });
    }
    if (judgement.counters === "final") this.#compareForwarders(key, other, beside);
    for (const half of beside) {
      if (isPartOf(half, key) || isPartOf(half, other)) this.#divided.push(half);
    }
    this.#parts.settled(key);
    // They waited for it, and may go now.
    for (const half of beside) this.#look(half, half.slot);
    // Where addresses were translated twice, there are forwarders that have only its second half's tuple.
    this.#lookAt(this.#company.forwardersBeside(other));
  }

  #compareForwarders(key: Half, other: Half, beside: readonly Half[]): void {
    if (verdictOf(key) !== "matched") return;
    for (const forwarder of beside) {
      if (forwarder.roleNumber !== FORWARDER) continue;
      // One of a tuple used again stays for minutes: it forwarded another connection.
      const initiator = initiatorOf(key, other);
      if (apartMs(forwarder, initiator) > REUSED_MS_MIN) continue;
      if (!this.#parts.matching.isNearest(initiator, forwarder)) continue;
      const found = forwarderDifference(forwarder, key, other, this.#sky);
      if (found === undefined) continue;
      const { end, difference } = found;
      // It is on the other side of another forwarder that translates.
      const forwarders = haveOneTuple(end, forwarder)
        ? undefined
        : this.#company.joining(key, other);
      this.#differ(end, forwarder, { difference, forwarders });
    }
  }

  #differ(key: Half, other: Half, what: Differing): void {
    this.#different.push([key.copy(), other.copy(), what]);
  }

  #lookAt(halves: readonly Half[]): void {
    for (const half of halves) this.#look(half, half.slot);
  }

  #alone(half: Half): void {
    if (!hasMark(half, MARK.surplus)) this.#excuses.note(half);
    const verdict = verdictOf(half);
    // What was decided stays: only a partner, or a ruling, changes it.
    if (verdict === "missing" || verdict === "excused" || verdict === "unanswered") {
      return this.#finish(half);
    }
    const judgement = judgeLone(half, this.#sky);
    if (judgement.verdict === "wait") {
      // What it waits for may have changed with it.
      dropPlans(half);
      this.#plans.plan(half, MARK.awaitsPeer, judgement.until ?? []);
    } else if (this.#parts.matching.hasRivals(half)) this.#shared.push(half.copy());
    else this.#concludeAlone(half, judgement);
  }

  #concludeAlone(half: Half, judgement: ConcludedLone): void {
    switch (judgement.verdict) {
      case "absent":
        this.#absent.push([half.copy(), judgement.peer, judgement.forwarder]);
        return;
      case "bridged":
        this.#bridged.push(half.copy());
        return;
      case "excused":
        if (judgement.producer === undefined) return this.#apply(half, judgement);
        this.#excusedByPeer.push([half.copy(), judgement, judgement.producer]);
        return;
      default:
        this.#apply(half, judgement);
    }
  }

  /**
   * Tuples with several instances: all are aligned once more, in an order of their own, before anything of them is
   * settled. A half that has another partner now is looked at again at the next tick.
   */
  #decideShared(): void {
    // A half is looked at as often as something happens around it.
    const bySlot = new Map(taken(this.#shared).map((half) => [half.slot, half]));
    const shared = [...bySlot.values()].toSorted(inOrder);
    this.#parts.matching.realign(shared);
    for (const half of shared) {
      if (hasMark(half, MARK.touched | MARK.second | MARK.settled)) continue;
      const other = otherOf(half);
      if (other === undefined) {
        const judgement = judgeLone(half, this.#sky);
        if (judgement.verdict === "wait") this.#parts.again(half);
        else this.#concludeAlone(half, judgement);
        continue;
      }
      const beside = this.#company.of(half, other);
      const judgement = judgePair(half, other, this.#sky, beside);
      // A half that left its company in this tick, or came to it, makes it wait for something else.
      if (judgement.counters === "pending") this.#parts.again(half);
      else this.#concludePair(half, other, { judgement, beside });
    }
  }

  #apply(
    half: Half,
    judgement: Exclude<ConcludedLone, { readonly verdict: "absent" | "bridged" }>,
  ): void {
    if (judgement.verdict === "excused") this.#excuse(half, judgement.excuse, judgement.proof);
    else if (verdictOf(half) !== judgement.verdict) {
      setVerdict(half, judgement.verdict);
      this.#parts.changed(half);
    }
    this.#finish(half);
  }

  /**
   * Decides what depends on what was decided before it within the same tick: what one half uses up of an excuse, the
   * next no longer has. So this has an order of its own, and comes after all that needs none.
   */
  #decideInOrder(): void {
    this.#notes.settle(this.#sky);
    for (const half of taken(this.#divided)) {
      if (half.isPaired || verdictOf(half) !== "pending") continue;
      this.#excuse(half, "idle_split", undefined);
      this.#finish(half);
    }
    for (const half of taken(this.#bridged).toSorted(inOrder)) this.#bridge(half);
    for (const [half, judgement, producer] of taken(this.#excusedByPeer).toSorted(byHalf)) {
      this.#spend(half, judgement, producer);
    }
    this.#decideAbsent();
    this.#leave();
    const { nowMs } = this.#sky;
    for (const [key, other, what] of taken(this.#different).toSorted(byBoth)) {
      this.#parts.mismatches().differ(key, other, { ...what, nowMs });
    }
  }

  #bridge(half: Half): void {
    if (half.isPaired) return;
    const judgement = judgeLone(half, this.#sky);
    if (judgement.verdict === "bridged") this.#parts.bridged(half, judgement.forwarder);
    else this.#parts.again(half);
  }

  /** An excuse that its peer could have made up counts as far as that peer's budget goes. */
  #spend(half: Half, judgement: ExcusedJudgement, producer: NodeStream): void {
    if (!isOpen(half)) return;
    if (producer.budget.mayExcuse(half.node.id)) {
      const { excuse, cause = excuse === "clock" ? "clock" : "stopped" } = judgement;
      spend(half, producer, cause);
      this.#apply(half, judgement);
    } else {
      this.#absent.push([half, judgement.peer ?? producer, judgement.forwarder]);
    }
  }

  #excuse(half: Half, excuse: Excuse, proof: EntryPlace | undefined): void {
    setVerdict(half, "excused", excuse);
    if (proof !== undefined) half.records.rareOf(half.slot).proof = proof;
    this.#parts.changed(half);
  }

  /**
   * A half with a peer that is nobody so far waits for everybody. So does a forwarder's, since the ends may be
   * behind, and one that came from a forwarder without a record of it.
   */
  #mayBeKnown(half: Half): boolean {
    const isStranger =
      verdictOf(half) === "external" ||
      half.roleNumber === FORWARDER ||
      (verdictOf(half) === "excused" && this.#isFromForwarder(half));
    if (!isStranger || !mayBeNamed(half, this.#sky)) return false;
    this.#plans.planForEverybody(half, namedBy(half, this.#sky));
    return true;
  }

  /** What a responder heard from a router may be what somebody behind it sent. */
  #isFromForwarder(half: Half): boolean {
    if (half.roleNumber === 0) return false;
    const claim = this.#sky.book.lookup(half.network, half.peerIp);
    return claim.kind === "node" && claim.node.memory.forwards;
  }

  /** A decided half goes when nothing of its own is to come. */
  #finish(half: Half): void {
    if (this.#company.isInCompany(half) || this.#mayBeKnown(half)) return;
    if (isPastAccounts(half, this.#sky)) {
      const ends = half.roleNumber === FORWARDER ? endsToCome(half, this.#sky) : [];
      if (ends.length > 0) return this.#plans.plan(half, MARK.awaitsPeer, ends);
      // What is decided in this tick may yet be about it.
      if (verdictOf(half) === "external") this.#leaving.push(half.copy());
      else this.#settle(half);
      return;
    }
    const end = accountsEnd(half, this.#sky);
    if (end !== undefined) this.#plans.plan(half, MARK.awaitsCounters, [end]);
  }

  #settle(half: Half): void {
    setCounters(half, half.accounted && half.counters !== undefined ? "final" : "unavailable");
    const settled = half.copy();
    this.#parts.settled(settled);
    this.#excuses.settled(settled);
    // They waited for it, and may go now.
    this.#lookAt(this.#company.forwardersBeside(settled));
  }

  /** Strangers that nobody asked for until they go. */
  #leave(): void {
    for (const half of taken(this.#leaving).toSorted(inOrder)) {
      if (half.isPaired || hasMark(half, MARK.settled)) continue;
      const isSurplus = hasMark(half, MARK.surplus);
      if (verdictOf(half) === "external" && !isSurplus) this.#excuses.leave(half, this.#sky);
      this.#settle(half);
    }
  }

  #decideAbsent(): void {
    const { nowMs } = this.#sky;
    const absent = taken(this.#absent).toSorted(byHalf);
    // Under which addresses others know a node, its later halves may have shown: so the rest is asked about once more.
    const rest = absent.filter(([half, peer]) => !this.#isExcused(half, peer));
    for (const [half, peer, forwarder] of rest) {
      if (this.#isExcused(half, peer)) continue;
      setVerdict(half, "missing");
      setMark(half, MARK.foundMissing);
      this.#parts.changed(half);
      this.#parts.mismatches().missing(half, peer, { nowMs, forwarder });
      this.#finish(half);
    }
  }

  /** Whether something excuses that `peer` lacks it, or may do so later, or it is decided already. */
  #isExcused(half: Half, peer: NodeStream): boolean {
    if (!isOpen(half)) return true;
    // No kernel made it, so there is nothing to excuse.
    if (hasMark(half, MARK.surplus)) return false;
    const excuse = this.#excuses.find(half, peer, this.#sky);
    if (excuse === undefined) return false;
    if (excuse.until !== undefined) {
      this.#plans.plan(half, MARK.awaitsPeer, excuse.until);
      return true;
    }
    this.#excuse(half, excuse.excuse, excuse.proof);
    this.#finish(half);
    return true;
  }
}

interface Differing {
  readonly difference: CounterDifference;
  readonly forwarders: readonly Half[] | undefined;
}

/** Whether it is still to be decided. It is not when it was looked at twice in one tick: it changed, and what it waited for came. */
function isOpen(half: Half): boolean {
  return !half.isPaired && (verdictOf(half) === "pending" || verdictOf(half) === "external");
}

function initiatorOf(a: Half, b: Half): Half {
  return inDirection(a, b)[0];
}

function taken<T>(from: T[]): T[] {
  return from.splice(0);
}
