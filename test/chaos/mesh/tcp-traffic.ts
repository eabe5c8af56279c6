/**
 * TCP: handshakes with lost first packets, short and long connections, resets, refusals, attempts
 * that nobody answers, tuples used again within seconds, and both ends opening at once.
 */
import { countTcp, type Direction, noTraffic } from "./counts.ts";
import type { Dice } from "./dice.ts";
import type { Difficulty } from "./difficulty.ts";
import type { Manner } from "./manner.ts";
import { FLAG_OF_HALF } from "./half-pool.ts";
import { type Halves, mark, type Span, type Way } from "./halves.ts";
import { ROLE, STATE } from "./line-writer.ts";

const TCP = 6;
/** When a first packet that was lost is sent again, counted from the first. */
const SYN_AGAIN_MS = [0, 1_000, 3_000, 7_000] as const;
/** Of the kernel's table. */
const TIME_WAIT_MS = 120_000;
const CLOSED_MS = 10_000;
const SYN_SENT_MS = 120_000;
/** The kernel collects what has timed out up to a minute late. */
const COLLECT_MS = 60_000;
const BYTES_MAX = 50_000_000;
/** Uses of one tuple in a row, at most. */
const USES_MAX = 6;

export class TcpTraffic {
  readonly #halves: Halves;
  readonly #dice: Dice;
  readonly #hard: ReadonlySet<Difficulty>;
  readonly #forth: Direction = noTraffic();
  readonly #back: Direction = noTraffic();
  readonly #initiator: Span = { bornMs: 0, endMs: 0, goneMs: 0 };
  readonly #responder: Span = { bornMs: 0, endMs: 0, goneMs: 0 };

  constructor(halves: Halves, { dice, hard }: Manner) {
    this.#halves = halves;
    this.#dice = dice;
    this.#hard = hard;
  }

  begin(way: Way, bornMs: number): void {
    const fate = this.#dice.fraction();
    if (fate < 0.02) return this.refuse(way, bornMs);
    if (fate < 0.035) return this.#unanswered(way, bornMs);
    const isPlain = way.from !== undefined && way.to !== undefined && way.router === undefined;
    const isCrossed = isPlain && fate < 0.0355 && way.maskedAddress === -1;
    if (isCrossed && this.#hard.has("crossed")) return this.#crossed(way, bornMs);
    const uses =
      isPlain && fate > 0.97 && this.#hard.has("reuse") ? 2 + this.#dice.below(USES_MAX - 1) : 1;
    this.#established(way, bornMs, { uses, isUsedAgain: uses > 1 });
  }

  #established(way: Way, bornMs: number, how: { uses: number; isUsedAgain: boolean }): void {
    const dice = this.#dice;
    const { uses, isUsedAgain } = how;
    const again = this.#retries(way);
    const arrivedMs = bornMs + (SYN_AGAIN_MS[again] ?? 0) + way.rttMs / 2;
    const lastsMs = isUsedAgain ? dice.exponential() * 800 : this.#durationMs();
    const endMs = arrivedMs + 2 * way.rttMs + lastsMs;
    const isReset = dice.chance(0.04);
    const state = isReset ? STATE.RST : dice.chance(0.005) ? STATE.S2 : STATE.SF;
    const waitMs = isReset ? CLOSED_MS : TIME_WAIT_MS;
    // Used again: the kernel drops what it remembers when the next first packet comes.
    const reusedMs = uses > 1 ? endMs + way.rttMs + 30 + dice.exponential() * 2_500 : undefined;
    const initiator = span(this.#initiator, bornMs, endMs, (at) =>
      reusedMs === undefined ? at + waitMs + dice.between(0, COLLECT_MS) : reusedMs - 21,
    );
    const responder = span(this.#responder, arrivedMs, endMs + way.rttMs / 2, (at) =>
      reusedMs === undefined ? at + waitMs + dice.between(0, COLLECT_MS) : reusedMs - 21,
    );
    // Until the first packet that arrived was answered, nobody knows that it stands.
    [initiator.answeredMs, responder.answeredMs] = [
      arrivedMs + way.rttMs / 2,
      arrivedMs + way.rttMs,
    ];
    this.#count(way, again);
    const flags = FLAG_OF_HALF.assured | FLAG_OF_HALF.established;
    this.#make(way, { state, flags, initiator, responder, isUsedAgain });
    if (reusedMs === undefined) return;
    this.#established(way, reusedMs, { uses: uses - 1, isUsedAgain });
  }

  /** The responder's kernel answers with a reset, and has no entry. */
  refuse(way: Way, bornMs: number): void {
    const dice = this.#dice;
    const initiator = span(
      this.#initiator,
      bornMs,
      bornMs + way.rttMs,
      (at) => at + CLOSED_MS + dice.between(0, COLLECT_MS),
    );
    this.#attempt(1, 1);
    this.#make(way, { state: STATE.REJ, flags: 0, initiator, responder: undefined });
  }

