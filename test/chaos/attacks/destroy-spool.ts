/** Entries that were recorded disappear before they are signed: with the agent noticing, or behind its back. */
import { KIND } from "../finding-names.ts";
import type { Place } from "../mesh/topology.ts";
import type { Attack, Hand } from "./attack.ts";

/** How long the server waits for a gap that explains a hole: src/reconcile/limits.ts. */
const HOLE_PATIENCE_MS = 60_000;
/** Halves that were lost with it. */
const MAY = [KIND.missing, KIND.differs, KIND.lostSpool, KIND.hole];

/** Drops what waits in the spool; returns how many entries, and since when. */
function destroy(place: Place): number {
  const { node } = place;
  const { count } = node.writer;
  node.writer.clear();
  node.seqFirst += count;
  return count;
}

function eachOnce(hand: Hand, act: (doer: Place, atMs: number) => void): void {
  for (const doer of hand.doers) {
    const atMs = hand.someTimeMs();
    hand.mesh.at(atMs, () => act(doer, atMs));
  }
}

export const destroySpool: Attack = {
  name: "destroy-spool",
  what: "The files of a running agent's spool are removed; the agent notices and says so.",
  detection: { finds: [KIND.lostSpool], knowable: "the batch with the agent's admission is there" },
  begin(hand) {
    eachOnce(hand, (doer, atMs) => {
      const { node } = doer;
      const lost = destroy(doer);
      const interval = { fromMs: node.clockMs(node.sealedMs), toMs: node.clockMs(atMs) };
      node.say("gap", atMs, { cause: "lost", count: null, ...interval });
      hand.enter(
        { told: `${node.name} lost ${lost} entries`, fromMs: atMs, may: MAY },
        { awaits: [{ node, toMs: 0 }] },
      );
    });
  },
};

export const skipNumbers: Attack = {
  name: "drop-entries",
  what: "Entries are taken out of the spool before they are sealed, and nothing is said of it.",
  detection: {
    finds: [KIND.hole],
    knowable:
      "a minute has passed since the batch behind the hole, in which a gap could have explained it",
  },
  begin(hand) {
    eachOnce(hand, (doer, atMs) => {
      const { node } = doer;
      const lost = destroy(doer);
      if (lost === 0) return;
      hand.enter(
        { told: `${node.name} skipped ${lost} numbers`, fromMs: atMs, may: MAY },
        { awaits: [{ node, toMs: 0 }], patienceMs: HOLE_PATIENCE_MS },
      );
    });
  },
};
