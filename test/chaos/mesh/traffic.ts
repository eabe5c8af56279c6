/**
 * Connections as they happen, and what each kernel on their way has of them. A connection is decided
 * in whole when it begins; its halves then live apart, each seen by its own agent.
 */
import type { Dice } from "./dice.ts";
import type { Difficulty } from "./difficulty.ts";
import type { Halves } from "./halves.ts";
import { type Way } from "./halves.ts";
import type { Manner } from "./manner.ts";
import { linkBetween, type Place, type Topology } from "./topology.ts";
import { TcpTraffic } from "./tcp-traffic.ts";
import { UdpTraffic } from "./udp-traffic.ts";

const SERVICES = [443, 443, 443, 80, 22, 5432, 6379, 8080, 9092] as const;
const UDP_SERVICES = [53, 53, 123, 443, 51_820] as const;

export class Traffic {
  readonly #topology: Topology;
  readonly #halves: Halves;
  readonly #dice: Dice;
  readonly #tcp: TcpTraffic;
  readonly #udp: UdpTraffic;
  readonly #hard: ReadonlySet<Difficulty>;

  constructor(topology: Topology, halves: Halves, manner: Manner) {
    this.#topology = topology;
    this.#halves = halves;
    this.#dice = manner.dice;
    this.#hard = manner.hard;
    this.#tcp = new TcpTraffic(halves, manner);
    this.#udp = new UdpTraffic(halves, manner);
  }

  /** One connection begins somewhere at `bornMs`. */
  begin(bornMs: number): void {
    const dice = this.#dice;
    const from = this.#topology.place(dice.below(this.#topology.places.length));
    const isUdp = dice.chance(0.26);
    const port = isUdp ? dice.pick(UDP_SERVICES) : dice.pick(SERVICES);
    const way = dice.chance(0.12) ? this.#outside(from, port) : this.#inside(from, port);
    if (isUdp) this.#udp.begin(way, bornMs);
    else this.#tcp.begin(way, bornMs);
  }

  #inside(from: Place, port: number): Way {
    const dice = this.#dice;
    let to = this.#topology.place(
      dice.chance(0.75)
        ? (from.peers[dice.below(from.peers.length)] as number)
        : dice.below(this.#topology.places.length),
    );
    // Nobody reaches into a site that is masked, and a node does not talk to itself.
    if (to === from || (to.site?.isMasked === true && to.site !== from.site)) {
      to = this.#topology.place(from.peers[0] as number);
    }
    return this.#between(from, to, port);
  }

  /** Two given nodes talk TCP. */
  meet(from: Place, to: Place, bornMs: number): void {
    this.#tcp.begin(this.#between(from, to, this.#dice.pick(SERVICES)), bornMs);
  }

  /** One of them tries in vain. */
  knock(from: Place, to: Place, bornMs: number): void {
    this.#tcp.refuse(this.#between(from, to, 4_444), bornMs);
  }

  /** The way of a connection between two nodes; its initiator's port is free. */
  #between(from: Place, to: Place, port: number): Way {
    const way = this.#halves.way();
    const { rttMs, lossShare } = linkBetween(from.node.index, to.node.index);
    const isDirect = from.site === undefined && to.site === undefined;
    const isIpv6 = isDirect && this.#dice.chance(0.05);
    way.from = from;
    way.to = to;
    way.initiator = isIpv6 ? from.ipv6 : from.ipv4;
    way.responder = isIpv6 ? to.ipv6 : to.ipv4;
    way.initiatorPort = this.#freePort(from);
    way.responderPort = port;
    way.rttMs = rttMs;
    way.lossShare = this.#hard.has("loss") ? lossShare : 0;
    if (from.site !== to.site) this.#route(way, from, to);
    return way;
  }

  #route(way: Way, from: Place, to: Place): void {
    const site = from.site ?? to.site;
    if (site === undefined || !this.#hard.has(site.isMasked ? "nat" : "routers")) return;
    if (site.router === from.node || site.router === to.node) return;
    way.router = site.router;
    if (!site.isMasked || from.site === undefined) return;
    way.maskedAddress = site.routerAddress;
    // The kernel keeps the port where it is free.
    way.maskedPort = this.#dice.chance(0.9) ? way.initiatorPort : 1_024 + this.#dice.below(28_000);
  }

  /** With somebody who is no node: one half, and that of a router on the way. */
  #outside(place: Place, port: number): Way {
    const way = this.#halves.way();
    const dice = this.#dice;
    const isOutbound = place.site?.isMasked === true || dice.chance(0.7);
    const external = dice.pick(this.#topology.externals);
    way.from = isOutbound ? place : undefined;
    way.to = isOutbound ? undefined : place;
    way.initiator = isOutbound ? place.ipv4 : external;
    way.responder = isOutbound ? external : place.ipv4;
    way.initiatorPort = isOutbound ? this.#freePort(place) : 1_024 + dice.below(60_000);
    way.responderPort = port;
    way.rttMs = dice.between(5, 200);
    way.lossShare = 0;
    const { site } = place;
    if (site === undefined || !this.#hard.has(site.isMasked ? "nat" : "routers")) return way;
    way.router = site.router;
    if (!site.isMasked) return way;
    way.maskedAddress = site.routerAddress;
    way.maskedPort = way.initiatorPort;
    return way;
  }

  #freePort(place: Place): number {
    place.nextPort = (place.nextPort + 1) % (place.hasFewPorts ? 2_000 : 28_000);
    return 32_768 + place.nextPort;
  }
}
