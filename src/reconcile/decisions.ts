/**
 * What is decided when the server ticks: every half and pair that changed since the last tick, or that
 * waited for a stream which has moved on, gets its verdict, or goes on waiting.
 */
import { otherOf } from "./connection.ts";
import type { Abuse } from "./excuse-budget.ts";
import type { CounterDifference } from "./counters.ts";
import { Excuses, spend } from "./excuses.ts";
import { gapAbuseFinding, type About } from "./findings.ts";
import {
  CELL,
  FORWARDER,
  Half,
  type EntryPlace,
  type HalfRecords,
  type Names,
  WORD,
} from "./half-records.ts";
import { inOrder } from "./half-order.ts";
import {
  clearMark,
  type Excuse,
  hasMark,
  MARK,
  setCounters,
  setMark,
  setVerdict,
  slotHasMark,
  verdictOf,
} from "./half-state.ts";
import {
  accountsEnd,
  isPastAccounts,
  judgeLone,
  mayBeNamed,
  namedBy,
  type LoneJudgement,
  isPast,
  type Sky,
  type Until,
} from "./judge.ts";
import { PAIRING_AT_ONCE_MS } from "./limits.ts";
import { apartMs, type Matching } from "./matching.ts";
import type { Mismatches } from "./mismatches.ts";
import type { Step } from "./node-clock.ts";
import { clockStepFinding } from "./node-findings.ts";
import type { NodeStream } from "./node-stream.ts";
import {
  forwarderDifference,
  inDirection,
  isPartOf,
  judgePair,
  type PairJudgement,
} from "./pair.ts";
import { noteCompared } from "./trust-trend.ts";
import { haveOneTuple } from "./tuple-index.ts";
import { type IsGone, Waiting } from "./waiting.ts";
import { farewellLimitMs, wakeLimitMs } from "./wake-limit.ts";

type ConcludedLone = Exclude<LoneJudgement, { readonly verdict: "wait" }>;
type ConcludedPair = Exclude<PairJudgement, { readonly counters: "pending" }>;
type ExcusedJudgement = Extract<LoneJudgement, { readonly verdict: "excused" }>;

export interface DecisionParts {
  readonly records: HalfRecords;
  readonly names: Names;
  readonly matching: Matching;
  readonly mismatches: () => Mismatches;
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
  conclude(about: About, state?: "open" | "resolved"): void;
}

/** Estimates of a clock that moved by less are within what is allowed for anyway. */
const SHIFT_MS_MIN = 300;
const TCP = 6;
const UDP = 17;
const NOBODY: readonly Half[] = [];
const COMPARED = { compared: 1, unexplained: 0 } as const;
const AWAITS = MARK.awaitsPeer | MARK.awaitsEverybody | MARK.awaitsCounters | MARK.awaitsParts;
/** So many plans may count no more before all are gone through. */
const STALE_PLANS_MIN = 1_024;

export class Decisions {
  readonly #parts: DecisionParts;
  readonly #waiting = new Waiting();
  /** Those who wait for nodes that left. */
  readonly #left = new Waiting();
  /** Those who wait for everybody. */
  readonly #strangers = new Waiting();
  readonly #excuses: Excuses;
  #absent: [half: Half, peer: NodeStream, forwarder: Half | undefined][] = [];
  #excusedByPeer: [half: Half, judgement: ExcusedJudgement, producer: NodeStream][] = [];
  #beyond: Half[] = [];
  /** What is to be concluded of tuples with several instances. */
  #shared: Half[] = [];
  #leaving: Half[] = [];
  /** Parts of sessions that are decided. */
  #divided: Half[] = [];
  #different: [key: Half, other: Half, what: Differing][] = [];
  /** By which address a responder knows an initiator that a translator is in front of. */
  #translated: [initiator: Half, responder: Half, address: string][] = [];
  /** Plans when all were gone through last. */
  #plansKept = 0;
  #sky: Sky;
  #isDeciding = false;

  constructor(parts: DecisionParts) {
    this.#parts = parts;
    this.#excuses = new Excuses(parts);
    this.#sky = parts.sky();
  }

