/** A class of fault: who takes part, what happens, and what must be found of it. */
import type { HttpNode } from "./http-node.ts";
import type { FoundFinding, World } from "./world.ts";

export interface FaultClass {
  readonly fault: string;
  readonly kind: string;
  readonly severity: string;
  /** Name of the node that the finding concerns; empty for nobody in particular. */
  readonly node: string;
  /** Keys that the finding's evidence has, at least. */
  readonly evidence: readonly string[];
  /** What the evidence must say besides. */
  readonly says?: (evidence: FoundFinding["evidence"]) => boolean;
  /** Findings of this kind about the node that it rests on: so many. */
  readonly restsOn?: { readonly kind: string; readonly count: number };
  /** Makes its nodes; returns what happens next, honestly or not. */
  prepare(world: World): Promise<(faulty: boolean) => Promise<void> | void>;
}

export type Name = Pick<FaultClass, "fault" | "kind" | "severity" | "node">;

/** Something that one node does. */
export function alone(
  name: Name,
  more: Pick<FaultClass, "evidence" | "says">,
  act: (world: World, node: HttpNode) => Promise<void> | void,
): FaultClass {
  return {
    ...name,
    ...more,
    async prepare(world) {
      const node = await world.node(name.node === "" ? `bystander-${name.kind}` : name.node);
      return (faulty) => (faulty ? act(world, node) : undefined);
    },
  };
}
