/**
 * The mesh in motion: connections begin, kernels tell agents, agents write, nodes seal and send.
 * Everything follows from the seed. Time moves in buckets of 20 ms; what arrives at the server is
 * handed out second by second, so that nothing is kept longer than it is under way.
 */
import { Agents } from "./agent.ts";
import { BUCKET_MS, Calendar } from "./calendar.ts";
import { Dice } from "./dice.ts";
import { EVENT, HalfPool } from "./half-pool.ts";
import { Halves } from "./halves.ts";
import { Ledger } from "./ledger.ts";
import type { Sealed } from "./mesh-node.ts";
import { type Arrival, Post } from "./post.ts";
import { type Place, Topology } from "./topology.ts";
import { Traffic } from "./traffic.ts";
import { DIFFICULTIES, type Difficulty } from "./difficulty.ts";

export interface MeshOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly connections: number;
  /** How long connections begin. */
  readonly trafficMs: number;
  /** How long the rest is waited for. */
  readonly drainMs: number;
  /** Entries in a batch of a node that is not real-time, about. */
  readonly batchEntries: number;
  /** Difficulties that are left out, to see what the others cause. */
  readonly without: readonly Difficulty[];
}

/** No node keeps silent longer, however little it has to say: less than half of what counts as silence. */
const BATCH_EVERY_MAX_MS = 40_000;
/** An agent that has nothing to say still says so. */
const HEARTBEAT_MS = 30_000;
/** Entries per connection, about: two halves of three, or one. */
const ENTRIES_PER_CONNECTION = 5.6;
/** Agents are there before anything happens. */
const TRAFFIC_FROM_MS = 2_000;
/** A reader is never further behind than this, or its kernel drops events. */
const READER_LAG_MAX_MS = 280;

/** What may be done to a batch on its way: returns the ones that go instead. */
export type Tamper = (sealed: Sealed, sealedMs: number) => readonly Sealed[];

export class Mesh {
  readonly options: MeshOptions;
  readonly topology: Topology;
  readonly pool = new HalfPool();
  readonly calendar: Calendar;
  readonly halves: Halves;
  readonly traffic: Traffic;
  /** The difficulties that are not left out. */
  readonly hard: ReadonlySet<Difficulty>;
  readonly agents: Agents;
  readonly ledger: Ledger;
  readonly post: Post;
  readonly dice: Dice;
  /** By node index. */
  readonly tampers = new Map<number, Tamper>();
  nowMs = 0;
  readonly #batchEveryMs: number;
  readonly #agenda = new Map<number, { atMs: number; call: () => void }[]>();
  #begun = 0;

  constructor(options: MeshOptions) {
    this.options = options;
    const dice = new Dice(options.seed);
    this.dice = dice;
    this.topology = new Topology({ ...options, dice: dice.fork() });
    const { addresses, nodes } = this.topology;
    this.calendar = new Calendar(this.pool);
    this.halves = new Halves(this.pool, this.calendar, { addresses, dice: dice.fork() });
    this.hard = new Set(DIFFICULTIES.filter((one) => !options.without.includes(one)));
    const manner = { dice: dice.fork(), hard: this.hard };
    this.traffic = new Traffic(this.topology, this.halves, manner);
    const lots = dice.fork();
    this.agents = new Agents({
      pool: this.pool,
      calendar: this.calendar,
      nodes,
      addresses,
      fraction: () => lots.fraction(),
    });
    this.ledger = new Ledger(this.pool, nodes);
    this.agents.track = (half, seq) => this.ledger.numbered(half, seq);
    this.post = new Post(nodes.length, dice.fork());
    const perMs = (options.connections * ENTRIES_PER_CONNECTION) / nodes.length / options.trafficMs;
    this.#batchEveryMs = Math.min(BATCH_EVERY_MAX_MS, options.batchEntries / perMs);
  }

  get trafficMs(): number {
    return this.options.trafficMs;
  }

  get endMs(): number {
    return this.options.trafficMs + this.options.drainMs;
  }

