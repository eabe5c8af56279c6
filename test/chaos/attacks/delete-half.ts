/** A node's root leaves out its half of a connection that its peer recorded. */
import { KIND } from "../finding-names.ts";
import { has, mark } from "../mesh/halves.ts";
import { ROLE } from "../mesh/line-writer.ts";
import type { Attack, Chance, Hand } from "./attack.ts";
import { knowableOf, tupleOf } from "./deed.ts";

/** Deeds of one doer, at most: a liar who deletes everything is another class, silence. */
const DEEDS_MAX = 40;

function deleteAt(role: number): (hand: Hand) => void {
  return (hand) => {
    let deeds = 0;
    hand.onChance((chance) => {
      if (deeds >= DEEDS_MAX || hand.mesh.pool.role[chance.own] !== role) return;
      if (!requiresPeer(hand, chance) || !hand.mesh.dice.chance(0.3)) return;
      deeds++;
      mark(hand.mesh.pool, chance.own, "hidden");
      hand.enter(
        {
          told: `left out ${tupleOf(hand, chance)}`,
          fromMs: hand.mesh.nowMs,
          against: [chance.peer.node.id],
        },
        { halves: [chance.other], awaits: knowableOf(hand, chance, "end") },
      );
    });
  };
}

/** By what the peer will record: a handshake, or UDP traffic both ways. */
export function requiresPeer({ mesh: { pool } }: Hand, { other }: Chance): boolean {
  if (!has(pool, other, "established")) return false;
  const isTcp = pool.protocol[other] === 6;
  return isTcp || pool.role[other] === ROLE.initiator || has(pool, other, "assured");
}

const knowable = "both streams are complete past the end of the connection";

export const deleteInitiator: Attack = {
  name: "delete-initiator-half",
  what: "The initiator leaves out its half of a connection that the responder recorded.",
  detection: { finds: [KIND.missing], knowable },
  begin: deleteAt(ROLE.initiator),
};

export const deleteResponder: Attack = {
  name: "delete-responder-half",
  what: "The responder leaves out its half of a connection that the initiator recorded.",
  detection: { finds: [KIND.missing], knowable },
  begin: deleteAt(ROLE.responder),
};
