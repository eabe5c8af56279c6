/** Who claims which address. An address names a node only while exactly one enrolled node claims it. */
import type { NodeStream } from "./node-stream.ts";

export type Claim =
  | { readonly kind: "nobody" }
  | { readonly kind: "node"; readonly node: NodeStream }
  | { readonly kind: "contested"; readonly nodes: readonly NodeStream[] };

const NOBODY: Claim = { kind: "nobody" };

export class AddressBook {
  readonly #claims = new Map<string, NodeStream[]>();

  lookup(network: string, address: string | undefined): Claim {
    const nodes = address === undefined ? undefined : this.#claims.get(`${network} ${address}`);
    if (nodes === undefined) return NOBODY;
    const [first, ...rest] = nodes;
    if (first === undefined) return NOBODY;
    return rest.length === 0
      ? { kind: "node", node: first }
      : { kind: "contested", nodes: [first, ...rest] };
  }

  /** Replaces what `node` claimed. Returns the addresses that are contested from now on, as `network address`. */
  claim(node: NodeStream, networks: Readonly<Record<string, readonly string[]>>): string[] {
    this.release(node);
    const contested: string[] = [];
    for (const [network, addresses] of Object.entries(networks)) {
      for (const address of addresses) {
        const key = `${network} ${address}`;
        const nodes = this.#claims.get(key) ?? [];
        // Named twice in one list: still one claim.
        if (nodes.includes(node)) continue;
        this.#claims.set(key, [...nodes, node]);
        if (nodes.length > 0) contested.push(key);
      }
    }
    return contested;
  }

  /** `node` claims nothing any more: it was revoked. */
  release(node: NodeStream): void {
    for (const [network, addresses] of Object.entries(node.memory.addresses)) {
      for (const address of addresses) this.#remove(`${network} ${address}`, node);
    }
  }

  #remove(key: string, node: NodeStream): void {
    const left = (this.#claims.get(key) ?? []).filter((other) => other !== node);
    if (left.length === 0) this.#claims.delete(key);
    else this.#claims.set(key, left);
  }
}
