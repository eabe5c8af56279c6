/** Numbers of entries that a node gave out and did not send. */
import type { BatchHeader } from "../../format/batch.ts";
import { keepLast } from "./keep-last.ts";
import { EXCUSES_PER_NODE_MAX, RANGES_PER_HOLE_MAX } from "../limits.ts";
import type { Hole, NodeMemory } from "./node-memory.ts";

/** Notes the numbers that `header` skipped; it is of the node's present epoch, or of the next one. */
export function noteHole(
  memory: NodeMemory,
  header: BatchHeader,
  { index, receivedMs }: { readonly index: number; readonly receivedMs: number },
): void {
  const { epoch, seqFirst } = header;
  if (epoch === memory.epoch && seqFirst > memory.nextSeq) {
    const [first, last] = [memory.nextSeq, seqFirst - 1];
    const unexplained: Hole["unexplained"] = [[first, last]];
    const seenMs = receivedMs;
    memory.holes.push({ epoch, first, last, index, seenMs, unexplained, told: false });
    keepLast(memory.holes, EXCUSES_PER_NODE_MAX);
  }
  memory.epoch = epoch;
  memory.nextSeq = seqFirst + header.entryCount;
}

/** A gap entry names numbers: they are no hole any more. Returns the holes that are explained by now. */
export function explainHoles(memory: NodeMemory, first: number, last: number): Hole[] {
  for (const hole of memory.holes) {
    hole.unexplained = without(hole.unexplained, first, last);
    joinLast(hole.unexplained, RANGES_PER_HOLE_MAX);
  }
  const explained = memory.holes.filter((hole) => hole.unexplained.length === 0);
  memory.holes = memory.holes.filter((hole) => hole.unexplained.length > 0);
  return explained;
}

function without(ranges: Hole["unexplained"], first: number, last: number): Hole["unexplained"] {
  return ranges.flatMap(([from, to]) => {
    if (last < from || to < first) return [[from, to]];
    const left: Hole["unexplained"] = [];
    if (from < first) left.push([from, first - 1]);
    if (to > last) left.push([last + 1, to]);
    return left;
  });
}

/** Of too many ranges the last are one, with what is between them: to explain every second number is to explain nothing. */
function joinLast(ranges: Hole["unexplained"], max: number): void {
  const [first, last] = [ranges[max - 1], ranges.at(-1)];
  if (ranges.length > max && first !== undefined && last !== undefined) {
    ranges.splice(max - 1, Infinity, [first[0], last[1]]);
  }
}
