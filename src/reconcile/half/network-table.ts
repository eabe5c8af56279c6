/**
 * Networks have numbers in records of halves, in the order in which they were first seen; the default one is 0. The names
 * are the nodes' own, and a node may send ever new ones: see `compact`.
 */
import { DEFAULT_NETWORK } from "../../format/network-name.ts";
import { CELL, type HalfRecords } from "./half-records.ts";
import { MARK, slotHasMark } from "./half-state.ts";

export class NetworkTable {
  readonly #names: string[] = [DEFAULT_NETWORK];
  readonly #numbers = new Map<string, number>([[DEFAULT_NETWORK, 0]]);

  get size(): number {
    return this.#names.length;
  }

  /** Undefined is the default network. */
  numberOf(name: string | undefined): number {
    if (name === undefined) return 0;
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.#names.push(name) - 1;
    this.#numbers.set(name, number);
    return number;
  }

  nameOf(number: number): string {
    return this.#names[number] ?? DEFAULT_NETWORK;
  }

  /** Numbers those that a half in use has, and no others. An index of the numbers is to be made anew. */
  compact(records: HalfRecords): void {
    const names = [...this.#names];
    this.#names.length = 1;
    this.#numbers.clear();
    this.#numbers.set(DEFAULT_NETWORK, 0);
    for (let slot = 0; slot < records.end; slot++) {
      if (!slotHasMark(records, slot, MARK.live)) continue;
      const name = names[records.cell(slot, CELL.network)];
      records.setCell(slot, CELL.network, this.numberOf(name));
    }
  }
}
