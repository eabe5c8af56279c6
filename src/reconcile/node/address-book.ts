/** Who claims which address. An address names a node only while exactly one enrolled node claims it. */
import type { NodeStream } from "./node-stream.ts";

type Claim =
  | { readonly kind: "nobody" }
  | { readonly kind: "node"; readonly node: NodeStream }
  | { readonly kind: "contested"; readonly nodes: readonly NodeStream[] };

const NOBODY: Claim = { kind: "nobody" };

export class AddressBook {
  /** By network and address: asked several times for each half, so the answers are made when a claim changes. */
  readonly #claims = new Map<string, Map<string, Claim>>();
  readonly #changed = new Set<string>();
  /** Addresses, in any network, whose claimants changed. */
  readonly #turned = new Set<string>();

  /** Networks in which an address is claimed. */
  get networkCount(): number {
    return this.#claims.size;
  }

  lookup(network: string, address: string | undefined): Claim {
    if (address === undefined) return NOBODY;
    return this.#claims.get(network)?.get(address) ?? NOBODY;
  }

  /** Replaces what `node` claimed. */
  claim(node: NodeStream, networks: Readonly<Record<string, readonly string[]>>): void {
    this.release(node);
    for (const [network, addresses] of Object.entries(networks)) {
      for (const address of addresses) {
        this.#turned.add(address);
        const nodes = this.#claimants(network, address);
        // Named twice in one list: still one claim.
        if (nodes.includes(node)) continue;
        this.#set(network, address, [...nodes, node]);
        if (nodes.length > 0) this.#changed.add(`${network} ${address}`);
      }
    }
  }

  /** `node` claims nothing any more: it was revoked. */
  release(node: NodeStream): void {
    for (const [network, addresses] of Object.entries(node.memory.addresses)) {
      for (const address of addresses) {
        this.#turned.add(address);
        this.#remove(network, address, node);
      }
    }
  }

  /** It may have become contested, or ceased to be, without that having been told: as after a restart. */
  noteContested(key: string): void {
    this.#changed.add(key);
  }

  /** Addresses whose claims changed since the last call. */
  takeTurned(): string[] {
    const turned = [...this.#turned];
    this.#turned.clear();
    return turned;
  }

  /** Addresses that several claim, or did, of which a claim changed since the last call, as `network address`; in an order of their own. */
  takeChanges(): { readonly key: string; readonly claimants: readonly NodeStream[] }[] {
    const changed = [...this.#changed].toSorted();
    this.#changed.clear();
    return changed.map((key) => {
      const [network = "", address = ""] = key.split(" ");
      const claimants = this.#claimants(network, address);
      return { key, claimants: claimants.toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
    });
  }

  #remove(network: string, address: string, node: NodeStream): void {
    const before = this.#claimants(network, address);
    if (before.length > 1) this.#changed.add(`${network} ${address}`);
    const left = before.filter((other) => other !== node);
    this.#set(network, address, left);
  }

  #claimants(network: string, address: string): readonly NodeStream[] {
    const claim = this.lookup(network, address);
    if (claim.kind === "contested") return claim.nodes;
    return claim.kind === "node" ? [claim.node] : [];
  }

  #set(network: string, address: string, nodes: readonly NodeStream[]): void {
    const [first] = nodes;
    if (first === undefined) return this.#forget(network, address);
    const claims = this.#claims.get(network) ?? new Map<string, Claim>();
    this.#claims.set(network, claims);
    if (nodes.length === 1) claims.set(address, { kind: "node", node: first });
    else claims.set(address, { kind: "contested", nodes });
  }

  /** A node names networks as it likes: of one in which nothing is claimed any more, nothing is left. */
  #forget(network: string, address: string): void {
    const claims = this.#claims.get(network);
    claims?.delete(address);
    if (claims?.size === 0) this.#claims.delete(network);
  }
}
