import assert from "node:assert/strict";
import { it } from "node:test";
import { AddressTable } from "../../format/address-table.ts";
import { compactAddresses } from "./compact-addresses.ts";
import { CELL, HalfRecords } from "./half-records.ts";
import { MARK } from "./half-state.ts";

it("keeps the addresses of halves in use, and forgets all others", () => {
  const addresses = new AddressTable(1);
  const records = new HalfRecords();
  for (let number = 0; number < 5_000; number++) {
    addresses.numberOf(`10.1.${number >> 8}.${number & 255}`);
  }
  const half = (initiator: string, responder: string): number => {
    const slot = records.allocate();
    records.setCell(slot, CELL.state, MARK.live);
    records.setCell(slot, CELL.initiatorIp, addresses.numberOf(initiator));
    records.setCell(slot, CELL.responderIp, addresses.numberOf(responder));
    return slot;
  };
  const first = half("192.0.2.1", "10.1.7.9");
  const gone = half("192.0.2.2", "192.0.2.3");
  const translated = half("10.1.7.9", "2001:db8::1");
  records.rareOf(translated).second = {
    initiatorIp: addresses.numberOf("198.51.100.1"),
    initiatorPort: 1,
    responderIp: addresses.numberOf("2001:db8::1"),
    responderPort: 2,
  };
  records.release(gone);
  compactAddresses(records, addresses);
  const textOf = (slot: number, cell: number): string => addresses.textOf(records.cell(slot, cell));
  const second = records.rare.get(translated)?.second;
  assert.equal(addresses.size, 4);
  assert.deepEqual(
    {
      first: [textOf(first, CELL.initiatorIp), textOf(first, CELL.responderIp)],
      translated: [textOf(translated, CELL.initiatorIp), textOf(translated, CELL.responderIp)],
      second: [addresses.textOf(second?.initiatorIp ?? -1), second?.initiatorPort],
      behind: [addresses.textOf(second?.responderIp ?? -1), second?.responderPort],
    },
    {
      first: ["192.0.2.1", "10.1.7.9"],
      translated: ["10.1.7.9", "2001:db8::1"],
      second: ["198.51.100.1", 1],
      behind: ["2001:db8::1", 2],
    },
  );
});
