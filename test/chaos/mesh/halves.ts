/** Making the halves of a connection: one for each agent whose kernel it passes. */
import type { Calendar } from "./calendar.ts";
import type { Direction } from "./counts.ts";
import type { Dice } from "./dice.ts";
import { EVENT, FLAG_OF_HALF, type HalfPool } from "./half-pool.ts";
import { ROLE, STATE } from "./line-writer.ts";
import type { MeshNode } from "./mesh-node.ts";
import type { Addresses } from "./addresses.ts";
import type { Place } from "./topology.ts";

/** Where a connection passes, before anything is said of what happens on it. Reused: copy what must stay. */
export interface Way {
  /** Absent: somebody who is no node. */
  from: Place | undefined;
  to: Place | undefined;
  router: MeshNode | undefined;
  initiator: number;
  responder: number;
  initiatorPort: number;
  responderPort: number;
  /** The initiator as the responder sees it; −1: as it is. */
  maskedAddress: number;
  maskedPort: number;
  rttMs: number;
  lossShare: number;
}

/** When one kernel sees it begin, end, and forgets it. */
export interface Span {
  bornMs: number;
  /** When an answer has come; with the beginning where nothing is said. */
  answeredMs?: number;
  endMs: number;
  goneMs: number;
}

/** All of one connection, decided when it begins. */
export interface Making {
  readonly way: Way;
  readonly protocol: number;
  /** A code of `STATE`: how it will have ended. */
  readonly state: number;
  /** Bits of `FLAG_OF_HALF`. */
  readonly flags: number;
  readonly atInitiator: Span;
  /** Absent where its kernel has no entry. */
  readonly atResponder: Span | undefined;
  readonly forth: Direction;
  readonly back: Direction;
  /** One of several on the same tuple within seconds. */
  readonly isUsedAgain?: boolean;
}

/** The halves of one connection; −1: none. Reused. */
export interface Made {
  initiator: number;
  responder: number;
  forwarder: number;
}

/** Told of each connection that nobody translates or forwards, before anything is said of it. */
export type Witness = (made: Made, way: Way) => void;

