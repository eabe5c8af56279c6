/**
 * What happens to honest nodes: agents that are restarted or killed, uplinks that fail, kernels that
 * drop events under load, people who opt out, clocks that are set, addresses claimed twice. Each is
 * written down, with what may be said of it; that nothing else is said is what the lab is for.
 */
import { FLAG } from "../../../src/format/batch.ts";
import { KIND } from "../finding-names.ts";
import type { TruthDraft } from "../truth.ts";
import type { Trouble } from "./agent.ts";
import type { Dice } from "./dice.ts";
import type { Difficulty } from "./difficulty.ts";
import type { Mesh } from "./mesh.ts";
import { START_MS } from "./mesh-node.ts";
import type { Place } from "./topology.ts";

/** Shares of the nodes that each befalls, once. */
const SHARES = {
  restart: 0.05,
  crash: 0.03,
  "long-absence": 0.01,
  outage: 0.03,
  overload: 0.04,
  "opt-out": 0.005,
  "clock-step": 0.01,
  "old-state": 0.002,
} as const satisfies Partial<Record<Difficulty, number>>;

type Kind = keyof typeof SHARES;

/** An agent that had been killed says from when on it may have missed something: when it last wrote its status. */
const STATUS_EVERY_MS = 5_000;

export class Weather {
  readonly #mesh: Mesh;
  readonly #dice: Dice;

  constructor(mesh: Mesh, dice: Dice) {
    this.#mesh = mesh;
    this.#dice = dice;
  }

  /** Who is not to be met by anything; the rest gets its share. Returns the places that stay calm. */
  plan(places: readonly Place[], window: { fromMs: number; toMs: number }): Place[] {
    const { hard } = this.#mesh;
    const left = [...places];
    for (const kind of Object.keys(SHARES) as Kind[]) {
      if (!hard.has(kind)) continue;
      const count = Math.max(1, Math.round(places.length * SHARES[kind]));
      for (let index = 0; index < count && left.length > 1; index++) {
        const [place] = left.splice(this.#dice.below(left.length), 1);
        if (place === undefined) continue;
        const atMs = Math.round(this.#dice.between(window.fromMs, window.toMs));
        this.#mesh.at(atMs, () => this.#happen(kind, place, atMs));
      }
    }
    if (hard.has("bridge-address")) this.#contest(left);
    return left;
  }

  #happen(kind: Kind, place: Place, atMs: number): void {
    const dice = this.#dice;
    switch (kind) {
      case "restart":
        return this.#restart(place, atMs, Math.round(dice.between(2_000, 8_000)));
      case "crash":
        return this.#crash(place, atMs, Math.round(dice.between(500, 4_500)));
      case "long-absence":
        return this.#crash(place, atMs, Math.round(dice.between(15_000, 60_000)));
      case "outage":
        return this.#outage(
          place,
          atMs,
          Math.round(dice.between(0.05, 0.3) * this.#mesh.trafficMs),
        );
      case "overload":
        return this.#overload(place, atMs, Math.round(dice.between(4_000, 12_000)));
      case "opt-out":
        return this.#optOut(place, atMs, Math.round(dice.between(60_000, 180_000)));
      case "old-state":
        return this.#restoreState(place, atMs, Math.round(dice.between(5_000, 30_000)));
      case "clock-step":
        return this.#step(
          place,
          atMs,
          Math.round(dice.between(1_500, 4_000)) * (dice.chance(0.5) ? 1 : -1),
        );
    }
  }