  /** Plans of halves that wait, also those that count no more. */
  get waitingCount(): number {
    return this.#waiting.count + this.#left.count + this.#strangers.count;
  }

  /** Goes through all that waits for a stream; what `isGone` waits no longer. */
  sift(isGone: IsGone): void {
    this.#waiting.sift(isGone);
    this.#left.sift(isGone);
  }

  /** Addresses have other numbers now. */
  reindex(): void {
    this.#excuses.reindex();
  }

  /** The node's wall clock was set. */
  stepped(stream: NodeStream, step: Step | undefined): void {
    if (step !== undefined) this.#parts.conclude(clockStepFinding(stream, step));
  }

  /** What was learnt of the clocks since the last tick counts from now on, also for halves that came before. */
  settleClocks(nowMs: number, index: number): void {
    const shifts = new Map<number, Shift>();
    for (const stream of this.#parts.streams) {
      const { isKnown } = stream.clock;
      const { uncertaintyMs, steadyUncertaintyMs } = stream;
      const { lastClosedMs, bootAtMs } = stream.memory;
      const beforeMs = stream.clock.toServerMs(lastClosedMs, bootAtMs);
      const bornMs = stream.clock.toServerMs(bootAtMs, bootAtMs);
      stream.clock.settle(nowMs);
      const movedMs = stream.clock.toServerMs(lastClosedMs, bootAtMs) - beforeMs;
      const shiftMs = Math.round(movedMs);
      if (Math.abs(shiftMs) >= SHIFT_MS_MIN) {
        shifts.set(stream.number, { shiftMs, bornMs });
        stream.noteShift({ index, shiftMs, bornMs });
      }
      // What waits while a clock is more uncertain than before would only wait longer: it is asked when it is woken.
      const isLess = stream.uncertaintyMs < uncertaintyMs;
      const isOtherwise =
        isLess ||
        stream.steadyUncertaintyMs !== steadyUncertaintyMs ||
        stream.clock.isKnown !== isKnown;
      if (shifts.has(stream.number) || isOtherwise) stream.turned = true;
    }
    if (shifts.size > 0) this.#shift(shifts);
  }

  decide(touched: readonly number[]): void {
    this.#sky = this.#parts.sky();
    this.#isDeciding = true;
    this.#excuses.begin();
    this.#decideAll(touched);
    this.#isDeciding = false;
    this.#tidy();
  }

