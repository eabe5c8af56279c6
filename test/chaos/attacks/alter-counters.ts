/** A node's root changes what its kernel counted, by more than headers and loss explain. */
import { KIND } from "../finding-names.ts";
import type { Attack, Hand } from "./attack.ts";
import { knowableOf, tupleOf } from "./deed.ts";

const DEEDS_MAX = 40;
/** Below, the allowance for headers and a few lost packets is a large share of the whole. */
const BYTES_MIN = 20_000;

function begin(hand: Hand): void {
  const { pool, dice } = hand.mesh;
  let deeds = 0;
  hand.onChance((chance) => {
    const { own } = chance;
    const bytes = pool.responderBytes[own] as number;
    if (deeds >= DEEDS_MAX || bytes < BYTES_MIN || !dice.chance(0.5)) return;
    deeds++;
    const factor = dice.chance(0.5) ? dice.between(0.05, 0.35) : dice.between(1.8, 3);
    pool.responderBytes[own] = Math.round(bytes * factor);
    pool.responderPackets[own] = Math.ceil((pool.responderPackets[own] as number) * factor);
    const payload = pool.responderPayload[own] as number;
    if (payload > 0) pool.responderPayload[own] = Math.round(payload * factor);
    hand.enter(
      {
        told: `said ${pool.responderBytes[own]} for ${bytes} bytes of ${tupleOf(hand, chance)}`,
        fromMs: hand.mesh.nowMs,
        against: [chance.peer.node.id],
      },
      { halves: [own, chance.other], awaits: knowableOf(hand, chance, "counters") },
    );
  });
}

export const alterCounters: Attack = {
  name: "alter-counters",
  what: "A node changes the byte counts of its half by more than headers and loss explain.",
  detection: {
    finds: [KIND.differs],
    knowable: "both streams are complete past the final counters",
  },
  begin,
};
