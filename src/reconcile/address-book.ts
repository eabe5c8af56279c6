/** Who claims which address. An address names a node only while exactly one enrolled node claims it. */
import type { NodeStream } from "./node-stream.ts";

export type Claim =
  | { readonly kind: "nobody" }
  | { readonly kind: "node"; readonly node: NodeStream }
  | { readonly kind: "contested"; readonly nodes: readonly NodeStream[] };

const NOBODY: Claim = { kind: "nobody" };

export class AddressBook {
  readonly #claims = new Map<string, NodeStream[]>();
  readonly #changed = new Set<string>();
  /** Addresses that others claim than before, in whatever network. */
  readonly #turned = new Set<string>();

  lookup(network: string, address: string | undefined): Claim {
    const nodes = address === undefined ? undefined : this.#claims.get(`${network} ${address}`);
    if (nodes === undefined) return NOBODY;
    const [first, ...rest] = nodes;
    if (first === undefined) return NOBODY;
    return rest.length === 0
      ? { kind: "node", node: first }
      : { kind: "contested", nodes: [first, ...rest] };
  }

  /** Replaces what `node` claimed. */
  claim(node: NodeStream, networks: Readonly<Record<string, readonly string[]>>): void {
    this.release(node);
    for (const [network, addresses] of Object.entries(networks)) {
      for (const address of addresses) {
        this.#turned.add(address);
        const key = `${network} ${address}`;
        const nodes = this.#claims.get(key) ?? [];
        // Named twice in one list: still one claim.
        if (nodes.includes(node)) continue;
        this.#claims.set(key, [...nodes, node]);
        if (nodes.length > 0) this.#changed.add(key);
      }
    }
  }

  /** `node` claims nothing any more: it was revoked. */
  release(node: NodeStream): void {
    for (const [network, addresses] of Object.entries(node.memory.addresses)) {
      for (const address of addresses) {
        this.#turned.add(address);
        this.#remove(`${network} ${address}`, node);
      }
    }
  }

  /** It may have become uncontested, or contested, without having been told: as after a restart. */
  noteContested(key: string): void {
    this.#changed.add(key);
  }

  /** Addresses whose claims changed since the last call. */
  takeTurned(): string[] {
    const turned = [...this.#turned];
    this.#turned.clear();
    return turned;
  }

  /** Addresses that were or are claimed by several, as `network address`, since the last call; in an order of their own. */
  takeChanges(): { readonly key: string; readonly claimants: readonly NodeStream[] }[] {
    const changed = [...this.#changed].toSorted();
    this.#changed.clear();
    return changed.map((key) => {
      const claimants = this.#claims.get(key) ?? [];
      return { key, claimants: claimants.toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
    });
  }

  #remove(key: string, node: NodeStream): void {
    const before = this.#claims.get(key) ?? [];
    if (before.length > 1) this.#changed.add(key);
    const left = before.filter((other) => other !== node);
    if (left.length === 0) this.#claims.delete(key);
    else this.#claims.set(key, left);
  }
}
