/** A node records a connection with a peer that never took part in one. */
import { KIND } from "../finding-names.ts";
import { EVENT, FLAG_OF_HALF } from "../mesh/half-pool.ts";
import { ROLE, STATE } from "../mesh/line-writer.ts";
import type { Place } from "../mesh/topology.ts";
import type { Attack, Hand } from "./attack.ts";
import { tupleOf } from "./deed.ts";

const DEEDS_OF_EACH = 12;
const TCP = 6;

/** Puts a half on the doer's paper and writes the deed down. */
function invent(hand: Hand, doer: Place, victim: Place): void {
  const { pool, calendar, dice, nowMs } = hand.mesh;
  const half = pool.take();
  const isInitiator = dice.chance(0.5);
  const bornMs = nowMs + 20;
  pool.node[half] = doer.node.index;
  pool.role[half] = isInitiator ? ROLE.initiator : ROLE.responder;
  pool.protocol[half] = TCP;
  pool.state[half] = STATE.SF;
  pool.flags[half] = FLAG_OF_HALF.assured | FLAG_OF_HALF.established;
  pool.initiator[half] = isInitiator ? doer.ipv4 : victim.ipv4;
  pool.responder[half] = isInitiator ? victim.ipv4 : doer.ipv4;
  pool.initiatorPort[half] = 61_000 + dice.below(4_000);
  pool.responderPort[half] = 22;
  pool.bornMs[half] = bornMs;
  pool.answeredMs[half] = bornMs;
  pool.endMs[half] = bornMs + 500 + dice.below(5_000);
  pool.goneMs[half] = bornMs + 130_000;
  pool.initiatorPackets[half] = 20;
  pool.initiatorBytes[half] = 3_000 + dice.below(5_000);
  pool.responderPackets[half] = 20;
  pool.responderBytes[half] = 3_000 + dice.below(5_000);
  calendar.plan(half, EVENT.open, bornMs);
  const endMs = pool.endMs[half];
  hand.enter(
    {
      told: `invented ${tupleOf(hand, { own: half, doer, peer: victim })}`,
      fromMs: nowMs,
      against: [victim.node.id],
    },
    {
      halves: [half],
      awaits: [
        { node: doer.node, toMs: endMs },
        { node: victim.node, toMs: endMs },
      ],
    },
  );
}

const detection = {
  finds: [KIND.missing],
  knowable: "both streams are complete past the end of the connection",
};

export const inventHalf: Attack = {
  name: "invent-half",
  what: "A node records connections with monitored peers that never took place.",
  detection,
  begin(hand) {
    for (const doer of hand.doers) {
      for (let deed = 0; deed < DEEDS_OF_EACH; deed++) {
        hand.mesh.at(hand.someTimeMs(), () =>
          invent(hand, doer, hand.mesh.dice.pick(hand.victims)),
        );
      }
    }
  },
};

export const framePeer: Attack = {
  name: "frame-peer",
  what: "At most f conspirators invent connections with one honest node, so that it seems to hide them.",
  detection,
  begin(hand) {
    const victim = hand.mesh.dice.pick(hand.victims);
    for (const doer of hand.doers) {
      for (let deed = 0; deed < DEEDS_OF_EACH; deed++) {
        hand.mesh.at(hand.someTimeMs(), () => invent(hand, doer, victim));
      }
    }
  },
};
