/** A node's root withholds batches: one, several in another order, or all. */
import { KIND } from "../finding-names.ts";
import type { Sealed } from "../mesh/mesh-node.ts";
import type { Attack, Hand } from "./attack.ts";

/** What counts as silence: src/reconcile/limits.ts. */
const SILENT_AFTER_MS = 90_000;

/** Nothing of the node's chain is accepted any more, whatever is sent. */
function enter(hand: Hand, node: Sealed["node"], told: string, heardMs: number): void {
  const draft = { told: `${node.name} ${told}`, fromMs: hand.mesh.nowMs };
  hand.enter(draft, { atMs: heardMs + SILENT_AFTER_MS });
}

export const dropBatch: Attack = {
  name: "drop-batch",
  what: "A sealed batch is thrown away, and its successors are sent as if nothing were missing.",
  detection: {
    finds: [KIND.silent],
    knowable: "the silence limit has passed: no successor fits the chain, so none is accepted",
  },
  begin(hand) {
    for (const { node } of hand.doers) {
      const fromMs = hand.someTimeMs();
      let dropped = false;
      hand.mesh.tampers.set(node.index, (sealed, atMs) => {
        if (atMs < fromMs || dropped) return [sealed];
        dropped = true;
        const heardMs = hand.mesh.post.lastMs(node.index);
        enter(hand, node, `dropped batch ${sealed.header.batchNo}`, heardMs);
        return [];
      });
    }
  },
};

export const reorderBatches: Attack = {
  name: "reorder-batches",
  what: "Two batches are sent in the wrong order, and the refused one never again.",
  detection: {
    finds: [KIND.silent],
    knowable: "the silence limit has passed: the later one was refused, and its successors are",
  },
  begin(hand) {
    for (const { node } of hand.doers) {
      const fromMs = hand.someTimeMs();
      let held: Sealed | undefined;
      let done = false;
      hand.mesh.tampers.set(node.index, (sealed, atMs) => {
        if (atMs < fromMs || done) return [sealed];
        if (held === undefined) {
          held = sealed;
          return [];
        }
        done = true;
        const told = `sent batch ${sealed.header.batchNo} before the one before it`;
        // The one before it fits, and is the last that does.
        enter(hand, node, told, atMs);
        return [sealed, held];
      });
    }
  },
};

export const goSilent: Attack = {
  name: "go-silent",
  what: "A node's agent is stopped or cut off, and the node goes on talking to its peers.",
  detection: { finds: [KIND.silent], knowable: "the silence limit has passed" },
  begin(hand) {
    for (const { node } of hand.doers) {
      const fromMs = hand.someTimeMs();
      let silent = false;
      hand.mesh.tampers.set(node.index, (sealed, atMs) => {
        if (atMs < fromMs) return [sealed];
        if (!silent) enter(hand, node, "went silent", hand.mesh.post.lastMs(node.index));
        silent = true;
        return [];
      });
    }
  },
};