  /** Calls at a true time that is not past. */
  at(atMs: number, call: () => void): void {
    const bucket = Math.floor(atMs / BUCKET_MS);
    const list = this.#agenda.get(bucket);
    if (list === undefined) this.#agenda.set(bucket, [{ atMs, call }]);
    else list.push({ atMs, call });
  }

  /** The first entries of an agent's run. */
  introduce(place: Place, atMs: number, gap?: object): void {
    const { node } = place;
    node.say("start", atMs, { facts: { version: "0.1.0", sources: "conntrack" } });
    if (gap !== undefined) node.say("gap", atMs, gap);
    this.claim(place, atMs);
  }

  /** Says which addresses it has now. */
  claim(place: Place, atMs: number): void {
    const numbers = [place.ipv4, place.ipv6, ...place.extra];
    const claimed = numbers.map((number) => this.topology.addresses.text(number)).sort();
    place.node.say("addresses", atMs, { networks: { default: claimed } });
  }

  /** Seals what waits and sends it. */
  seal(place: Place, atMs: number, flags = 0): void {
    const { node } = place;
    const sealed = node.seal(atMs, flags);
    const tamper = this.tampers.get(node.index);
    const going = tamper === undefined ? [sealed] : tamper(sealed, atMs);
    for (const one of going) {
      const arrivesMs = this.post.send(place, one, atMs, tamper !== undefined);
      this.ledger.arrived(node, one.header.completeToMs, arrivesMs);
    }
  }

  /** Runs from beginning to end; `second` gets what arrives in each. */
  run(second: (endMs: number, arrivals: readonly Arrival[]) => void): void {
    for (const place of this.topology.places) this.#arise(place);
    while (this.nowMs < this.endMs) {
      this.#agendaOf(Math.floor(this.nowMs / BUCKET_MS));
      this.#beginConnections();
      this.calendar.run((half, event) => this.#happen(half, event));
      this.nowMs += BUCKET_MS;
      if (this.nowMs % 1_000 === 0) {
        second(this.nowMs, this.post.take(this.nowMs / 1_000 - 1));
      }
    }
  }

  #arise(place: Place): void {
    this.introduce(place, 0);
    const timer = this.pool.take();
    this.pool.node[timer] = place.node.index;
    this.calendar.plan(timer, EVENT.timer, this.dice.between(0, this.#pauseMs(place)));
  }

  #agendaOf(bucket: number): void {
    const due = this.#agenda.get(bucket);
    if (due === undefined) return;
    this.#agenda.delete(bucket);
    for (const { call } of due) call();
  }

  #beginConnections(): void {
    const { connections, trafficMs } = this.options;
    if (this.nowMs < TRAFFIC_FROM_MS || this.nowMs >= trafficMs) return;
    const share = (this.nowMs + BUCKET_MS - TRAFFIC_FROM_MS) / (trafficMs - TRAFFIC_FROM_MS);
    const wanted = Math.min(connections, Math.round(connections * share));
    while (this.#begun < wanted && this.halves.count < connections) {
      this.#begun++;
      this.traffic.begin(this.nowMs + this.dice.between(0, BUCKET_MS));
    }
  }

  #happen(half: number, event: number): void {
    if (event === EVENT.timer) this.#seal(half);
    else this.agents.hear(half, event);
  }

  #seal(timer: number): void {
    const place = this.topology.place(this.pool.node[timer] as number);
    const { node } = place;
    const nowMs = Math.max(this.nowMs, this.pool.dueMs[timer] as number);
    if (node.presence === "observing") {
      const isWell = this.agents.troubles[node.index] === undefined;
      if (isWell) node.fence(nowMs - READER_LAG_MAX_MS - this.dice.below(1_000));
      const isDue = node.writer.count > 0 || nowMs - node.sealedMs >= HEARTBEAT_MS;
      if (isDue) this.seal(place, nowMs);
    }
    this.calendar.plan(timer, EVENT.timer, nowMs + this.#pauseMs(place));
  }

  #pauseMs(place: Place): number {
    if (place.node.isRealTime) return this.dice.between(500, 2_000);
    return this.#batchEveryMs * this.dice.between(0.9, 1.1);
  }
}
