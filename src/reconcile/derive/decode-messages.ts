/** What the comparison and its decoding thread tell each other. */
import type { RareParts } from "../../format/entry-block.ts";
import type { DecodedHeader } from "./decode.ts";
import type { NumberedEntry } from "../record.ts";

/** Answered in their order. */
export interface ToDecode {
  readonly header: DecodedHeader;
  readonly payload: Uint8Array;
  /** Memory of an earlier answer, to be filled again. */
  readonly spare?: ArrayBuffer;
}

export type FromDecode =
  | { readonly kind: "failed"; readonly message: string }
  | {
      readonly kind: "decoded";
      /** An `EntryBlock`'s, with addresses by the thread's own numbers. */
      readonly words: Float64Array<ArrayBuffer>;
      readonly length: number;
      readonly rare: RareParts[];
      readonly others: readonly NumberedEntry[];
      /** The thread began its numbers anew before this batch: those that were told mean nothing now. */
      readonly isAnew: boolean;
      /** Texts of the numbers that follow those told before. */
      readonly addresses: readonly string[];
    };
