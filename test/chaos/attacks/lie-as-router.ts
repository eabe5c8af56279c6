/** A node records what it took part in as something that it forwarded for somebody else. */
import { KIND } from "../finding-names.ts";
import { ROLE } from "../mesh/line-writer.ts";
import type { Truth } from "../truth.ts";
import type { Attack, Chance, Hand } from "./attack.ts";
import { tupleOf } from "./deed.ts";
import { requiresPeer } from "./delete-half.ts";

/** Deeds of one doer, at most: fewer than are told one by one. */
const DEEDS_MAX = 12;
const TCP = 6;

function lieAsRouter(hand: Hand): void {
  const { pool, dice } = hand.mesh;
  let deeds = 0;
  const uses = new Uses(hand);
  hand.onChance((chance) => {
    const isNew = uses.note(chance);
    if (deeds >= DEEDS_MAX || !isNew || !requiresPeer(hand, chance) || !dice.chance(0.3)) return;
    const { own, other, doer, peer } = chance;
    // A UDP session may go on in another half.
    if (pool.protocol[own] !== TCP) return;
    const [framed = peer] = hand.victims.filter((victim) => victim !== peer);
    if (framed === peer) return;
    deeds++;
    const told = `forwarded for ${framed.node.name} ${tupleOf(hand, chance)}`;
    const endMs = Math.max(pool.goneMs[own] as number, pool.goneMs[other] as number);
    const awaits = [doer, peer, framed].map(({ node }) => ({ node, toMs: endMs }));
    const deed = { told, fromMs: hand.mesh.nowMs, may: [KIND.differs] };
    uses.truth = hand.enter(deed, { halves: [other], awaits });
    forwardFor(hand, chance, framed.ipv4);
  });
}

/**
 * All uses of a tuple within seconds, which are offered one after the other: a lie about the first puts the others in
 * doubt, with which the false forwarder's counts are compared.
 */
class Uses {
  readonly #hand: Hand;
  #tuple = "";
  /** What was done to the first of them. */
  truth: Truth | undefined;

  constructor(hand: Hand) {
    this.#hand = hand;
  }

  /** Whether it is the first. */
  note(chance: Chance): boolean {
    const { pool, ledger } = this.#hand.mesh;
    const { own, other } = chance;
    const columns = [pool.protocol, pool.initiator, pool.responder, pool.initiatorPort];
    const tuple = columns.map((column) => column[other]).join(" ");
    if (tuple !== this.#tuple) {
      this.#tuple = tuple;
      this.truth = undefined;
      return true;
    }
    if (this.truth !== undefined) ledger.add(this.truth, [own, other]);
    return false;
  }
}

/** The doer's half becomes that of a router before `framed`, an address. */
function forwardFor({ mesh }: Hand, { own }: Chance, framed: number): void {
  const { pool, topology } = mesh;
  const [initiator, responder] = [pool.initiator[own] as number, pool.responder[own] as number];
  const wasInitiator = pool.role[own] === ROLE.initiator;
  const [source, destination] = wasInitiator ? [responder, initiator] : [framed, initiator];
  const text = (address: number): string => JSON.stringify(topology.addresses.text(address));
  const ports = [pool.responderPort[own], pool.initiatorPort[own]];
  pool.reply.set(own, `[${text(source)},${ports[0]},${text(destination)},${ports[1]}]`);
  pool.role[own] = ROLE.forwarder;
  if (wasInitiator) pool.initiator[own] = framed;
  pool.initiatorPayload[own] = -1;
  pool.responderPayload[own] = -1;
}

export const lieAsARouter: Attack = {
  name: "lie-as-router",
  what: "A node records its own connections as forwarded for somebody else, who then lacks them.",
  detection: {
    finds: [KIND.missing],
    knowable: "the streams of all three are complete past the end of the connection",
  },
  begin: lieAsRouter,
};
