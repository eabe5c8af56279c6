/**
 * The texts behind the numbers in records of halves. A server that hears of the whole internet gives out millions of
 * numbers, most of them for halves that are long forgotten: so they are numbered anew now and then.
 */
import { isIPv4 } from "node:net";
import { AddressTable } from "../../format/address-table.ts";
import { compactAddresses } from "./compact-addresses.ts";
import type { HalfOwner, HalfRecords, Names } from "./half-records.ts";
import { NetworkTable } from "./network-table.ts";

export class NameTables implements Names {
  readonly nodeOf: (number: number) => HalfOwner;
  readonly addresses = new AddressTable();
  readonly networks = new NetworkTable();
  readonly #ipv4: number[] = [];
  /** How many were left when they were numbered anew. */
  #addressesKept = 0;
  #networksKept = 0;

  /** `nodeOf`: by the number of a node. */
  constructor(nodeOf: (number: number) => HalfOwner) {
    this.nodeOf = nodeOf;
  }

  addressOf(number: number): string {
    return this.addresses.textOf(number);
  }

  ipv4Of(number: number): number {
    const known = this.#ipv4[number];
    if (known !== undefined) return known;
    const text = number < 0 ? "" : this.addressOf(number);
    const value = isIPv4(text)
      ? text.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0)
      : Number.NaN;
    this.#ipv4[number] = value;
    return value;
  }

  networkOf(number: number): string {
    return this.networks.nameOf(number);
  }

  /** Numbers addresses anew once there are `max` of them, and twice as many as were left the last time. Returns whether it did. */
  compactAddresses(records: HalfRecords, max: number): boolean {
    if (this.addresses.size < Math.max(max, this.#addressesKept * 2)) return false;
    compactAddresses(records, this.addresses);
    this.#addressesKept = this.addresses.size;
    this.#ipv4.length = 0;
    return true;
  }

  /** As `compactAddresses`. */
  compactNetworks(records: HalfRecords, max: number): boolean {
    if (this.networks.size < Math.max(max, this.#networksKept * 2)) return false;
    this.networks.compact(records);
    this.#networksKept = this.networks.size;
    return true;
  }
}
