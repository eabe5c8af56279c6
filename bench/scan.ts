/**
 * What it costs to read a batch's lines: the decompression alone, the numbers (`scanEntries`), the
 * check (`checkEntries`), and the objects (`forEachEntry`). On one thread, of the same payloads.
 *
 *   node bench/scan.ts [CONNECTIONS]
 */
import { decodeFrame } from "../src/format/batch.ts";
import { AddressTable } from "../src/format/address-table.ts";
import { EntryBlock } from "../src/format/entry-block.ts";
import { type ExpectedEntries, scanEntries } from "../src/format/entry-scan.ts";
import { checkEntries, decompressPayload, forEachEntry } from "../src/format/payload.ts";
import { busyMesh } from "../test/simulate/busy-mesh.ts";

export interface ScanFigure {
  readonly name: string;
  readonly nsPerLine: number;
  readonly linesPerS: number;
}

interface Sealed {
  readonly payload: Uint8Array;
  readonly rawBytes: number;
  readonly raw: Buffer;
  readonly expected: ExpectedEntries;
}

const ROUNDS = 7;

export function benchScan(connections = 200_000): ScanFigure[] {
  const batches = sealedBatches(connections);
  const lines = batches.reduce((sum, { expected }) => sum + expected.entryCount, 0);
  let seen = 0;
  const block = new EntryBlock();
  const into = { block, addresses: new AddressTable(), other: () => void seen++ };
  const scan = (raw: Buffer, expected: ExpectedEntries): void => {
    block.clear();
    scanEntries(raw, expected, into);
  };
  const ways: readonly [name: string, read: (batch: Sealed) => void][] = [
    ["zstd alone", (one) => void decompressPayload(one.payload, one.rawBytes)],
    ["numbers", (one) => scan(one.raw, one.expected)],
    ["zstd and numbers", (one) => scan(decompressPayload(one.payload, one.rawBytes), one.expected)],
    ["check", (one) => checkEntries(one.raw, one.expected, () => seen++)],
    ["objects", (one) => forEachEntry(one.raw, one.expected, () => seen++)],
  ];
  return ways.map(([name, read]) => {
    const nsPerLine = bestMs(() => batches.forEach(read)) * (1e6 / lines);
    return { name, nsPerLine: Math.round(nsPerLine), linesPerS: Math.round(1e9 / nsPerLine) };
  });
}

/** The quickest of some rounds: what disturbs only makes them slower. */
function bestMs(round: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let count = 0; count < ROUNDS; count++) {
    const begun = performance.now();
    round();
    best = Math.min(best, performance.now() - begun);
  }
  return best;
}

function sealedBatches(connections: number): Sealed[] {
  const batches: Sealed[] = [];
  const deliver = (frame: Uint8Array): void => {
    const { header, payload } = decodeFrame(frame);
    const { rawBytes, entryCount, seqFirst } = header;
    if (entryCount === 0) return;
    const raw = decompressPayload(payload, rawBytes);
    batches.push({ payload, rawBytes, raw, expected: { seqFirst, entryCount } });
  };
  busyMesh({ connections, nodes: 200, connectionsPerBatch: 50_000, deliver });
  return batches;
}

if (import.meta.main) console.table(benchScan(Number(process.argv[2] ?? 200_000)));
