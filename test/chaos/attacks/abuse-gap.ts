/** A node leaves out all it has to do with one peer, and declares gaps that would excuse it. */
import { KIND } from "../finding-names.ts";
import { mark } from "../mesh/halves.ts";
import type { Truth } from "../truth.ts";
import type { Place } from "../mesh/topology.ts";
import type { Attack, Hand } from "./attack.ts";
import { requiresPeer } from "./delete-half.ts";

/** After so many hidden halves of one peer in five, chance is no explanation: src/reconcile/node/excuse/excuse-budget.ts. */
const TELLING_HALVES = 65;
const HIDDEN_MAX = 120;
/** What the doer does besides, for each connection that it hides. */
const OTHERS_EACH = 5;

function hideOne(hand: Hand): void {
  const { mesh } = hand;
  const victim = mesh.dice.pick(hand.victims);
  meetOften(hand, victim);
  let hidden = 0;
  let truth: Truth | undefined;
  hand.onChance((chance) => {
    const { own, other, doer, peer } = chance;
    if (peer !== victim || hidden >= HIDDEN_MAX || !requiresPeer(hand, chance)) return;
    hidden++;
    mark(mesh.pool, own, "hidden");
    const bornMs = Math.round(mesh.pool.bornMs[own] as number);
    const { node } = doer;
    const told = `${node.name} hides ${victim.node.name} behind gaps`;
    const endMs = mesh.pool.goneMs[other] as number;
    const halves = [other];
    truth ??= hand.enter({ told, fromMs: bornMs, against: [peer.node.id] }, {});
    mesh.ledger.add(truth, halves);
    if (hidden === TELLING_HALVES) {
      mesh.ledger.await(truth, [
        { node, toMs: endMs },
        { node: peer.node, toMs: endMs },
      ]);
    }
    mesh.at(bornMs + 400, () => {
      const interval = { fromMs: node.clockMs(bornMs - 500), toMs: node.clockMs(bornMs + 380) };
      node.say("gap", bornMs + 400, { cause: "overflow", count: 7, ...interval });
    });
  });
}

/** They talk often, or there would be nothing to hide; and with others, or there would be nothing to hide in. */
function meetOften(hand: Hand, victim: Place): void {
  const { mesh, doers } = hand;
  const plain = mesh.topology.places.filter((place) => place.site === undefined);
  for (const doer of doers) doer.peers = doer.peers.map(() => mesh.dice.pick(plain).node.index);
  for (let count = 0; count < HIDDEN_MAX; count++) {
    for (let other = 0; other <= OTHERS_EACH; other++) {
      const atMs = hand.someTimeMs();
      const doer = mesh.dice.pick(doers);
      const peer = other === 0 ? victim : mesh.dice.pick(plain);
      if (peer !== doer) mesh.at(atMs, () => mesh.traffic.meet(doer, peer, atMs));
    }
  }
}

export const abuseGap: Attack = {
  name: "abuse-gap",
  what: "A node declares lost events whenever it leaves out a connection with one peer.",
  detection: {
    finds: [KIND.gapAbuse, KIND.missing],
    knowable: `both streams are complete past ${TELLING_HALVES} halves that gaps excused`,
  },
  begin: hideOne,
};
