/** That each signed thing is in the file once, and under the name of what became of it. */
import type { Facts, NodeFacts } from "../facts.ts";
import { type Piece, pieceName } from "../piece.ts";
import { contradictions } from "../runs.ts";

/** Pieces that no server writes so, as sentences. */
export function mislabelled(facts: Facts): string[] {
  const { data, serverPieces, nodes } = facts;
  const ownKept = serverPieces.filter(({ kind }) => kind === "kept");
  const ownChain = serverPieces.filter(({ kind }) => kind !== "kept");
  return [
    ...repeated(data.pieces),
    ...ownKept.map((piece) => `${name(piece)}: the server refuses none of its own`),
    ...contradictions(ownChain).map((what) => `the server's ${what}`),
    ...nodes.flatMap((node) => wronglyKept(facts, node)),
  ];
}

function repeated(pieces: readonly Piece[]): string[] {
  const seen = new Set<string>();
  return pieces.flatMap((piece) => {
    if (!seen.has(piece.hash)) {
      seen.add(piece.hash);
      return [];
    }
    return [`${name(piece)} is there twice`];
  });
}

/** Forks alone have what was kept; and what the chain goes on from was accepted. */
function wronglyKept({ finding }: Facts, { kept, chain }: NodeFacts): string[] {
  const isFork = finding?.entry.finding === "fork";
  const accepted = new Set(chain.map(({ header }) => Buffer.from(header.prevHash).toString("hex")));
  return kept.flatMap((piece) => {
    if (!isFork) return [`${name(piece)}: kept, and the finding is about no fork`];
    return accepted.has(piece.hash) ? [`${name(piece)}: kept, and the next one names it`] : [];
  });
}

function name(piece: Piece): string {
  return `${piece.nodeId}, ${pieceName(piece)}`;
}
