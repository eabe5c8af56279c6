/**
 * What the comparison makes of a journal does not depend on how it comes: in another interleaving of the
 * nodes, or handed out at other places, there are the same rows and the same findings. (That a
 * restart and a rebuild change nothing either: test/reconcile/replay.test.ts.)
 */
import assert from "node:assert/strict";
import { it } from "node:test";
import { decodeFrame } from "../format/batch.ts";
import { EntryBlock } from "../format/entry-block.ts";
import { SeededRandom } from "../std/seeded-random.ts";
import { RowBlocks } from "../store/row-blocks.ts";
import { interleaved, lineOf, mappedBy, ReplayJournal } from "../../test/reconcile/replay-run.ts";
import { nativeRows } from "../../test/simulate/native-rows.ts";
import { replayMesh, type ReplayRecord, SERVER, SMALL } from "../../test/simulate/replay-mesh.ts";
import { SimNode } from "../../test/simulate/sim-node.ts";
import { writeConnection } from "./row/write-connection.ts";
import { decodeInto } from "./derive/decode.ts";
import type { Changed } from "./row/changed-rows.ts";
import { Reconcile } from "./reconcile.ts";
import type { NumberedEntry } from "./record.ts";

const SEEDS = 12;

/** Everything at the end, as lines; journal indices are those of `order`. */
function compared(
  records: readonly ReplayRecord[],
  order: ReadonlyMap<number, number>,
  drains: () => boolean,
): string[] {
  const reconcile = new Reconcile({ serverId: new SimNode(SERVER).id });
  const { batches } = new ReplayJournal(records);
  const blocks = new RowBlocks();
  const mapped = mappedBy(order);
  const lines = new Map<string, string>();
  const findings: string[] = [];
  const block = new EntryBlock();
  batches.forEach(({ frame, receivedMs }, index) => {
    const others = take(reconcile, block, { frame, receivedMs, index });
    const write = (changed: Changed) => writeConnection(blocks, changed, index, undefined);
    if (others.some(({ entry }) => entry.kind === "tick")) reconcile.drainSettled(write);
    if (index === batches.length - 1 || drains()) {
      reconcile.drainChanged(write);
      findings.push(...reconcile.drainFindings().map((draft) => lineOf("finding", draft, mapped)));
    }
    for (const { bytes } of blocks.drain()) {
      for (const row of nativeRows(bytes)) {
        const key = ["k_node", "k_epoch", "k_seq"].map((name) => row[name]).join(" ");
        lines.set(key, row["deleted"] === 1 ? "" : lineOf("connection", row, mapped));
      }
    }
  });
  return [...lines.values(), ...findings].filter((line) => line !== "").toSorted();
}

function take(
  reconcile: Reconcile,
  block: EntryBlock,
  record: { readonly frame: Uint8Array; readonly receivedMs: number; readonly index: number },
): NumberedEntry[] {
  const batch = decodeFrame(record.frame);
  const { header } = batch;
  const others = decodeInto(block, batch, reconcile.addresses);
  const { index, receivedMs } = record;
  const nodeId = Buffer.from(header.nodeId).toString("hex");
  reconcile.take({ index, receivedMs, nodeId, header }, block, others);
  return others;
}

for (let seed = 1; seed <= SEEDS; seed++) {
  it(`the same from the same journal in whatever order the nodes' batches come (${seed})`, () => {
    const random = new SeededRandom(seed);
    const records = replayMesh(seed, SMALL);
    const places = new Map(records.map((record, index) => [record, index]));
    const expected = compared(records, new Map(), () => false);
    assert.ok(expected.some((line) => line.startsWith("finding")));
    const other = interleaved(records, random);
    const order = new Map(other.map((record, index) => [index, places.get(record) ?? -1]));
    assert.deepEqual(
      compared(other, order, () => random.chance(0.2)),
      expected,
    );
  });
}
