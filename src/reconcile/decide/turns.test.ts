import assert from "node:assert/strict";
import { it } from "node:test";
import { AddressBook } from "../node/address-book.ts";
import { NameTables } from "../half/name-tables.ts";
import { CELL, FORWARDER, Half, HalfRecords, ROLE_AT } from "../half/half-records.ts";
import { MARK, setMark } from "../half/half-state.ts";
import { NodeTable } from "../node/node-table.ts";
import { Turns } from "./turns.ts";

const ENDS = 4;

it("all ends beside a forwarder whose node turned are looked at again, whatever is asked of the matching meanwhile", () => {
  const records = new HalfRecords();
  const nodes = new NodeTable();
  const names = new NameTables((number) => nodes.at(number));
  const [router] = [nodes.of("aa".repeat(16)), nodes.of("bb".repeat(16))];
  const halves = Array.from({ length: ENDS + 1 }, (_, at) => {
    const half = new Half(records, names, records.allocate());
    records.setCell(half.slot, CELL.node, at === 0 ? router.number : 1);
    setMark(half, MARK.live);
    return half;
  });
  records.setCell(0, CELL.bits, FORWARDER << ROLE_AT);
  for (const stream of nodes.byNumber) stream.turned = stream === router;
  // As the matching does it: one list, filled anew for each that asks.
  const mates: number[] = [];
  const again: number[] = [];
  const turns = new Turns({
    records,
    names,
    book: new AddressBook(),
    streams: nodes.byNumber,
    numberOf: (address) => names.addresses.numberOf(address),
    mates(half) {
      mates.length = 0;
      for (const { slot } of halves) if (slot !== half.slot) mates.push(slot);
      return mates;
    },
    again(half) {
      again.push(half.slot);
      mates.length = 0;
    },
    renamed: () => undefined,
  });
  turns.review();
  assert.deepEqual(
    again.toSorted((a, b) => a - b),
    halves.map(({ slot }) => slot),
  );
});
