/**
 * A node's root changes what its kernel counted, by more than honest ends may differ. How much that
 * is, the comparison says itself: what it allows is allowed, and belongs to another class.
 */
import { endsDifference, type CountedEnd } from "../../../src/reconcile/decide/counters.ts";
import { KIND } from "../finding-names.ts";
import type { HalfPool } from "../mesh/half-pool.ts";
import { ROLE, STATE_NAMES } from "../mesh/line-writer.ts";
import type { Attack, Chance, Hand } from "./attack.ts";
import { knowableOf, tupleOf } from "./deed.ts";

const DEEDS_MAX = 40;
/** Below, hardly any change is beyond what honest ends differ by. */
const BYTES_MIN = 20_000;
const FACTORS = [0.05, 0.3, 0.6, 1.5, 2, 4] as const;

function begin(hand: Hand): void {
  const { pool, dice } = hand.mesh;
  let deeds = 0;
  hand.onChance((chance) => {
    const { own } = chance;
    const bytes = pool.responderBytes[own] as number;
    if (deeds >= DEEDS_MAX || bytes < BYTES_MIN || !dice.chance(0.7)) return;
    if (!alter(hand, chance)) return;
    deeds++;
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

/** Changes what the responder sent by some factor that shows; false, and nothing changed, when none of a few does. */
function alter({ mesh: { pool, dice } }: Hand, chance: Chance): boolean {
  const { own } = chance;
  const [bytes, packets, payload] = [
    pool.responderBytes,
    pool.responderPackets,
    pool.responderPayload,
  ].map((column) => column[own] as number) as [number, number, number];
  for (let attempt = 0; attempt < FACTORS.length; attempt++) {
    const factor = dice.pick(FACTORS);
    pool.responderBytes[own] = Math.round(bytes * factor);
    pool.responderPackets[own] = Math.ceil(packets * factor);
    if (payload >= 0) pool.responderPayload[own] = Math.round(payload * factor);
    if (shows(pool, chance)) return true;
  }
  pool.responderBytes[own] = bytes;
  pool.responderPackets[own] = packets;
  pool.responderPayload[own] = payload;
  return false;
}

/** Whether the two ends' counts are further apart than the comparison allows. */
export function shows(pool: HalfPool, { own, other }: Pick<Chance, "own" | "other">): boolean {
  const isInitiator = pool.role[own] === ROLE.initiator;
  const [initiator, responder] = isInitiator ? [own, other] : [other, own];
  return endsDifference(endOf(pool, initiator), endOf(pool, responder)) !== undefined;
}

function endOf(pool: HalfPool, half: number): CountedEnd {
  const payload = {
    initiatorBytes: pool.initiatorPayload[half] as number,
    responderBytes: pool.responderPayload[half] as number,
  };
  return {
    state: STATE_NAMES[pool.state[half] as number] ?? "OTH",
    counters: {
      initiatorPackets: pool.initiatorPackets[half] as number,
      initiatorBytes: pool.initiatorBytes[half] as number,
      responderPackets: pool.responderPackets[half] as number,
      responderBytes: pool.responderBytes[half] as number,
    },
    payload: payload.initiatorBytes < 0 ? undefined : payload,
  };
}

export const alterCounters: Attack = {
  name: "alter-counters",
  what: "A node changes the byte counts of its half by more than honest ends may differ.",
  detection: {
    finds: [KIND.differs],
    knowable: "both streams are complete past the final counters",
  },
  begin,
};
