/**
 * UDP: questions with one answer, datagrams that nobody answers, and sessions with pauses, which a
 * kernel ends or not by its own setting, so that the two ends may have another number of halves.
 */
import { countUdp, type Direction, noTraffic } from "./counts.ts";
import type { Dice } from "./dice.ts";
import type { Difficulty } from "./difficulty.ts";
import type { Manner } from "./manner.ts";
import { FLAG_OF_HALF } from "./half-pool.ts";
import type { Halves, Span, Way } from "./halves.ts";
import { STATE } from "./line-writer.ts";
import type { Place } from "./topology.ts";

const UDP = 17;
/** Kernel setting: how long a session without lasting traffic outlives its last packet. */
const UNASSURED_MS = 30_000;
const COLLECT_MS = 60_000;

/** Packets one after the other; directions as its first packet's sender sees them. */
interface Burst {
  readonly bornMs: number;
  endMs: number;
  readonly forth: Direction;
  readonly back: Direction;
  readonly begunByResponder: boolean;
}

export class UdpTraffic {
  readonly #halves: Halves;
  readonly #dice: Dice;
  readonly #hard: ReadonlySet<Difficulty>;
  readonly #forth: Direction = noTraffic();
  readonly #back: Direction = noTraffic();

  constructor(halves: Halves, { dice, hard }: Manner) {
    this.#halves = halves;
    this.#dice = dice;
    this.#hard = hard;
  }

  begin(way: Way, bornMs: number): void {
    const fate = this.#dice.fraction();
    if (fate < 0.08) return this.#unanswered(way, bornMs);
    if (fate < 0.75) return this.#question(way, bornMs);
    this.#session(way, bornMs);
  }