  #unanswered(way: Way, bornMs: number): void {
    const sent = 1 + this.#dice.below(6);
    const lastMs = bornMs + (SYN_AGAIN_MS[Math.min(sent - 1, 3)] ?? 0);
    const goneMs = lastMs + SYN_SENT_MS + this.#dice.between(0, COLLECT_MS);
    const initiator = span(this.#initiator, bornMs, goneMs, (at) => at);
    this.#attempt(sent, 0);
    const flags = FLAG_OF_HALF.endsLate;
    this.#make(way, { state: STATE.S0, flags, initiator, responder: undefined });
  }

  /** Both ends send a first packet at once: each records itself as the initiator. */
  #crossed(way: Way, bornMs: number): void {
    const dice = this.#dice;
    const endMs = bornMs + 2 * way.rttMs + this.#durationMs();
    const gone = (at: number) => at + TIME_WAIT_MS + dice.between(0, COLLECT_MS);
    const initiator = span(this.#initiator, bornMs, endMs, gone);
    const responder = span(this.#responder, bornMs + way.rttMs / 4, endMs, gone);
    this.#count(way, 0);
    const flags = FLAG_OF_HALF.assured | FLAG_OF_HALF.established;
    const { witness } = this.#halves;
    this.#halves.witness = undefined;
    const made = this.#make(way, { state: STATE.SF, flags, initiator, responder });
    this.#halves.witness = witness;
    this.#turn(made.responder);
  }

  /** The half of an end that took itself for the initiator. */
  #turn(half: number): void {
    const { pool } = this.#halves;
    if (half === -1) return;
    pool.role[half] = ROLE.initiator;
    [pool.initiator[half], pool.responder[half]] = pair(pool.responder, pool.initiator, half);
    [pool.initiatorPort[half], pool.responderPort[half]] = pair(
      pool.responderPort,
      pool.initiatorPort,
      half,
    );
    [pool.initiatorBytes[half], pool.responderBytes[half]] = pair(
      pool.responderBytes,
      pool.initiatorBytes,
      half,
    );
    [pool.initiatorPackets[half], pool.responderPackets[half]] = pair(
      pool.responderPackets,
      pool.initiatorPackets,
      half,
    );
    [pool.initiatorPayload[half], pool.responderPayload[half]] = pair(
      pool.responderPayload,
      pool.initiatorPayload,
      half,
    );
    mark(pool, half, "established");
  }

  #make(
    way: Way,
    what: {
      state: number;
      flags: number;
      initiator: Span;
      responder: Span | undefined;
      isUsedAgain?: boolean;
    },
  ) {
    const { state, flags, initiator, responder, isUsedAgain = false } = what;
    return this.#halves.make({
      way,
      protocol: TCP,
      state,
      flags,
      atInitiator: initiator,
      atResponder: responder,
      forth: this.#forth,
      back: this.#back,
      isUsedAgain,
    });
  }

  #count(way: Way, retriedHandshakes: number): void {
    const dice = this.#dice;
    const { lossShare } = way;
    const asked = Math.min(BYTES_MAX, Math.ceil(Math.exp(6.7 + 1.2 * dice.normal())));
    const answered = Math.min(BYTES_MAX, Math.ceil(Math.exp(8.5 + 1.7 * dice.normal())));
    countTcp(this.#forth, dice, {
      payloadBytes: asked,
      answeredBytes: answered,
      lossShare,
      retriedHandshakes,
    });
    countTcp(this.#back, dice, {
      payloadBytes: answered,
      answeredBytes: asked,
      lossShare,
      retriedHandshakes: 0,
    });
  }

  #attempt(sent: number, answered: number): void {
    Object.assign(this.#forth, noTraffic(), { sentPackets: sent, sentBytes: 60 * sent });
    const back = { receivedPackets: answered, receivedBytes: 40 * answered };
    Object.assign(this.#back, noTraffic(), back);
  }

  #retries(way: Way): number {
    const dice = this.#dice;
    const lossShare = way.lossShare + (this.#hard.has("loss") ? 0.003 : 0);
    let again = 0;
    while (again < 3 && dice.chance(lossShare)) again++;
    return again;
  }

  #durationMs(): number {
    const dice = this.#dice;
    const kind = dice.fraction();
    if (kind < 0.85) return dice.exponential() * 1_200;
    return kind < 0.98 ? dice.between(3_000, 90_000) : dice.between(90_000, 1_200_000);
  }
}

function span(into: Span, bornMs: number, endMs: number, gone: (endMs: number) => number): Span {
  into.bornMs = bornMs;
  into.answeredMs = bornMs;
  into.endMs = endMs;
  into.goneMs = gone(endMs);
  return into;
}

function pair(a: ArrayLike<number>, b: ArrayLike<number>, at: number): [number, number] {
  return [a[at] as number, b[at] as number];
}
