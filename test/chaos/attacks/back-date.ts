/** A node tells of a connection long after it claimed to have told of everything until then. */
import { KIND } from "../finding-names.ts";
import type { Place } from "../mesh/topology.ts";
import type { Truth } from "../truth.ts";
import type { Attack, Hand } from "./attack.ts";
import { tupleOf } from "./deed.ts";

const DEEDS_MAX = 12;
const LATER_MS = 130_000;

function enterFirst(
  hand: Hand,
  first: { readonly bornMs: number; readonly told: string; readonly doer: Place },
): Truth {
  const { bornMs, told, doer } = first;
  const may = [KIND.missing, KIND.differs];
  const truth = hand.enter({ told: `told late of ${told} and others`, fromMs: bornMs, may }, {});
  const awaits = [{ node: doer.node, toMs: 0 }];
  hand.mesh.at(bornMs + LATER_MS, () => hand.mesh.ledger.await(truth, awaits));
  return truth;
}

export const backDate: Attack = {
  name: "back-date",
  what: "A node keeps a connection to itself and adds it, with its true time, behind a fence that had passed it.",
  detection: {
    finds: [KIND.backDated],
    knowable: "the batch with the entry is there: it is older than a completeness claimed before",
  },
  begin(hand) {
    const { pool, dice, ledger } = hand.mesh;
    let deeds = 0;
    // A finding an hour is about all of them.
    let truth: Truth | undefined;
    hand.onChance((chance) => {
      const { own, other, doer } = chance;
      if (deeds >= DEEDS_MAX || !dice.chance(0.2)) return;
      deeds++;
      pool.delayMs[own] = LATER_MS;
      const bornMs = pool.bornMs[own] as number;
      truth ??= enterFirst(hand, { bornMs, told: tupleOf(hand, chance), doer });
      ledger.add(truth, [own, other]);
    });
  },
};
