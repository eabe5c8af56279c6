/** What cannot be found in principle. Made all the same: nothing may be found by accident either. */
import { mark } from "../mesh/halves.ts";
import { shows } from "./alter-counters.ts";
import type { Attack } from "./attack.ts";
import { tupleOf } from "./deed.ts";

const DEEDS_MAX = 20;

export const collude: Attack = {
  name: "collude",
  what: "Both ends leave out their half.",
  detection: { never: "both ledgers agree: no third one saw it" },
  group: 2,
  begin(hand) {
    const [first, second] = hand.doers;
    if (first === undefined || second === undefined) return;
    first.peers.fill(second.node.index, 0, 3);
    let deeds = 0;
    hand.onInner((chance) => {
      if (deeds++ >= DEEDS_MAX) return;
      mark(hand.mesh.pool, chance.own, "hidden");
      mark(hand.mesh.pool, chance.other, "hidden");
      hand.enter({ told: `both left out ${tupleOf(hand, chance)}`, fromMs: hand.mesh.nowMs }, {});
    });
  },
};

export const unmonitoredPeer: Attack = {
  name: "unmonitored-peer",
  what: "A node leaves out or changes a connection with somebody who is no node.",
  detection: { never: "there is one ledger only" },
  begin(hand) {
    let deeds = 0;
    hand.onLone(({ own, doer, peer }) => {
      if (peer !== undefined || deeds++ >= DEEDS_MAX) return;
      mark(hand.mesh.pool, own, "hidden");
      hand.enter({ told: `${doer.node.name} left one out`, fromMs: hand.mesh.nowMs }, {});
    });
  },
};

export const deleteAttempt: Attack = {
  name: "delete-attempt",
  what: "A node leaves out a refused, unanswered or one-way attempt.",
  detection: {
    never: "a kernel that drops or rejects has no entry, so the other end need not have one",
  },
  begin(hand) {
    const { mesh, doers, victims } = hand;
    for (let count = 0; count < DEEDS_MAX; count++) {
      const atMs = hand.someTimeMs();
      const [doer, peer] = [mesh.dice.pick(doers), mesh.dice.pick(victims)];
      mesh.at(atMs, () => mesh.traffic.knock(doer, peer, atMs));
    }
    let deeds = 0;
    hand.onLone(({ own, doer, peer }) => {
      if (peer === undefined || deeds++ >= DEEDS_MAX) return;
      mark(hand.mesh.pool, own, "hidden");
      hand.enter({ told: `${doer.node.name} left an attempt out`, fromMs: hand.mesh.nowMs }, {});
    });
  },
};

export const alterWithin: Attack = {
  name: "alter-within-allowance",
  what: "A node changes byte counts by less than headers and loss may.",
  detection: { never: "honest ends differ by as much, where exact payload bytes are not known" },
  begin(hand) {
    const { pool } = hand.mesh;
    let deeds = 0;
    hand.onChance((chance) => {
      const bytes = pool.responderBytes[chance.own] as number;
      if (deeds >= DEEDS_MAX || bytes < 2_000) return;
      const payload = pool.responderPayload[chance.own] as number;
      pool.responderBytes[chance.own] = Math.round(bytes * 1.01);
      if (payload >= 0) pool.responderPayload[chance.own] = Math.round(payload * 1.01);
      if (shows(pool, chance)) {
        pool.responderBytes[chance.own] = bytes;
        pool.responderPayload[chance.own] = payload;
        return;
      }
      deeds++;
      hand.enter({ told: `added 1 % to ${tupleOf(hand, chance)}`, fromMs: hand.mesh.nowMs }, {});
    });
  },
};

export const frameByMany: Attack = {
  name: "frame-by-many",
  what: "More than f conspirators invent connections with one honest node.",
  detection: {
    never: "as many independent witnesses as an accusation needs agree; only f is a bound for that",
  },
};