  /** Halves that are judged again and again leave plans behind. */
  #tidy(): void {
    if (this.waitingCount < STALE_PLANS_MIN + 2 * this.#plansKept) return;
    const { records } = this.#parts;
    const isGone: IsGone = (slot, plans) => records.cell(slot, CELL.plans) !== plans;
    for (const waiting of [this.#waiting, this.#left, this.#strangers]) waiting.sift(isGone);
    this.#plansKept = this.waitingCount;
  }

  /** Two halves became a pair. What does so while a tick decides is taken notice of at that tick too, as a restart will suppose. */
  paired(key: Half, other: Half): void {
    if (this.#isDeciding && !hasMark(key, MARK.noted)) this.#note(key, other);
  }

  #decideAll(touched: readonly number[]): void {
    const { records, names, streams } = this.#parts;
    const half = new Half(records, names, 0);
    for (const slot of touched) this.#look(half, slot);
    const wake = (slot: number, plans: number): void => {
      if (records.cell(slot, CELL.plans) !== plans) return;
      half.slot = slot;
      dropPlans(half);
      this.#look(half, hasMark(half, MARK.second) ? half.partner : slot);
    };
    for (const stream of streams) {
      this.#waiting.due(stream.number, wakeLimitMs(stream, this.#sky.nowMs), wake);
      this.#left.due(stream.number, farewellLimitMs(stream, this.#sky.nowMs), wake);
    }
    this.#strangers.due(0, this.#sky.everybodyMs, wake);
    this.#decideShared();
    this.#decideInOrder();
    // One who waited for what was concluded here, and has rivals itself, goes next.
    for (const rival of taken(this.#shared)) this.#parts.again(rival);
    this.#parts.mismatches().review(this.#sky.nowMs);
  }

  /** What excused at will until now, beyond what an honest node needs, excuses no more. */
  reviewBudgets(nowMs: number, nodeOf: (id: string) => NodeStream): void {
    for (const stream of this.#parts.streams) {
      const before = stream.budget.verdicts();
      if (stream.budget.isStirred) stream.changed = true;
      stream.budget.settle(nowMs);
      const after = stream.budget.verdicts();
      if (before.length + after.length > 0) stream.changed = true;
      for (const abuse of after) this.#parts.conclude(gapAbuseFinding(stream, abuse, nodeOf));
      for (const abuse of before) {
        if (after.some((one) => isSameAbuse(one, abuse))) continue;
        this.#parts.conclude(gapAbuseFinding(stream, abuse, nodeOf), "resolved");
      }
    }
  }

  #look(half: Half, slot: number): void {
    half.slot = slot;
    if (!hasMark(half, MARK.live) || hasMark(half, MARK.settled)) return;
    clearMark(half, MARK.touched);
    // It became the second half of a pair, whose key was touched then.
    if (hasMark(half, MARK.second)) return;
    const other = otherOf(half);
    if (other === undefined) this.#alone(half);
    else this.#pair(half, other);
  }

  #pair(key: Half, other: Half): void {
    if (!hasMark(key, MARK.noted)) this.#note(key, other);
    const beside = this.#beside(key, other);
    const judgement = judgePair(key, other, this.#sky, beside);
    if (judgement.counters === "pending") {
      const mark = judgement.for === "parts" ? MARK.awaitsParts : MARK.awaitsCounters;
      return this.#plan(key, mark, judgement.until);
    }
    const rivals = this.#rivalsToCome(key, other);
    if (rivals === undefined) this.#concludePair(key, other, { judgement, beside });
    else if (rivals.length > 0) this.#plan(key, MARK.awaitsParts, rivals);
    else this.#shared.push(copyOf(key));
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
      this.#differ(key, other, { difference, forwarders: this.#joinedBy(key, other) });
    }
    if (judgement.counters === "final") this.#compareForwarders(key, other, beside);
    for (const half of beside) {
      if (isPartOf(half, key) || isPartOf(half, other)) this.#divided.push(half);
    }
    this.#parts.settled(key);
    // They waited for it, and may go now.
    for (const half of beside) this.#look(half, half.slot);
    this.#dismissBehind(other);
  }

  /** What else is recorded of the connection: forwarders between its ends, parts of its session. */
  #beside(key: Half, other: Half): readonly Half[] {
    const isForwarded = hasMark(key, MARK.forwarded) || hasMark(other, MARK.forwarded);
    if (key.protocol !== UDP && !isForwarded) return NOBODY;
    return this.#matesOf(key)
      .filter((half) => half.slot !== other.slot && !half.isPaired)
      .toSorted(inOrder);
  }

  #compareForwarders(key: Half, other: Half, beside: readonly Half[]): void {
    if (verdictOf(key) !== "matched") return;
    for (const forwarder of beside) {
      if (forwarder.roleNumber !== FORWARDER) continue;
      // One of a tuple used again stays for minutes: it forwarded another connection.
      if (apartMs(forwarder, initiatorOf(key, other)) > PAIRING_AT_ONCE_MS) continue;
      const found = forwarderDifference(forwarder, key, other, this.#sky);
      if (found === undefined) continue;
      const { end, difference } = found;
      // It is on the other side of somebody else who translates.
      const forwarders = haveOneTuple(end, forwarder) ? undefined : this.#joinedBy(key, other);
      this.#differ(end, forwarder, { difference, forwarders });
    }
  }

  #differ(key: Half, other: Half, what: Differing): void {
    this.#different.push([copyOf(key), copyOf(other), what]);
  }

  /**
   * The halves of those who say that the two are one connection; undefined where the two say so. It may be
   * none, where those are gone.
   */
  #joinedBy(key: Half, other: Half): readonly Half[] | undefined {
    if (haveOneTuple(key, other)) return undefined;
    const mates = [...this.#matesOf(key), ...this.#matesOf(other)];
    return mates.filter((half) => half.roleNumber === FORWARDER && half.second !== undefined);
  }

