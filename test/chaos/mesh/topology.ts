/**
 * Who is there: nodes with their clocks and addresses, who talks to whom, which of them stand behind
 * a router, with or without address translation, and which kernels wait how long for UDP.
 */
import { Addresses } from "./addresses.ts";
import type { Dice } from "./dice.ts";
import { MeshNode } from "./mesh-node.ts";

/** Nodes behind one router. */
export interface Site {
  /** Translates: its nodes are reached by nobody and seen as the router's address. */
  readonly isMasked: boolean;
  /** Absent where the router has no agent. */
  readonly router: MeshNode | undefined;
  readonly routerAddress: number;
}

/** What the mesh knows of a node besides what the node says. */
export interface Place {
  readonly node: MeshNode;
  readonly ipv4: number;
  readonly ipv6: number;
  readonly site: Site | undefined;
  /** Kernel setting: how long an assured UDP session outlives its last packet. */
  readonly udpStreamMs: number;
  /** Its agent learns exact payload bytes from the sockets. */
  readonly asksSockets: boolean;
  /** Its ephemeral ports are few, so tuples come again within seconds. */
  readonly hasFewPorts: boolean;
  /** One-way to the server. */
  readonly uplinkMs: number;
  /** Addresses that it claims besides. */
  readonly extra: number[];
  /** Indices of those it talks to most. */
  peers: Int32Array;
  nextPort: number;
}

export interface TopologyOptions {
  readonly nodes: number;
  readonly seed: number;
  readonly dice: Dice;
}

const SITE_NODES = 3;
const PEERS = 8;
const EXTERNALS = 5_000;

export class Topology {
  readonly addresses = new Addresses();
  readonly places: Place[] = [];
  readonly externals: number[] = [];

  constructor(options: TopologyOptions) {
    const { dice } = options;
    const sites = this.#sites(options);
    const routers = this.places.length;
    for (let index = routers; index < options.nodes; index++) {
      this.#addNode(options, sites[Math.floor((index - routers) / SITE_NODES)]);
    }
    for (let count = 0; count < EXTERNALS; count++) {
      const bytes = [11 + dice.below(80), dice.below(256), dice.below(256), 1 + dice.below(254)];
      this.externals.push(this.addresses.add(bytes.join(".")));
    }
    for (const place of this.places) this.#acquaint(place, dice);
  }

  get nodes(): MeshNode[] {
    return this.places.map((place) => place.node);
  }

  place(index: number): Place {
    return this.places[index] as Place;
  }

  /** 2 % of the nodes translate for a site, 1 % route for one without translating; and 1 % as many translate and have no agent. */
  #sites(options: TopologyOptions): Site[] {
    const masking = Math.ceil(options.nodes * 0.02);
    const routing = Math.ceil(options.nodes * 0.01);
    const sites: Site[] = [];
    for (let index = 0; index < masking + routing; index++) {
      const { node, ipv4 } = this.#addNode(options, undefined);
      sites.push({ isMasked: index < masking, router: node, routerAddress: ipv4 });
    }
    for (let index = 0; index < routing; index++) {
      const routerAddress = this.addresses.add(`10.254.0.${index + 1}`);
      sites.push({ isMasked: true, router: undefined, routerAddress });
    }
    return sites;
  }

  #addNode({ dice, seed }: TopologyOptions, site: Site | undefined): Place {
    const index = this.places.length;
    const clock = { offsetMs: dice.between(-10_000, 10_000), driftPpm: dice.between(-50, 50) };
    // One in a hundred, and one at least: they are spread, so that few of them are routers.
    const node = new MeshNode(index, seed, { clock, isRealTime: index % 100 === 37 });
    const high = Math.floor(index / 250);
    const low = (index % 250) + 1;
    const place = {
      node,
      ipv4: this.addresses.add(site === undefined ? `10.0.${high}.${low}` : `10.99.${high}.${low}`),
      ipv6: this.addresses.add(`fd00::${(high + 1).toString(16)}:${low.toString(16)}`),
      site,
      udpStreamMs: dice.chance(0.1) ? 180_000 : 120_000,
      asksSockets: dice.chance(0.7),
      hasFewPorts: dice.chance(0.02),
      uplinkMs: dice.between(2, 80),
      extra: [],
      peers: new Int32Array(0),
      nextPort: dice.below(28_000),
    };
    this.places.push(place);
    return place;
  }

  #acquaint(place: Place, dice: Dice): void {
    const open = this.places.filter((other) => other !== place && other.site?.isMasked !== true);
    place.peers = Int32Array.from({ length: PEERS }, () => dice.pick(open).node.index);
  }
}

/** What lies between two nodes: the same whichever is asked first. */
export function linkBetween(a: number, b: number): { rttMs: number; lossShare: number } {
  let mix = Math.imul(Math.min(a, b) + 1, 0x9e3779b1) ^ Math.imul(Math.max(a, b) + 7, 0x85ebca6b);
  mix = Math.imul(mix ^ (mix >>> 15), 0x2c1b3c6d);
  mix = (mix ^ (mix >>> 13)) >>> 0;
  const quality = mix % 100;
  const lossShare = quality < 90 ? 0 : quality < 98 ? 0.003 : 0.05;
  return { rttMs: 0.3 + ((mix >>> 8) % 600) / 10, lossShare };
}
