/** The thread that decodes: decompresses and scans, so that the one that compares does nothing else. */
import { parentPort } from "node:worker_threads";
import { AddressTable } from "../../format/address-table.ts";
import { EntryBlock } from "../../format/entry-block.ts";
import type { FromDecode, ToDecode } from "./decode-messages.ts";
import { decodeInto } from "./decode.ts";
import { ADDRESSES_MAX } from "../limits.ts";

type Port = NonNullable<typeof parentPort>;

function main(port: Port): void {
  const addresses = new AddressTable();
  /** Numbers below have been told. */
  let told = 0;
  port.on("message", ({ header, payload, spare }: ToDecode) => {
    const isAnew = addresses.size >= ADDRESSES_MAX;
    if (isAnew) {
      addresses.clear();
      told = 0;
    }
    const block = new EntryBlock(spare === undefined ? header.entryCount : 0);
    if (spare !== undefined) block.words = new Float64Array(spare);
    try {
      const others = decodeInto(block, { header, payload }, addresses);
      const { words, length, rare } = block;
      const texts = Array.from({ length: addresses.size - told }, (_, at) =>
        addresses.textOf(told + at),
      );
      told = addresses.size;
      port.postMessage(
        {
          kind: "decoded",
          words,
          length,
          rare,
          others,
          isAnew,
          addresses: texts,
        } satisfies FromDecode,
        [words.buffer],
      );
    } catch (error) {
      port.postMessage({ kind: "failed", message: String(error) } satisfies FromDecode);
    }
  });
}

if (parentPort !== null) main(parentPort);
