import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../std/seeded-random.ts";
import { AddressTable } from "./address-table.ts";
import { formatAddress } from "./address.ts";

/** Every way in which the table is asked, which must agree. */
function numberOf(table: AddressTable, text: string): number {
  const bytes = Buffer.from(`"${text}"`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const number = table.numberOfBytes(view, 1, bytes.length - 1);
  assert.equal(table.numberOf(text), number, text);
  return number;
}

function someAddress(random: SeededRandom): string {
  const bytes = random.bytes(16);
  if (random.chance()) bytes.set([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);
  return formatAddress(bytes);
}

describe("AddressTable", () => {
  it("counts addresses in the order in which they come", () => {
    const table = new AddressTable();
    const texts = ["10.0.0.1", "10.0.0.2", "fd00::1", "::", "::1", "::2", "10.0.0.1", "::", "::2"];
    assert.deepEqual(
      texts.map((text) => numberOf(table, text)),
      [0, 1, 2, 3, 4, 5, 0, 3, 5],
    );
    assert.equal(table.size, 6);
    assert.equal(table.textOf(2), "fd00::1");
    assert.equal(table.textOf(0), "10.0.0.1");
  });

  it("is empty again when cleared", () => {
    const table = new AddressTable();
    numberOf(table, "10.0.0.1");
    assert.equal(table.textOf(0), "10.0.0.1");
    table.clear();
    assert.equal(table.size, 0);
    assert.throws(() => table.textOf(0), RangeError);
    assert.equal(numberOf(table, "10.0.0.2"), 0);
    assert.equal(table.textOf(0), "10.0.0.2");
  });

  it("gives the same string for the same number", () => {
    const table = new AddressTable();
    numberOf(table, "fd00::1");
    assert.equal(table.textOf(0), table.textOf(0));
    for (const number of [-1, 1, Number.NaN]) {
      assert.throws(() => table.textOf(number), RangeError, String(number));
    }
  });

  for (const seed of [0, 1, 0xffff_ffff]) {
    it(`holds many, whatever its seed: ${seed}`, () => {
      const random = new SeededRandom(5);
      const table = new AddressTable(seed);
      const numbers = new Map<string, number>();
      for (let round = 0; round < 20_000; round++) {
        const text = someAddress(random);
        numbers.set(text, numbers.get(text) ?? numbers.size);
        assert.equal(table.numberOf(text), numbers.get(text));
      }
      for (const [text, number] of numbers) {
        assert.equal(numberOf(table, text), number);
        assert.equal(table.textOf(number), text);
      }
      assert.equal(table.size, numbers.size);
    });
  }

  const refused = [
    "",
    "10.0.0.01",
    "10.0.0",
    "10.0.0.256",
    "10.0.0.1 ",
    "FD00::1",
    "fd00:0::1",
    "fd00::1%eth0",
    "::ffff:10.0.0.1",
    "10.0.0.\u0661",
    "10.0.0.1\u0000",
    "\u010a0.0.0.1",
    "x".repeat(39),
    `${"1".repeat(38)}\u8a9e`,
    "x".repeat(100_000),
  ];
  for (const text of refused) {
    it(`gives no number to ${JSON.stringify(text.slice(0, 40))}`, () => {
      const table = new AddressTable();
      numberOf(table, "10.0.0.1");
      assert.equal(numberOf(table, text), -1);
      assert.equal(numberOf(table, text), -1, "nor later");
      assert.equal(table.size, 1);
      assert.equal(numberOf(table, "10.0.0.2"), 1);
      assert.equal(table.textOf(1), "10.0.0.2");
    });
  }

  it("takes the longest address", () => {
    const longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe";
    const table = new AddressTable();
    assert.equal(numberOf(table, longest), 0);
    assert.equal(table.textOf(0), longest);
  });
});
