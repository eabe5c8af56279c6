/** Gives each attack its doers, and its hand. */
import type { Made, Way } from "../mesh/halves.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { START_MS } from "../mesh/mesh-node.ts";
import type { Place } from "../mesh/topology.ts";
import type { Attack, Chance, Hand } from "./attack.ts";

export interface AdversaryOptions {
  /** Conspirators per group. */
  readonly colluders: number;
  /** Groups per attack. */
  readonly doersEach: number;
  readonly fromMs: number;
  readonly toMs: number;
}

type Take = (chance: Chance) => void;

/** Sets every attack upon the mesh; `calm` are the nodes that nothing else happens to. */
export function unleash(
  mesh: Mesh,
  attacks: readonly Attack[],
  calm: readonly Place[],
  options: AdversaryOptions,
): void {
  const plain = calm.filter(({ site, node }) => site === undefined && !isRouter(mesh, node.index));
  const takes = new Map<number, Take[]>();
  const victims = new Set(plain);
  const hands: (() => void)[] = [];
  for (const attack of attacks) {
    const { begin } = attack;
    if (begin === undefined) continue;
    for (let group = 0; group < options.doersEach; group++) {
      const doers = Array.from({ length: options.colluders }, () => takeOne(mesh, victims));
      const found = doers.filter((doer) => doer !== undefined);
      if (found.length === 0) throw new RangeError("too few calm nodes for so many attackers");
      hands.push(() => begin(handOf(mesh, attack, found, { options, victims, takes })));
    }
  }
  // Who is a victim is known when all doers are.
  for (const begin of hands) begin();
  mesh.halves.witness = (made, way) => offer(takes, victims, made, way);
}

function takeOne(mesh: Mesh, from: Set<Place>): Place | undefined {
  if (from.size === 0) return undefined;
  const taken = mesh.dice.pick([...from]);
  from.delete(taken);
  return taken;
}

function isRouter(mesh: Mesh, index: number): boolean {
  return mesh.topology.places.some(({ site }) => site?.router?.index === index);
}

function offer(
  takes: ReadonlyMap<number, readonly Take[]>,
  victims: ReadonlySet<Place>,
  made: Made,
  way: Way,
): void {
  const { from, to } = way;
  if (from === undefined || to === undefined) return;
  for (const [doer, peer] of [
    [from, to],
    [to, from],
  ] as const) {
    const own = doer === from ? made.initiator : made.responder;
    const other = doer === from ? made.responder : made.initiator;
    if (!victims.has(peer)) continue;
    for (const take of takes.get(doer.node.index) ?? [])
      take({ made, way, doer, peer, own, other });
  }
}

interface Parts {
  readonly options: AdversaryOptions;
  readonly victims: ReadonlySet<Place>;
  readonly takes: Map<number, Take[]>;
}

function handOf(mesh: Mesh, attack: Attack, doers: readonly Place[], parts: Parts): Hand {
  const { fromMs, toMs } = parts.options;
  const ids = doers.map((doer) => doer.node.id);
  const finds = "finds" in attack.detection ? attack.detection.finds : [];
  return {
    mesh,
    doers,
    victims: [...parts.victims],
    fromMs,
    toMs,
    onChance(take) {
      const within: Take = (chance) => {
        const bornMs = mesh.pool.bornMs[chance.own] as number;
        if (bornMs >= fromMs && bornMs < toMs) take(chance);
      };
      for (const { node } of doers) {
        parts.takes.set(node.index, [...(parts.takes.get(node.index) ?? []), within]);
      }
    },
    enter(deed, knowable) {
      const draft = { cause: attack.name, isAttack: true, doers: ids, nodes: ids, finds, may: [] };
      return mesh.ledger.enter({ ...draft, ...deed, fromMs: START_MS + deed.fromMs }, knowable);
    },
  };
}
