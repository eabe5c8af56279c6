import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../std/seeded-random.ts";
import { AddressTable } from "./address-table.ts";
import {
  CONNECTION_KINDS,
  type ConnectionEntry,
  ENTRY_WORDS,
  EntryBlock,
  flagsOfHead,
  isCounted,
  kindOfHead,
  protocolOfHead,
  roleOfHead,
  stateOfHead,
  toEntry,
} from "./entry-block.ts";
import { randomEntry } from "./random-entry.ts";

const tuple = {
  protocol: 255,
  initiatorIp: "10.0.0.1",
  initiatorPort: 1,
  responderIp: "fd00::2",
  responderPort: 65_535,
};
const counters = { initiatorPackets: 1, initiatorBytes: 2, responderPackets: 3, responderBytes: 4 };
const ending = { atMs: 90, openSeq: 7, ageMs: 40, assured: false } as const;

const cases: readonly [what: string, entry: ConnectionEntry, words: readonly number[]][] = [
  [
    "an open",
    { kind: "open", atMs: 50, role: "initiator", tuple, pickup: false },
    [255 << 10, 9, 50, 0, 1, 1, 65_535, -1],
  ],
  [
    "an open of a forwarder, picked up",
    { kind: "open", atMs: 50, role: "forwarder", tuple, pickup: true },
    [(1 << 2) | (2 << 4) | (255 << 10), 9, 50, 0, 1, 1, 65_535, -1],
  ],
  [
    "an open with a network",
    { kind: "open", atMs: 50, role: "responder", tuple, pickup: false, network: "office" },
    [(1 << 4) | (255 << 10), 9, 50, 0, 1, 1, 65_535, 0],
  ],
  [
    "an update without counters",
    { kind: "update", ...ending, state: "S0" },
    [1, 9, 90, 7, 40, 0, 0, 0, 0, -1, -1],
  ],
  [
    "an inferred and assured close",
    { kind: "close", ...ending, state: "SF", assured: true, inferred: true, counters },
    [2 | (3 << 2) | (3 << 6) | (1 << 18), 9, 90, 7, 40, 1, 2, 3, 4, -1, -1],
  ],
  [
    "an account",
    { kind: "account", ...ending, state: "OTH", assured: true, counters },
    [3 | (2 << 2) | (8 << 6) | (1 << 18), 9, 90, 7, 40, 1, 2, 3, 4, -1, -1],
  ],
];

describe("EntryBlock", () => {
  for (const [what, entry, words] of cases) {
    it(`holds ${what}`, () => {
      const block = new EntryBlock();
      const addresses = new AddressTable();
      block.add(entry, 9, addresses);
      assert.deepEqual([...block.words.subarray(0, words.length)], words);
      assert.deepEqual(toEntry(block, 0, addresses), entry);
    });
  }

  it("gives the parts of a head", () => {
    const head = 1 | (2 << 2) | (1 << 4) | (8 << 6) | (200 << 10) | (1 << 18);
    assert.equal(CONNECTION_KINDS[kindOfHead(head)], "update");
    assert.equal(flagsOfHead(head), 2);
    assert.equal(roleOfHead(head), 1);
    assert.equal(stateOfHead(head), 8);
    assert.equal(protocolOfHead(head), 200);
    assert.equal(isCounted(head), true);
    assert.equal(isCounted(head & ~(1 << 18)), false);
  });

  it("gives every connection entry back, and grows as it must", () => {
    const random = new SeededRandom(3);
    const addresses = new AddressTable();
    const block = new EntryBlock(0);
    for (let round = 0; round < 2; round++) {
      const entries = Array.from({ length: 3_000 }, (_, index) => {
        const place = { seq: index + 1, aroundMs: 1_800_000_000_000 };
        return randomEntry(random, place, random.pick(CONNECTION_KINDS)) as ConnectionEntry;
      });
      for (const [index, entry] of entries.entries()) block.add(entry, index + 1, addresses);
      assert.equal(block.length, entries.length);
      for (const [index, entry] of entries.entries()) {
        assert.deepEqual(toEntry(block, index, addresses), entry);
      }
      const room = block.words.length;
      block.clear();
      assert.equal(block.length, 0);
      assert.deepEqual(block.rare, []);
      assert.equal(block.words.length, room, "keeps its memory");
      assert.ok(room >= entries.length * ENTRY_WORDS);
    }
  });
});