  #question(way: Way, bornMs: number): void {
    this.#count(way, 1, 1);
    const seen = (atMs: number): Span => {
      const endMs = atMs + way.rttMs;
      return { bornMs: atMs, endMs, goneMs: this.#goneMs(endMs, UNASSURED_MS) };
    };
    this.#make(way, {
      initiator: seen(bornMs),
      responder: { ...seen(bornMs + way.rttMs / 2), endMs: bornMs + way.rttMs / 2 + 1 },
      isAssured: false,
    });
  }

  /** The responder's kernel has an entry too, unless it is behind a filter. */
  #unanswered(way: Way, bornMs: number): void {
    const sent = 1 + this.#dice.below(4);
    const endMs = bornMs + (sent - 1) * 200;
    this.#count(way, sent, 0);
    const span = { bornMs, endMs, goneMs: this.#goneMs(endMs, UNASSURED_MS) };
    const arrives = this.#dice.chance(0.5);
    this.#halves.make({
      way,
      protocol: UDP,
      state: STATE.S0,
      flags: FLAG_OF_HALF.endsLate,
      atInitiator: span,
      atResponder: arrives ? { ...span, bornMs: bornMs + way.rttMs / 2 } : undefined,
      forth: this.#forth,
      back: this.#back,
    });
  }

  #session(way: Way, bornMs: number): void {
    const { from, to } = way;
    const bursts = this.#bursts(way, bornMs);
    const isPlain = from !== undefined && to !== undefined && way.router === undefined;
    if (isPlain && way.maskedAddress === -1 && bursts.length > 1) {
      // Divided sessions are nobody's victims: an attack on them would be another question.
      const { witness } = this.#halves;
      this.#halves.witness = undefined;
      this.#split({ ...way }, from, "initiator", bursts);
      this.#split({ ...way }, to, "responder", bursts);
      this.#halves.witness = witness;
      this.#halves.count++;
      return;
    }
    const [first] = bursts;
    if (first === undefined) return;
    const seen = (place: Place | undefined, offsetMs: number): Span => {
      const endMs = first.endMs + offsetMs;
      const goneMs = this.#goneMs(endMs, place?.udpStreamMs ?? 120_000);
      return { bornMs: first.bornMs + offsetMs, endMs, goneMs };
    };
    Object.assign(this.#forth, first.forth);
    Object.assign(this.#back, first.back);
    const [initiator, responder] = [seen(from, 0), seen(to, way.rttMs / 2)];
    this.#make(way, { initiator, responder, isAssured: true });
  }

  /** Makes one end's halves: a pause past its kernel's timeout ends one and begins the next. */
  #split(way: Way, end: Place, side: "initiator" | "responder", bursts: readonly Burst[]): void {
    const offsetMs = side === "initiator" ? 0 : way.rttMs / 2;
    for (const part of partsOf(bursts, end.udpStreamMs)) {
      const turned = part.begunByResponder;
      const seen: Span = {
        bornMs: part.bornMs + offsetMs,
        endMs: part.endMs + offsetMs,
        goneMs: this.#goneMs(part.endMs, end.udpStreamMs),
      };
      const isInitiator = (side === "initiator") !== turned;
      const ends = { from: isInitiator ? end : undefined, to: isInitiator ? undefined : end };
      this.#halves.make({
        way: { ...way, ...(turned ? mirrored(way) : {}), ...ends },
        protocol: UDP,
        state: STATE.SF,
        flags: FLAG_OF_HALF.endsLate | FLAG_OF_HALF.assured | FLAG_OF_HALF.established,
        atInitiator: seen,
        atResponder: seen,
        forth: turned ? part.back : part.forth,
        back: turned ? part.forth : part.back,
      });
      this.#halves.count--;
    }
  }

  #bursts(way: Way, bornMs: number): Burst[] {
    const dice = this.#dice;
    const count = this.#hard.has("split") && dice.chance(0.25) ? 2 + dice.below(2) : 1;
    const bursts: Burst[] = [];
    let atMs = bornMs;
    for (let index = 0; index < count; index++) {
      const lastsMs = 2_500 + dice.exponential() * 15_000;
      const datagrams = 3 + Math.floor(dice.exponential() * 60);
      this.#count(way, datagrams, 2 + Math.floor(datagrams * dice.fraction()));
      bursts.push({
        bornMs: atMs,
        endMs: atMs + lastsMs,
        forth: { ...this.#forth },
        back: { ...this.#back },
        begunByResponder: index > 0 && dice.chance(0.2),
      });
      // A few seconds around a timeout the two kernels would be a matter of luck.
      const pauseMs = dice.pick([40_000, 90_000, 135_000, 150_000, 165_000, 200_000]);
      atMs += lastsMs + pauseMs + dice.between(-5_000, 5_000);
    }
    return bursts;
  }

  #make(way: Way, what: { initiator: Span; responder: Span; isAssured: boolean }): void {
    const flags =
      FLAG_OF_HALF.endsLate |
      FLAG_OF_HALF.established |
      (what.isAssured ? FLAG_OF_HALF.assured : 0);
    this.#halves.make({
      way,
      protocol: UDP,
      state: STATE.SF,
      flags,
      atInitiator: what.initiator,
      atResponder: what.responder,
      forth: this.#forth,
      back: this.#back,
    });
  }

  #count(way: Way, forth: number, back: number): void {
    const dice = this.#dice;
    const payloadBytes = 40 + dice.below(1_100);
    const { lossShare } = way;
    countUdp(this.#forth, dice, { datagrams: forth, payloadBytes, lossShare });
    countUdp(this.#back, dice, { datagrams: back, payloadBytes: payloadBytes + 60, lossShare });
  }

  #goneMs(lastMs: number, timeoutMs: number): number {
    return lastMs + timeoutMs + this.#dice.between(0, COLLECT_MS);
  }
}

/** How a kernel with this timeout divides the bursts. */
function partsOf(bursts: readonly Burst[], timeoutMs: number): Burst[] {
  const parts: Burst[] = [];
  for (const burst of bursts) {
    const last = parts.at(-1);
    if (last === undefined || burst.bornMs - last.endMs >= timeoutMs) {
      parts.push({ ...burst, forth: { ...burst.forth }, back: { ...burst.back } });
      continue;
    }
    last.endMs = burst.endMs;
    add(last.forth, burst.forth);
    add(last.back, burst.back);
  }
  return parts;
}

function add(to: Direction, more: Direction): void {
  to.sentBytes += more.sentBytes;
  to.sentPackets += more.sentPackets;
  to.receivedBytes += more.receivedBytes;
  to.receivedPackets += more.receivedPackets;
}

function mirrored(way: Way): Partial<Way> {
  return {
    initiator: way.responder,
    initiatorPort: way.responderPort,
    responder: way.initiator,
    responderPort: way.initiatorPort,
  };
}