  #restart(place: Place, atMs: number, awayMs: number): void {
    const { node } = place;
    node.say("stop", atMs, { reason: "SIGTERM" });
    const trouble = this.#leave(place, "stopped");
    this.#mesh.seal(place, atMs, FLAG.stop);
    this.#enter("restart", place, { atMs, kinds: [], told: `away for ${awayMs} ms` });
    this.#mesh.at(atMs + awayMs, () => this.#comeBack(place, atMs + awayMs, trouble));
  }

  /** Stopped, and started again from a copy of its state that is older: its chain goes on in a new epoch. */
  #restoreState(place: Place, atMs: number, awayMs: number): void {
    const { node } = place;
    const { epoch, batchNo } = node;
    const backMs = atMs + awayMs;
    node.say("stop", atMs, { reason: "SIGTERM" });
    const trouble = this.#leave(place, "stopped");
    this.#mesh.seal(place, atMs, FLAG.stop);
    const kinds = [KIND.rollback, KIND.lostSpool, KIND.longRestart];
    this.#enter("old-state", place, { atMs, kinds, told: `came back after ${awayMs} ms` });
    this.#mesh.at(backMs, () => {
      const oldHead = Buffer.alloc(32, 1).toString("hex");
      const old = { cause: "state", oldEpoch: epoch, oldBatch: Math.max(0, batchNo - 5), oldHead };
      node.epoch++;
      node.batchNo = 0;
      node.say("rollback", backMs, { ...old, machineId: "m", bootId: "b" });
      const interval = { fromMs: node.clockMs(atMs), toMs: node.clockMs(backMs) };
      node.say("gap", backMs, { cause: "lost", count: null, ...interval });
      this.#mesh.agents.renew(node, backMs);
      this.#comeBack(place, backMs, trouble);
    });
  }

  #crash(place: Place, atMs: number, awayMs: number): void {
    const { node } = place;
    // What was not on disk yet is lost with its numbers, and the next run says so.
    const lost = 1 + this.#dice.below(3);
    const first = node.nextSeq;
    const trouble = this.#leave(place, "stopped");
    const backMs = atMs + awayMs;
    const isLong = awayMs + STATUS_EVERY_MS > 10_000;
    const kinds = isLong ? [KIND.longRestart, KIND.silent] : [];
    this.#enter("crash", place, { atMs, kinds, told: `away for ${awayMs} ms` });
    this.#mesh.at(backMs, () => {
      if (node.writer.count > 0) this.#mesh.seal(place, backMs);
      node.seqFirst += lost;
      const members = {
        cause: "restart",
        count: null,
        fromMs: node.clockMs(atMs - this.#dice.below(STATUS_EVERY_MS)),
        toMs: node.clockMs(backMs),
        seqs: [first, first + lost - 1],
      };
      this.#comeBack(place, backMs, trouble, members);
    });
  }

  #leave(place: Place, presence: "stopped" | "refused"): Trouble {
    const trouble: Trouble = { lossShare: 1, lost: 0, unheard: [] };
    this.#mesh.agents.troubles[place.node.index] = trouble;
    place.node.presence = presence;
    return trouble;
  }

  #comeBack(place: Place, atMs: number, trouble: Trouble, gap?: object): void {
    const { node } = place;
    node.presence = "observing";
    this.#mesh.introduce(place, atMs, gap);
    this.#mesh.agents.troubles[node.index] = undefined;
    this.#mesh.agents.dump(node, trouble.unheard, atMs + 20);
  }

  #outage(place: Place, atMs: number, lastsMs: number): void {
    this.#mesh.post.outages[place.node.index]?.push({ fromMs: atMs, toMs: atMs + lastsMs });
    const kinds = lastsMs > 40_000 ? [KIND.silent] : [];
    this.#enter("outage", place, { atMs, kinds, told: `no uplink for ${lastsMs} ms` });
  }

  /** The kernel drops a share of its events; the agent counts them, and reads fewer kinds for a while. */
  #overload(place: Place, atMs: number, lastsMs: number): void {
    const { node } = place;
    const lossShare = this.#dice.between(0.05, 0.4);
    const trouble: Trouble = { lossShare, endsOnly: true, lost: 0, unheard: [] };
    this.#mesh.agents.troubles[node.index] = trouble;
    node.say("degraded", atMs, { events: "ends", reason: "the kernel dropped events" });
    this.#enter("overload", place, { atMs, kinds: [], told: `drops events for ${lastsMs} ms` });
    const endMs = atMs + lastsMs;
    this.#mesh.at(endMs, () => {
      this.#mesh.agents.troubles[node.index] = undefined;
      const interval = { fromMs: node.clockMs(atMs - 300), toMs: node.clockMs(endMs) };
      if (trouble.lost > 0) {
        node.say("gap", endMs, { cause: "overflow", count: trouble.lost, ...interval });
      }
      node.say("degraded", endMs, { events: "all", reason: "it is calm again" });
      this.#mesh.at(endMs + 5_000, () =>
        this.#mesh.agents.dump(node, trouble.unheard, endMs + 5_000),
      );
    });
  }

  #optOut(place: Place, atMs: number, lastsMs: number): void {
    const { node } = place;
    this.#enter("opt-out", place, { atMs, kinds: [KIND.optedOut], told: `for ${lastsMs} ms` });
    node.say("opt_out", atMs, { origin: "flag" });
    this.#mesh.seal(place, atMs, FLAG.optOut);
    const trouble = this.#leave(place, "refused");
    this.#mesh.at(atMs + lastsMs, () => {
      node.say("resume", atMs + lastsMs, {});
      // What it had recorded was removed with the refusal.
      this.#mesh.agents.renew(node, atMs + lastsMs);
      this.#comeBack(place, atMs + lastsMs, trouble);
    });
  }

  #step(place: Place, atMs: number, byMs: number): void {
    place.node.step(byMs);
    this.#enter("clock-step", place, { atMs, kinds: [KIND.clockStep], told: `by ${byMs} ms` });
  }

  /** Two hosts with one bridge address: the agent claims it, because nothing in its name says what it is. */
  #contest(left: Place[]): void {
    const [a, b] = left.splice(0, 2);
    if (a === undefined || b === undefined) return;
    const addresses = this.#mesh.topology.addresses;
    const bridge = addresses.add("172.30.0.1");
    a.extra.push(bridge);
    b.extra.push(bridge);
    for (const place of [a, b]) {
      this.#enter("bridge-address", place, {
        atMs: 0,
        kinds: [KIND.contested],
        told: "172.30.0.1 on two hosts",
      });
    }
  }

  #enter(
    cause: string,
    place: Place,
    what: { atMs: number; kinds: readonly string[]; told: string },
  ): void {
    const { atMs, kinds, told } = what;
    const draft: TruthDraft = {
      cause,
      isAttack: false,
      doers: [],
      nodes: [place.node.id],
      finds: [],
      may: kinds,
      told: `${place.node.name}: ${told}`,
      fromMs: START_MS + atMs,
    };
    this.#mesh.ledger.enter(draft, { atMs });
  }
}
