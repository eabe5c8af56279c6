/**
 * What is under way to the server: batches in the order of their arrival. A node's own come in the
 * order of its chain, later when its uplink is down, and then one behind the other.
 */
import type { Dice } from "./dice.ts";
import type { Sealed } from "./mesh-node.ts";
import type { Place } from "./topology.ts";

/** One frame as it reaches the server. */
export interface Arrival {
  readonly frame: Uint8Array;
  readonly atMs: number;
  /** Sent by the adversary: a refusal is nothing to wonder at. */
  readonly isHostile: boolean;
}

export interface Outage {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Between two batches of a backlog. */
const CATCH_UP_MS = 15;

export class Post {
  readonly #dice: Dice;
  readonly #bySecond = new Map<number, Arrival[]>();
  readonly #lastMs: Float64Array;
  /** By node. */
  readonly outages: Outage[][];

  constructor(nodes: number, dice: Dice) {
    this.#dice = dice;
    this.#lastMs = new Float64Array(nodes);
    this.outages = Array.from({ length: nodes }, () => []);
  }

  /** Sends a batch that was sealed at `sealedMs`; returns when it arrives. */
  send(place: Place, sealed: Pick<Sealed, "frame">, sealedMs: number, isHostile = false): number {
    const { index } = place.node;
    const hiccupMs = this.#dice.chance(0.01) ? this.#dice.between(200, 4_000) : 0;
    let atMs = sealedMs + place.uplinkMs * (1 + this.#dice.fraction()) + hiccupMs;
    const outage = this.outages[index]?.find((one) => one.fromMs <= atMs && atMs < one.toMs);
    if (outage !== undefined) atMs = outage.toMs + this.#dice.between(0, 2_000);
    const last = this.#lastMs[index] as number;
    atMs = Math.ceil(Math.max(atMs, last === 0 ? 0 : last + CATCH_UP_MS));
    this.#lastMs[index] = atMs;
    this.deliver({ frame: sealed.frame, atMs, isHostile });
    return atMs;
  }

  /** When the last batch of this node arrives, of those that were sent. */
  lastMs(index: number): number {
    return this.#lastMs[index] as number;
  }

  /** Puts a frame in at a given time, out of any order. */
  deliver(arrival: Arrival): void {
    const second = Math.floor(arrival.atMs / 1_000);
    const list = this.#bySecond.get(second);
    if (list === undefined) this.#bySecond.set(second, [arrival]);
    else list.push(arrival);
  }

  /** What arrives in this second, in order; nothing more may be sent into it. */
  take(second: number): Arrival[] {
    const arrivals = this.#bySecond.get(second) ?? [];
    this.#bySecond.delete(second);
    return arrivals.sort((a, b) => a.atMs - b.atMs);
  }
}
