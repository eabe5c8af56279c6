/**
 * Batches of the journal as what the comparison takes: connections as numbers in a block, everything
 * else as entries. A decoder goes through a range in order; where one does it in a thread of its own
 * (decode-thread.ts), the next batches are decoded while one is compared.
 */
import type { AddressTable } from "../../format/address-table.ts";
import type { Batch } from "../../format/batch.ts";
import { EntryBlock } from "../../format/entry-block.ts";
import { scanEntries } from "../../format/entry-scan.ts";
import { decompressPayload } from "../../format/payload.ts";
import type { NumberedEntry } from "../record.ts";

/** Valid until the next one is asked for. */
export interface DecodedBatch {
  /** Its addresses are numbers of the comparison's own table. */
  readonly block: EntryBlock;
  readonly others: readonly NumberedEntry[];
}

export interface Decoder {
  /** In their order. `addresses` must not be numbered anew until all are taken. Throws what decoding throws. */
  decode(
    batches: readonly Batch[],
    addresses: AddressTable,
  ): AsyncIterable<DecodedBatch> | Iterable<DecodedBatch>;
}

/** Fills the block, which it empties first, and returns the other entries. */
export function decodeInto(
  block: EntryBlock,
  { header, payload }: Pick<Batch, "payload"> & { readonly header: DecodedHeader },
  addresses: AddressTable,
): NumberedEntry[] {
  const others: NumberedEntry[] = [];
  block.clear();
  if (header.entryCount === 0) return others;
  scanEntries(decompressPayload(payload, header.rawBytes), header, {
    block,
    addresses,
    other: (entry, seq) => others.push({ entry, seq }),
  });
  return others;
}

/** What decoding needs of a header. */
export type DecodedHeader = Pick<Batch["header"], "rawBytes" | "seqFirst" | "entryCount">;

/** In the thread that asks, batch by batch. */
export class InlineDecoder implements Decoder {
  readonly #block = new EntryBlock();

  *decode(batches: readonly Batch[], addresses: AddressTable): Generator<DecodedBatch, void, void> {
    for (const batch of batches) {
      yield { block: this.#block, others: decodeInto(this.#block, batch, addresses) };
    }
  }
}
