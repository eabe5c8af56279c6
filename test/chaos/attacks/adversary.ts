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

/** Of the error that says that another mesh is needed for these attacks. */
export const TOO_FEW_CALM = "too few calm nodes for so many attackers";

/** Enough to be contradicted by several. */
const VICTIMS_MIN = 3;

/**
 * Those who act together, and the honest nodes that only they lie about: a node that more liars
 * contradict than may conspire is framed, whether they know of each other or not.
 */
interface Group {
  readonly attack: Attack;
  readonly begin: (hand: Hand) => void;
  readonly doers: readonly Place[];
  readonly spoilt: readonly Place[];
  readonly victims: Place[];
}

/** Who is who, and what each doer waits for. */
interface Stage {
  readonly mesh: Mesh;
  readonly options: AdversaryOptions;
  /** By doer. */
  readonly groups: Map<Place, Group>;
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
    groups: new Map(),
    onChance: new Map(),
    onInner: new Map(),
    onLone: new Map(),
  };
  const left = new Set(plain);
  const groups = attacks.flatMap((attack) => {
    const { begin } = attack;
    if (begin === undefined) return [];
    return Array.from({ length: options.doersEach }, (): Group => {
      const doers = takeSome(mesh, left, Math.max(options.colluders, attack.group ?? 1));
      const spoilt = takeSome(mesh, left, attack.spoils ?? 0);
      return { attack, begin, doers, spoilt, victims: [] };
    });
  });
  deal(mesh, left, groups);
  for (const group of groups) {
    for (const doer of group.doers) stage.groups.set(doer, group);
    acquaint(mesh, group);
    group.begin(handOf(stage, group));
  }
  mesh.halves.witness = (made, way) => offer(stage, made, way);
}

function takeSome(mesh: Mesh, left: Set<Place>, count: number): Place[] {
  const taken: Place[] = [];
  while (taken.length < count) {
    if (left.size === 0) throw new RangeError(TOO_FEW_CALM);
    const place = mesh.dice.pick([...left]);
    left.delete(place);
    taken.push(place);
  }
  return taken;
}

/** Each group gets victims of its own. */
function deal(mesh: Mesh, left: Set<Place>, groups: readonly Group[]): void {
  if (left.size < VICTIMS_MIN * groups.length) {
    throw new RangeError(TOO_FEW_CALM);
  }
  for (let turn = 0; left.size > 0 && groups.length > 0; turn++) {
    groups[turn % groups.length]?.victims.push(...takeSome(mesh, left, 1));
  }
}

/** Doers and their victims talk often, or there would be little to lie about. */
function acquaint(mesh: Mesh, { doers, victims }: Group): void {
  for (const doer of doers) {
    doer.peers = doer.peers.map(() => mesh.dice.pick(victims).node.index);
  }
  for (const victim of victims) victim.peers[0] = mesh.dice.pick(doers).node.index;
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
  else if (group.victims.includes(peer)) stage.onChance.get(doer)?.({ ...lone, peer });
  // Offered to the first of the two alone.
  else if (group.doers.indexOf(doer) < group.doers.indexOf(peer)) {
    stage.onInner.get(doer)?.({ ...lone, peer });
  }
}

function handOf(stage: Stage, { attack, doers, spoilt, victims }: Group): Hand {
  const { mesh, options } = stage;
  const { fromMs, toMs } = options;
  const ids = doers.map((doer) => doer.node.id);
  const finds = "finds" in attack.detection ? attack.detection.finds : [];
  return {
    mesh,
    doers,
    spoilt,
    victims,
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
