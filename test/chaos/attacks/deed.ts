/** What deeds have in common: how they are told, and when the two ends have said all that shows them. */
import type { Await } from "../mesh/ledger.ts";
import type { Chance, Hand } from "./attack.ts";

export function tupleOf(
  { mesh }: Hand,
  { own, doer, peer }: Pick<Chance, "own" | "doer" | "peer">,
): string {
  const { pool, topology } = mesh;
  const { addresses } = topology;
  const from = `${addresses.text(pool.initiator[own] as number)}:${pool.initiatorPort[own]}`;
  const to = `${addresses.text(pool.responder[own] as number)}:${pool.responderPort[own]}`;
  const born = `at ${Math.round(pool.bornMs[own] as number)} ms`;
  return `protocol ${pool.protocol[own]} ${from} → ${to} ${born} (${doer.node.name}, peer ${peer.node.name})`;
}

/** Both streams complete past the end that the peer saw, or past its final counters. */
export function knowableOf(
  { mesh }: Hand,
  { own, other, doer, peer }: Chance,
  when: "end" | "counters",
): Await[] {
  const { pool } = mesh;
  const isTcp = pool.protocol[other] === 6;
  // The end of a UDP session is told when the kernel forgets it.
  const column = when === "end" && isTcp ? pool.endMs : pool.goneMs;
  return [
    { node: doer.node, toMs: column[own] as number },
    { node: peer.node, toMs: column[other] as number },
  ];
}
