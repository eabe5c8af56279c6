/** Gives each attack its doers, and its hand. */
import type { Made, Way } from "../mesh/halves.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { START_MS } from "../mesh/mesh-node.ts";
import type { Place } from "../mesh/topology.ts";
import type { Attack, Chance, Hand, Lone } from "./attack.ts";

export interface AdversaryOptions {
  /** Conspirators per group. */
  readonly colluders: number;
  /** Groups per attack. */
  readonly doersEach: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Who is who, and what each doer waits for. */
interface Stage {
  readonly mesh: Mesh;
  readonly options: AdversaryOptions;
  readonly victims: Set<Place>;
  /** Of each doer, its group. */
  readonly groups: Map<Place, readonly Place[]>;
  readonly onChance: Map<Place, (chance: Chance) => void>;
  readonly onInner: Map<Place, (chance: Chance) => void>;
  readonly onLone: Map<Place, (lone: Lone) => void>;
}

/** Sets every attack upon the mesh; `calm` are the nodes that nothing else happens to. */
export function unleash(
  mesh: Mesh,
  attacks: readonly Attack[],
  calm: readonly Place[],
  options: AdversaryOptions,
): void {
  const routers = new Set(mesh.topology.places.map(({ site }) => site?.router));
  const plain = calm.filter(({ site, node }) => site === undefined && !routers.has(node));
  const stage: Stage = {
    mesh,
    options,
    victims: new Set(plain),
    groups: new Map(),
    onChance: new Map(),
    onInner: new Map(),
    onLone: new Map(),
  };
  const begins = attacks.flatMap((attack) => {
    const { begin } = attack;
    if (begin === undefined) return [];
    return Array.from({ length: options.doersEach }, () => {
      const doers = takeSome(stage, Math.max(options.colluders, attack.group ?? 1));
      for (const doer of doers) stage.groups.set(doer, doers);
      const spoilt = takeSome(stage, attack.spoils ?? 0);
      return () => begin(handOf(stage, attack, { doers, spoilt }));
    });
  });
  // Who is a victim is known when all doers are.
  for (const begin of begins) begin();
  mesh.halves.witness = (made, way) => offer(stage, made, way);
}

function takeSome({ mesh, victims }: Stage, count: number): Place[] {
  const taken: Place[] = [];
  while (taken.length < count) {
    if (victims.size <= 2) throw new RangeError("too few calm nodes for so many attackers");
    const place = mesh.dice.pick([...victims]);
    victims.delete(place);
    taken.push(place);
  }
  return taken;
}

function offer(stage: Stage, made: Made, { from, to }: Way): void {
  if (from !== undefined && made.initiator !== -1) {
    offerTo(stage, { doer: from, peer: to, own: made.initiator, other: made.responder });
  }
  if (to !== undefined && made.responder !== -1) {
    offerTo(stage, { doer: to, peer: from, own: made.responder, other: made.initiator });
  }
}

function offerTo(stage: Stage, lone: Lone): void {
  const { doer, peer, other } = lone;
  const group = stage.groups.get(doer);
  if (group === undefined) return;
  const bornMs = stage.mesh.pool.bornMs[lone.own] as number;
  if (bornMs < stage.options.fromMs || bornMs >= stage.options.toMs) return;
  if (peer === undefined || other === -1) stage.onLone.get(doer)?.(lone);
  else if (stage.victims.has(peer)) stage.onChance.get(doer)?.({ ...lone, peer });
  // Offered to the first of the two alone.
  else if (group.includes(peer) && group.indexOf(doer) < group.indexOf(peer)) {
    stage.onInner.get(doer)?.({ ...lone, peer });
  }
}

function handOf(stage: Stage, attack: Attack, who: Pick<Hand, "doers" | "spoilt">): Hand {
  const { mesh, options } = stage;
  const { doers } = who;
  const { fromMs, toMs } = options;
  const ids = doers.map((doer) => doer.node.id);
  const finds = "finds" in attack.detection ? attack.detection.finds : [];
  return {
    mesh,
    ...who,
    victims: [...stage.victims],
    fromMs,
    toMs,
    onChance(take) {
      for (const doer of doers) stage.onChance.set(doer, take);
    },
    onInner(take) {
      for (const doer of doers) stage.onInner.set(doer, take);
    },
    onLone(take) {
      for (const doer of doers) stage.onLone.set(doer, take);
    },
    someTimeMs: () => Math.round(mesh.dice.between(fromMs, toMs)),
    enter(deed, knowable) {
      const draft = { cause: attack.name, isAttack: true, doers: ids, nodes: ids, finds, may: [] };
      return mesh.ledger.enter({ ...draft, ...deed, fromMs: START_MS + deed.fromMs }, knowable);
    },
  };
}
