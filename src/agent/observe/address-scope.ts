/**
 * Whose connection it is: this node's role in it, by its own addresses, and the network that they
 * belong to. Connections that no two nodes can compare (loopback, link-local, broadcast, multicast,
 * both ends here, container bridges) are nobody's.
 */
import { BlockList, isIPv4 } from "node:net";
import type { Role } from "../../format/entry.ts";
import type { Direction } from "./conntrack-line.ts";
import { JUDGED_ADDRESSES_MAX } from "./limits.ts";

/** Which network an address belongs to; the first that contains it counts. */
export interface NetworkRule {
  readonly name: string;
  /** `10.0.0.0/8`, `fd00::/8`. */
  readonly cidr: string;
}

/** The machine's addresses at one time. */
export interface LocalAddresses {
  /** Those that name this node. */
  readonly own: readonly string[];
  /** Those of container bridges and the like: the machine's, but they name nobody. */
  readonly unnamed: readonly string[];
  /** Subnets behind those bridges, as CIDR. */
  readonly inner: readonly string[];
  /** Directed broadcast addresses of its IPv4 subnets. */
  readonly broadcasts: readonly string[];
}

export interface Share {
  readonly role: Role;
  /** Absent: the network `default`. */
  readonly network: string | undefined;
}

type Kind = "own" | "inner" | "other" | "never";

interface Judged {
  readonly kind: Kind;
  readonly network: string | undefined;
}

export class AddressScope {
  readonly #networks: readonly { readonly name: string; readonly list: BlockList }[];
  readonly #judged = new Map<string, Judged>();
  readonly #refresh: () => void;
  #own = new Set<string>();
  #never = new Set<string>();
  #inner = new BlockList();

  /** `refresh` may call `update`: asked before a connection is taken for somebody else's. */
  constructor(rules: readonly NetworkRule[], refresh: () => void = () => {}) {
    this.#refresh = refresh;
    this.#networks = rules.map(({ name, cidr }) => ({ name, list: blockList([cidr]) }));
  }

  update(local: LocalAddresses): void {
    this.#own = new Set(local.own);
    this.#never = new Set([...local.unnamed, ...local.broadcasts]);
    this.#inner = blockList(local.inner);
    this.#judged.clear();
  }

  networkOf(address: string): string | undefined {
    return this.#judge(address).network;
  }

  /** Undefined: the connection is not recorded. */
  share(original: Direction, reply: Direction): Share | undefined {
    const share = this.#share(original, reply);
    if (share?.role !== "forwarder") return share;
    // An address that came up a moment ago would make this node a router of its own connections.
    this.#refresh();
    return this.#share(original, reply);
  }

  #share(original: Direction, reply: Direction): Share | undefined {
    const initiator = this.#judge(original.sourceIp);
    const responder = this.#judge(original.destinationIp);
    if (initiator.kind === "never" || responder.kind === "never") return undefined;
    // A service address that is translated to this node ends here too.
    const translated =
      reply.sourceIp === original.destinationIp ? responder : this.#judge(reply.sourceIp);
    const endsHere = responder.kind === "own" || translated.kind === "own";
    if (initiator.kind === "own") {
      return endsHere ? undefined : { role: "initiator", network: initiator.network };
    }
    if (endsHere) return { role: "responder", network: responder.network };
    if (initiator.kind === "inner" && responder.kind === "inner") return undefined;
    return { role: "forwarder", network: responder.network };
  }

  #judge(address: string): Judged {
    const known = this.#judged.get(address);
    if (known !== undefined) return known;
    const judged = {
      kind: this.#kindOf(address),
      network: this.#networks.find(({ list }) => contains(list, address))?.name,
    };
    if (this.#judged.size >= JUDGED_ADDRESSES_MAX) this.#judged.clear();
    this.#judged.set(address, judged);
    return judged;
  }

  #kindOf(address: string): Kind {
    if (this.#never.has(address) || contains(NEVER, address)) return "never";
    if (this.#own.has(address)) return "own";
    return contains(this.#inner, address) ? "inner" : "other";
  }
}

/** Unspecified, loopback, link-local, multicast, broadcast: they never name a node. */
const NEVER = blockList([
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "224.0.0.0/4",
  "255.255.255.255/32",
  "::/127",
  "fe80::/10",
  "ff00::/8",
]);

/** True for an address that can never name a node, whatever interface carries it. */
export function isNeverNaming(address: string): boolean {
  return contains(NEVER, address);
}

function blockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = "", prefix = ""] = cidr.split("/");
    list.addSubnet(address, Number(prefix), isIPv4(address) ? "ipv4" : "ipv6");
  }
  return list;
}

function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIPv4(address) ? "ipv4" : "ipv6");
}