export class Halves {
  readonly pool: HalfPool;
  readonly calendar: Calendar;
  /** Whoever may change what an agent will say. */
  witness: Witness | undefined;
  /** Connections so far. */
  count = 0;
  readonly #addresses: Addresses;
  readonly #dice: Dice;
  readonly #way: Way = {
    from: undefined,
    to: undefined,
    router: undefined,
    initiator: 0,
    responder: 0,
    initiatorPort: 0,
    responderPort: 0,
    maskedAddress: -1,
    maskedPort: 0,
    rttMs: 0,
    lossShare: 0,
  };
  readonly #made: Made = { initiator: -1, responder: -1, forwarder: -1 };

  constructor(pool: HalfPool, calendar: Calendar, parts: { addresses: Addresses; dice: Dice }) {
    this.pool = pool;
    this.calendar = calendar;
    this.#addresses = parts.addresses;
    this.#dice = parts.dice;
  }

  way(): Way {
    const way = this.#way;
    way.router = undefined;
    way.maskedAddress = -1;
    return way;
  }

  /**
   * Readers read at once, mostly; and some time later when the host is busy. Whatever uses a tuple
   * again is read in its order, so its lag is that of a calm host.
   */
  #lagMs(isUsedAgain: boolean): number {
    const dice = this.#dice;
    return !isUsedAgain && dice.chance(0.01) ? dice.between(5, 250) : dice.between(0, 4);
  }

  /**
   * Makes the halves that agents have of it, and plans their openings. Who has none of the two ends
   * leaves the span out.
   */
  make(what: Making): Made {
    const { way, atResponder } = what;
    const made = this.#made;
    this.count++;
    const mirrored = way.maskedAddress === -1;
    made.initiator = way.from === undefined ? -1 : this.#half(what, way.from.node, ROLE.initiator);
    this.#tellPayload(what, way.from, made.initiator);
    made.responder = -1;
    if (way.to !== undefined && atResponder !== undefined) {
      made.responder = this.#half(what, way.to.node, ROLE.responder);
      if (!mirrored) {
        this.pool.initiator[made.responder] = way.maskedAddress;
        this.pool.initiatorPort[made.responder] = way.maskedPort;
      }
    }
    this.#tellPayload(what, way.to, made.responder);
    made.forwarder = way.router === undefined ? -1 : this.#half(what, way.router, ROLE.forwarder);
    if (made.forwarder !== -1 && !mirrored) this.pool.reply.set(made.forwarder, this.#reply(way));
    if (mirrored && made.forwarder === -1) this.witness?.(made, way);
    this.#planOpen(made.initiator);
    this.#planOpen(made.responder);
    this.#planOpen(made.forwarder);
    return made;
  }

  /** Only of a connection that ended in order, and only where the agent can ask the sockets. */
  #tellPayload(what: Making, place: Place | undefined, half: number): void {
    if (half === -1) return;
    const { state, forth, back } = what;
    const isTold = place?.asksSockets === true && state === STATE.SF && forth.payloadBytes >= 0;
    const isResponder = this.pool.role[half] === ROLE.responder;
    // The end of what came counts as a byte where the socket was there to receive it.
    const short = isTold && this.#dice.chance(0.5) ? 1 : 0;
    const told = (bytes: number, isReceived: boolean): number =>
      isTold ? Math.max(0, bytes - (isReceived ? short : 0)) : -1;
    this.pool.initiatorPayload[half] = told(forth.payloadBytes, isResponder);
    this.pool.responderPayload[half] = told(back.payloadBytes, !isResponder);
  }

  #planOpen(half: number): void {
    if (half === -1) return;
    const { pool } = this;
    const dueMs = (pool.bornMs[half] as number) + (pool.delayMs[half] as number);
    this.calendar.plan(half, EVENT.open, dueMs);
  }

  #half(what: Making, node: MeshNode, role: number): number {
    const { pool } = this;
    const { way, forth, back } = what;
    const isResponder = role === ROLE.responder;
    const span = isResponder ? (what.atResponder ?? what.atInitiator) : what.atInitiator;
    const half = pool.take();
    pool.node[half] = node.index;
    pool.role[half] = role;
    pool.protocol[half] = what.protocol;
    pool.state[half] = what.state;
    pool.flags[half] = what.flags;
    pool.initiator[half] = way.initiator;
    pool.responder[half] = way.responder;
    pool.initiatorPort[half] = way.initiatorPort;
    pool.responderPort[half] = way.responderPort;
    const bornMs = span.bornMs + this.#lagMs(what.isUsedAgain === true);
    pool.bornMs[half] = bornMs;
    pool.answeredMs[half] = Math.max(bornMs, span.answeredMs ?? bornMs);
    // A kernel's events come in order: an end is not read before a beginning.
    pool.endMs[half] = Math.max(bornMs + 1, span.endMs + this.#lagMs(what.isUsedAgain === true));
    pool.goneMs[half] = Math.max(span.goneMs, pool.endMs[half]);
    pool.initiatorPackets[half] = isResponder ? forth.receivedPackets : forth.sentPackets;
    pool.initiatorBytes[half] = isResponder ? forth.receivedBytes : forth.sentBytes;
    pool.initiatorPayload[half] = -1;
    pool.responderPackets[half] = isResponder ? back.sentPackets : back.receivedPackets;
    pool.responderBytes[half] = isResponder ? back.sentBytes : back.receivedBytes;
    return half;
  }

  #reply(way: Way): string {
    const text = (number: number): string => this.#addresses.text(number);
    const from = `"${text(way.responder)}",${way.responderPort}`;
    return `[${from},"${text(way.maskedAddress)}",${way.maskedPort}]`;
  }
}

/** Whether a flag is set. */
export function has(pool: HalfPool, half: number, flag: keyof typeof FLAG_OF_HALF): boolean {
  return ((pool.flags[half] as number) & FLAG_OF_HALF[flag]) !== 0;
}

/** Sets a flag. */
export function mark(pool: HalfPool, half: number, flag: keyof typeof FLAG_OF_HALF): void {
  pool.flags[half] = (pool.flags[half] as number) | FLAG_OF_HALF[flag];
}

/** Takes a flag back. */
export function clear(pool: HalfPool, half: number, flag: keyof typeof FLAG_OF_HALF): void {
  pool.flags[half] = (pool.flags[half] as number) & ~FLAG_OF_HALF[flag];
}
