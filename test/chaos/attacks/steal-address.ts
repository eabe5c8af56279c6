/** A node claims the address of another one. */
import { KIND } from "../finding-names.ts";
import type { Attack } from "./attack.ts";

export const stealAddress: Attack = {
  name: "steal-address",
  what: "A node claims a peer's address, so that it names neither of them.",
  detection: { finds: [KIND.contested], knowable: "the batch with the claim is there" },
  spoils: 1,
  begin(hand) {
    const { mesh } = hand;
    const [victim] = hand.spoilt;
    if (victim === undefined) return;
    // However many conspire: one is enough, and a second claim is the same finding.
    for (const doer of hand.doers.slice(0, 1)) {
      const atMs = hand.someTimeMs();
      mesh.at(atMs, () => {
        doer.extra.push(victim.ipv4);
        mesh.claim(doer, atMs);
        hand.enter(
          {
            told: `${doer.node.name} claims the address of ${victim.node.name}`,
            fromMs: atMs,
            nodes: [doer.node.id, victim.node.id],
          },
          { awaits: [{ node: doer.node, toMs: 0 }] },
        );
      });
    }
  },
};
