/** Somebody on a node refuses logging, and the node goes on talking. */
import { FLAG } from "../../../src/format/batch.ts";
import { KIND } from "../finding-names.ts";
import type { Attack } from "./attack.ts";

export const optOutToHide: Attack = {
  name: "opt-out-to-hide",
  what: "Root opts the node out of logging, to do what is not to be seen.",
  detection: { finds: [KIND.optedOut], knowable: "the batch with the opt-out is there" },
  begin(hand) {
    const { mesh } = hand;
    for (const doer of hand.doers) {
      const { node } = doer;
      const atMs = hand.someTimeMs();
      mesh.at(atMs, () => {
        node.fence(atMs - 300);
        hand.enter(
          { told: `${node.name} opted out`, fromMs: atMs },
          { awaits: [{ node, toMs: 0 }] },
        );
        node.say("opt_out", atMs, { origin: "flag" });
        mesh.agents.troubles[node.index] = { lossShare: 1, lost: 0, unheard: [] };
        mesh.seal(doer, atMs, FLAG.optOut);
        node.presence = "refused";
      });
    }
  },
};
