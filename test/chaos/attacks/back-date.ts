/** A node tells of a connection long after it claimed to have told of everything until then. */
import { KIND } from "../finding-names.ts";
import type { Attack } from "./attack.ts";
import { tupleOf } from "./deed.ts";

const DEEDS_MAX = 12;
const LATER_MS = 130_000;

export const backDate: Attack = {
  name: "back-date",
  what: "A node keeps a connection to itself and adds it, with its true time, behind a fence that had passed it.",
  detection: {
    finds: [KIND.backDated],
    knowable: "the batch with the entry is there: it is older than a completeness claimed before",
  },
  begin(hand) {
    const { pool, dice } = hand.mesh;
    let deeds = 0;
    hand.onChance((chance) => {
      const { own, other, doer } = chance;
      if (deeds >= DEEDS_MAX || !dice.chance(0.2)) return;
      deeds++;
      pool.delayMs[own] = LATER_MS;
      const bornMs = pool.bornMs[own] as number;
      const truth = hand.enter(
        {
          told: `told late of ${tupleOf(hand, chance)}`,
          fromMs: bornMs,
          may: [KIND.missing, KIND.differs],
        },
        { halves: [own, other] },
      );
      const saidMs = bornMs + LATER_MS;
      hand.mesh.at(saidMs, () => hand.mesh.ledger.await(truth, [{ node: doer.node, toMs: 0 }]));
    });
  },
};
