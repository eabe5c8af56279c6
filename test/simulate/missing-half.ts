/** Evidence of a connection that one of two nodes recorded, honest or with a lie in it, and changes to its pieces. */
import assert from "node:assert/strict";
import { headOf, openPiece, type PieceKind } from "../../src/evidence/piece.ts";
import { SimEvidence } from "./sim-evidence.ts";
import type { SimNode } from "./sim-node.ts";

/** Batches of a minute each before and after the one with the half: twice the window each way. */
export const AROUND = 5;

export interface Story {
  /** What the finding says of the half that is there, beside the truth. */
  readonly claim?: Readonly<Record<string, unknown>>;
  /** Of the whole finding, beside the truth. */
  readonly evidence?: Readonly<Record<string, unknown>>;
  readonly connection?: string;
  readonly state?: "open" | "resolved";
  /** Of a finding that supports another. */
  readonly id?: string;
  /** Further opens with the same addresses and ports, by how long after the half they began. */
  readonly more?: { readonly a?: readonly number[]; readonly b?: readonly number[] };
  /** Done to the file's pieces at the end. */
  readonly change?: (sim: SimEvidence) => void;
  /** Instead of the true enrolments. */
  readonly enrol?: (sim: SimEvidence) => void;
}

/** `a` recorded a connection, `b` did not. */
export function missingHalf(story: Story = {}): SimEvidence {
  const sim = new SimEvidence();
  const { a, b } = sim;
  const enrol =
    story.enrol ?? ((each: SimEvidence) => [each.a, each.b].forEach((node) => each.enrol(node)));
  enrol(sim);
  for (let n = 0; n < AROUND; n++) for (const node of [a, b]) sim.batch(node);
  const claim = { ...sim.claim(a, "initiator", a.nextSeq), ...story.claim };
  const more = (node: SimNode, role: "initiator" | "responder", times: readonly number[] = []) =>
    times.map((afterMs) => sim.half(node, role, afterMs)[0]);
  sim.batch(a, [...sim.half(a, "initiator"), ...more(a, "initiator", story.more?.a)]);
  sim.batch(b, more(b, "responder", story.more?.b));
  for (let n = 0; n < AROUND; n++) for (const node of [a, b]) sim.batch(node);
  sim.conclude({
    finding: "missing-half",
    node: b.id,
    connection: story.connection ?? String(claim["half"]),
    state: story.state ?? "open",
    ...(story.id === undefined ? {} : { id: story.id }),
    evidence: {
      nodes: [a.id, b.id],
      recorded: claim,
      missing: { node: b.id, name: "b", completeToMs: b.atMs },
      causes: ["one", "the other"],
      todo: "look",
      ...story.evidence,
    },
  });
  story.change?.(sim);
  return sim;
}

/** The batch of `node` at this place of the file's order. */
export function place(sim: SimEvidence, node: SimNode, batchNo: number): number {
  return sim.pieces.findIndex(
    ({ nodeId, header }) => nodeId === node.id && header.batchNo === batchNo,
  );
}

/** One piece once more, and as another kind. */
export function again(
  node: "a" | "b" | "server",
  batchNo: number,
  kind: PieceKind,
): (sim: SimEvidence) => void {
  return (sim) => {
    const piece = sim.pieces[place(sim, sim[node], batchNo)];
    assert.ok(piece !== undefined);
    const { frame, receipt } = piece;
    const isHeader = kind === "header";
    sim.pieces.push(
      openPiece(kind, isHeader ? headOf(frame) : frame, kind === "batch" ? receipt : undefined),
    );
  };
}

export function instead(
  node: "a" | "b" | "server",
  batchNo: number,
  kind: PieceKind,
): (sim: SimEvidence) => void {
  return (sim) => {
    again(node, batchNo, kind)(sim);
    sim.pieces.splice(place(sim, sim[node], batchNo), 1);
  };
}
