import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AddressTable } from "../../format/address-table.ts";
import { type Batch, decodeFrame } from "../../format/batch.ts";
import { toEntry } from "../../format/entry-block.ts";
import { randomEntries } from "../../format/random-entry.ts";
import { SeededRandom } from "../../std/seeded-random.ts";
import { SimNode } from "../../../test/simulate/sim-node.ts";
import { DecodeThread } from "./decode-thread.ts";
import { type Decoder, InlineDecoder } from "./decode.ts";

/** Of all kinds of entries, of very different sizes, some of them empty. */
function batchesOf(random: SeededRandom, count: number): Batch[] {
  const node = new SimNode("a");
  return Array.from({ length: count }, () => {
    const entries = randomEntries(random, {
      count: random.below(3) * random.below(60),
      seqFirst: node.nextSeq,
    });
    for (const entry of entries) node.emit(entry);
    return decodeFrame(node.seal(node.atMs));
  });
}

/** What came, in words that depend on no numbers of addresses. */
async function decoded(
  decoder: Decoder,
  batches: readonly Batch[],
  addresses: AddressTable,
): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const { block, others } of decoder.decode(batches, addresses)) {
    const connections = Array.from({ length: block.length }, (_, index) =>
      toEntry(block, index, addresses),
    );
    all.push({ connections, others: [...others] });
  }
  return all;
}

describe("a thread that decodes", () => {
  it("says what decoding at once says, range after range, however addresses are numbered", async () => {
    const random = new SeededRandom(3);
    await using thread = new DecodeThread();
    const addresses = new AddressTable();
    for (let range = 0; range < 4; range++) {
      const batches = batchesOf(random, 12);
      const expected = await decoded(new InlineDecoder(), batches, new AddressTable());
      assert.deepEqual(await decoded(thread, batches, addresses), expected);
      // As between two ranges, when they are numbered anew.
      if (range % 2 === 1) addresses.clear();
    }
  });

  it("fails where a batch cannot be decoded, after those before it", async () => {
    const [first, second] = batchesOf(new SeededRandom(8), 20).filter(
      ({ header }) => header.entryCount > 0,
    );
    assert.ok(first !== undefined && second !== undefined);
    const torn = { ...second, payload: second.payload.subarray(1) };
    await using thread = new DecodeThread();
    const taken: number[] = [];
    await assert.rejects(async () => {
      for await (const { block } of thread.decode([first, torn, first], new AddressTable())) {
        taken.push(block.length);
      }
    }, /not a zstd frame/);
    assert.equal(taken.length, 1);
  });

  it("fails when it ends", async () => {
    const batches = batchesOf(new SeededRandom(9), 3);
    const thread = new DecodeThread();
    await thread[Symbol.asyncDispose]();
    await assert.rejects(decoded(thread, batches, new AddressTable()), /the decoding thread ended/);
  });
});