  /** Unsettled ends of the connection that a forwarder or a part belongs to. */
  #hasCompany(half: Half): boolean {
    const isForwarder = half.roleNumber === FORWARDER;
    if (!isForwarder && half.protocol !== UDP) return false;
    return this.#matesOf(half).some((mate) =>
      isForwarder
        ? mate.isPaired || mate.roleNumber !== FORWARDER
        : mate.isPaired && isPartOf(half, mate),
    );
  }

  /** Forwarders that waited for a half that stands alone, and may go now. */
  #dismiss(half: Half): void {
    if (half.roleNumber === FORWARDER || !hasMark(half, MARK.forwarded)) return;
    for (const mate of this.#matesOf(half)) {
      if (mate.roleNumber === FORWARDER) this.#look(mate, mate.slot);
    }
  }

  /** Where addresses were translated twice, there are forwarders that have only its second half's tuple. */
  #dismissBehind(other: Half): void {
    if (!hasMark(other, MARK.forwarded)) return;
    for (const mate of this.#matesOf(other)) {
      if (mate.roleNumber === FORWARDER) this.#look(mate, mate.slot);
    }
  }

  #matesOf(half: Half): Half[] {
    const { records, names, matching } = this.#parts;
    return matching.mates(half).map((slot) => new Half(records, names, slot));
  }

  /** Once, at the first tick that sees the pair: clocks and budgets measure what is now, and counters come minutes later. */
  #note(key: Half, other: Half): void {
    setMark(key, MARK.noted);
    const one = this.#sky.streamOf(key);
    const two = this.#sky.streamOf(other);
    if (key.protocol === TCP && !key.pickup && !other.pickup) {
      const residualMs = key.serverMs - other.serverMs;
      one.clock.pair(residualMs);
      two.clock.pair(-residualMs);
    }
    this.#noteTranslator(key, other);
    this.#noteCompared(one, two, key.serverMs);
    this.#noteCompared(two, one, key.serverMs);
    this.#noteForwarders(key, other);
  }

  /** Of a translator that tells late what it excuses is measured by what it tells in time. */
  #noteForwarders(key: Half, other: Half): void {
    if (!hasMark(key, MARK.forwarded) && !hasMark(other, MARK.forwarded)) return;
    for (const forwarder of this.#joinedBy(key, other) ?? []) {
      const stream = this.#sky.streamOf(forwarder);
      stream.changed = true;
      stream.budget.comparedInBulk(1, stream.isOverloadedAtServerMs(key.serverMs));
    }
  }

  #noteCompared(node: NodeStream, peer: NodeStream, atMs: number): void {
    node.changed = true;
    noteCompared(node.memory.trend, this.#sky.nowMs, COMPARED);
    const { budget } = node;
    const isOverload = node.isOverloadedAtServerMs(atMs);
    if (budget.isArmed) budget.compared({ peer: peer.id, atMs, isOverload });
    else budget.comparedInBulk(1, isOverload);
  }

  /** The responder knows the initiator by its own address; or, where a forwarder brought them together, by another. */
  #noteTranslator(key: Half, other: Half): void {
    if (key.roleNumber === FORWARDER || other.roleNumber === FORWARDER) return;
    const [initiator, responder] = inDirection(key, other);
    if (initiator.roleNumber === responder.roleNumber) return;
    const stream = this.#sky.streamOf(initiator);
    if (initiator.initiatorIpNumber === responder.initiatorIpNumber)
      stream.memory.isMetDirectly = true;
    else this.#translated.push([copyOf(initiator), copyOf(responder), responder.initiatorIp]);
  }

  #alone(half: Half): void {
    if (!hasMark(half, MARK.beyond)) this.#excuses.note(half);
    const verdict = verdictOf(half);
    // What was decided stays: only a partner, or a ruling, changes it.
    if (verdict === "missing" || verdict === "excused" || verdict === "unanswered") {
      return this.#finish(half);
    }
    const judgement = judgeLone(half, this.#sky);
    if (judgement.verdict === "wait") {
      // For what it waits for may have changed with it.
      dropPlans(half);
      this.#plan(half, MARK.awaitsPeer, judgement.until ?? []);
    } else if (this.#parts.matching.hasRivals(half)) this.#shared.push(copyOf(half));
    else this.#concludeAlone(half, judgement);
  }

  #concludeAlone(half: Half, judgement: ConcludedLone): void {
    switch (judgement.verdict) {
      case "absent":
        this.#absent.push([copyOf(half), judgement.peer, judgement.forwarder]);
        return;
      case "bridged":
        this.#beyond.push(copyOf(half));
        return;
      case "excused":
        if (judgement.producer === undefined) return this.#apply(half, judgement);
        this.#excusedByPeer.push([copyOf(half), judgement, judgement.producer]);
        return;
      default:
        this.#apply(half, judgement);
    }
  }

  /**
   * Of tuples with several instances: all are aligned once more, in an order of their own, before anything of
   * them is settled. Who has another partner now is looked at again at the next tick.
   */
  #decideShared(): void {
    // One is looked at as often as something happens around it.
    const bySlot = new Map(taken(this.#shared).map((half) => [half.slot, half]));
    const shared = [...bySlot.values()].toSorted(inOrder);
    this.#parts.matching.realign(shared);
    for (const half of shared) {
      if (hasMark(half, MARK.touched | MARK.second | MARK.settled)) continue;
      const other = otherOf(half);
      if (other === undefined) {
        const judgement = judgeLone(half, this.#sky);
        if (judgement.verdict !== "wait") this.#concludeAlone(half, judgement);
        continue;
      }
      const beside = this.#beside(half, other);
      const judgement = judgePair(half, other, this.#sky, beside);
      if (judgement.counters !== "pending") this.#concludePair(half, other, { judgement, beside });
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
   * What depends on what was decided before it within the same tick: what one uses up of an excuse the
   * next no longer has. So it has an order of its own, and comes after all that has none.
   */
  #decideInOrder(): void {
    // Of more than a node remembers, which are the last must not depend on who came first.
    for (const [initiator, responder, address] of taken(this.#translated).toSorted(byBoth)) {
      this.#sky.streamOf(initiator).noteTranslator(address, responder.node.id);
    }
    for (const half of taken(this.#divided)) {
      if (half.isPaired || verdictOf(half) !== "pending") continue;
      this.#excuse(half, "idle_split", undefined);
      this.#finish(half);
    }
    for (const half of taken(this.#beyond).toSorted(inOrder)) this.#bridge(half);
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
  }

  /** An excuse that its peer was able to make up counts as far as its budget goes. */
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
   * Whose peer is nobody so far waits for everybody; and so does a forwarder, whose ends may be behind, and what
   * came from one that has no record of it.
   */
  #mayBeKnown(half: Half): boolean {
    const isStranger =
      verdictOf(half) === "external" ||
      half.roleNumber === FORWARDER ||
      (verdictOf(half) === "excused" && this.#isFromForwarder(half));
    if (!isStranger || !mayBeNamed(half, this.#sky)) return false;
    const plans = half.records.cell(half.slot, CELL.plans);
    if (!hasMark(half, MARK.awaitsEverybody)) {
      setMark(half, MARK.awaitsEverybody);
      this.#strangers.plan(0, namedBy(half, this.#sky), half.slot, plans);
    }
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
    if (this.#hasCompany(half) || this.#mayBeKnown(half)) return;
    if (isPastAccounts(half, this.#sky)) {
      // What is decided in this tick may yet be about it.
      if (verdictOf(half) === "external") this.#leaving.push(copyOf(half));
      else this.#settle(half);
      return;
    }
    const end = accountsEnd(half, this.#sky);
    if (end !== undefined) this.#plan(half, MARK.awaitsCounters, [end]);
  }

  #settle(half: Half): void {
    setCounters(half, half.accounted && half.counters !== undefined ? "final" : "unavailable");
    const settled = copyOf(half);
    this.#parts.settled(settled);
    this.#excuses.settled(settled);
    this.#dismiss(settled);
  }

  /** Strangers that nobody asked for until the end. */
  #leave(): void {
    for (const half of taken(this.#leaving).toSorted(inOrder)) {
      if (half.isPaired || hasMark(half, MARK.settled)) continue;
      const isMade = hasMark(half, MARK.beyond);
      if (verdictOf(half) === "external" && !isMade) this.#excuses.leave(half, this.#sky);
      this.#settle(half);
    }
  }

  #decideAbsent(): void {
    const { nowMs } = this.#sky;
    for (const [half, peer, forwarder] of taken(this.#absent).toSorted(byHalf)) {
      if (!isOpen(half)) continue;
      // No kernel made it, so nothing happened to it.
      const excuse = hasMark(half, MARK.beyond)
        ? undefined
        : this.#excuses.find(half, peer, this.#sky);
      if (excuse?.until !== undefined) {
        this.#plan(half, MARK.awaitsPeer, excuse.until);
        continue;
      }
      if (excuse !== undefined) {
        this.#excuse(half, excuse.excuse, excuse.proof);
      } else {
        setVerdict(half, "missing");
        setMark(half, MARK.foundMissing);
        this.#parts.changed(half);
        this.#parts.mismatches().missing(half, peer, { nowMs, forwarder });
      }
      this.#finish(half);
    }
  }

  /** Once for each thing that it waits for, however often it changes meanwhile. */
  #plan(half: Half, mark: number, until: readonly Until[]): void {
    if (until.length === 0 || hasMark(half, mark)) return;
    setMark(half, mark);
    const plans = half.records.cell(half.slot, CELL.plans);
    for (const { node, atMs, lookMs = atMs, isFarewell } of until) {
      const waiting = isFarewell ? this.#left : this.#waiting;
      waiting.plan(node.number, lookMs, half.slot, plans);
    }
  }

  #shift(shifts: ReadonlyMap<number, Shift>): void {
    const { records, names } = this.#parts;
    for (let slot = 0; slot < records.end; slot++) {
      const shift = shifts.get(records.cell(slot, CELL.node));
      if (shift === undefined || !slotHasMark(records, slot, MARK.live)) continue;
      // What is settled is as it was when that was decided, whether or not its row is written already.
      if (slotHasMark(records, slot, MARK.settled)) continue;
      if (records.word(slot, WORD.serverMs) < shift.bornMs) continue;
      records.shift(slot, shift.shiftMs);
      this.#parts.changed(new Half(records, names, slot));
    }
  }
}

/** A half that is to be judged anew waits again where it has to: what it waited for until now wakes it no more. */
export function dropPlans(half: Half): void {
  if (!hasMark(half, AWAITS)) return;
  clearMark(half, AWAITS);
  const { records, slot } = half;
  records.setCell(slot, CELL.plans, (records.cell(slot, CELL.plans) + 1) | 0);
}

function isSameAbuse(one: Abuse, other: Abuse): boolean {
  if (one.sinceMs !== other.sinceMs || one.kind !== other.kind) return false;
  return one.kind === "budget" || (other.kind === "concentration" && one.peer === other.peer);
}

interface Differing {
  readonly difference: CounterDifference;
  readonly forwarders: readonly Half[] | undefined;
}

interface Shift {
  readonly shiftMs: number;
  /** When the node's machine booted: what it recorded before has nothing to do with its present clock. */
  readonly bornMs: number;
}

/** Not so when it was looked at twice in one tick: it changed, and what it waited for came. */
function isOpen(half: Half): boolean {
  return !half.isPaired && (verdictOf(half) === "pending" || verdictOf(half) === "external");
}

/** The window that is handed around moves on. */
function copyOf(half: Half): Half {
  return new Half(half.records, half.names, half.slot);
}

function initiatorOf(a: Half, b: Half): Half {
  return inDirection(a, b)[0];
}

function taken<T>(from: T[]): T[] {
  return from.splice(0);
}

function byHalf([a]: readonly [Half, ...unknown[]], [b]: readonly [Half, ...unknown[]]): number {
  return inOrder(a, b);
}

function byBoth(a: readonly [Half, Half, unknown], b: readonly [Half, Half, unknown]): number {
  return inOrder(a[0], b[0]) || inOrder(a[1], b[1]);
}
