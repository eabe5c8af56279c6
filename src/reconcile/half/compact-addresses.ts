/**
 * Addresses have numbers, and keep them: a server that hears of the whole internet has given out millions, most of
 * them for halves that are long forgotten. So addresses are numbered anew now and then.
 */
import type { AddressTable } from "../../format/address-table.ts";
import { CELL, type HalfRecords, type NumberedTuple } from "./half-records.ts";
import { MARK, slotHasMark } from "./half-state.ts";

/**
 * Numbers the addresses that a half still has, and no others. Whatever was made from the numbers, such as an
 * index, is to be made anew; entries that were scanned before have numbers that mean nothing now.
 */
export function compactAddresses(records: HalfRecords, addresses: AddressTable): void {
  const texts = new Map<number, string>();
  const note = (number: number): void => {
    if (number >= 0 && !texts.has(number)) texts.set(number, addresses.textOf(number));
  };
  eachNumber(records, (number) => {
    note(number);
    return number;
  });
  addresses.clear();
  const renumbered = new Map<number, number>();
  for (const [number, text] of texts) renumbered.set(number, addresses.numberOf(text));
  eachNumber(records, (number) => renumbered.get(number) ?? number);
}

/** Replaces every address of a half in use by what `map` makes of it. */
function eachNumber(records: HalfRecords, map: (number: number) => number): void {
  for (let slot = 0; slot < records.end; slot++) {
    if (!slotHasMark(records, slot, MARK.live)) continue;
    for (const cell of [CELL.initiatorIp, CELL.responderIp]) {
      records.setCell(slot, cell, map(records.cell(slot, cell)));
    }
  }
  for (const parts of records.rare.values()) {
    if (parts.second !== undefined) parts.second = renumberedTuple(parts.second, map);
  }
}

function renumberedTuple(tuple: NumberedTuple, map: (number: number) => number): NumberedTuple {
  return {
    ...tuple,
    initiatorIp: map(tuple.initiatorIp),
    responderIp: map(tuple.responderIp),
  };
}
