import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../std/seeded-random.ts";
import { AddressTable } from "./address-table.ts";
import { ConnectionScanner } from "./connection-scan.ts";
import { EntryBlock, toEntry } from "./entry-block.ts";
import { decodeLine, encodeLine, type LinePosition } from "./entry-line.ts";
import type { Entry } from "./entry.ts";
import { randomEntry } from "./random-entry.ts";

const SEQ = 500;
const CHARACTERS = '0123456789-.,"[]{}eE+ iruopenclsatS\\:f\u00e9';

function scan(line: string, position: LinePosition): Entry | undefined {
  const before = '["close",0';
  const addresses = new AddressTable();
  const block = new EntryBlock(1);
  const scanner = new ConnectionScanner(Buffer.from(`${before}${line}\n["open",1\n`), addresses);
  const next = scanner.scan(before.length, position, block);
  if (next === -1) return undefined;
  assert.equal(next, before.length + line.length + 1);
  return toEntry(block, 0, addresses);
}

/** What decodeLine says: the entry, or nothing where it throws. */
function decoded(line: string, position: LinePosition): Entry | undefined {
  try {
    return decodeLine(line, position);
  } catch {
    return undefined;
  }
}

function mutated(random: SeededRandom, line: string): string {
  const at = random.integer(0, line.length);
  const inserted = random.chance(0.7) ? random.pick(CHARACTERS.split("")) : "";
  return line.slice(0, at) + inserted + line.slice(at + random.integer(0, 2));
}

describe("ConnectionScanner", () => {
  it("gives what decodeLine gives, or leaves the line to it", () => {
    const random = new SeededRandom(7);
    let taken = 0;
    for (let round = 0; round < 20_000; round++) {
      const entry = randomEntry(random, { seq: SEQ, aroundMs: 1_800_000_000_000 });
      const position = { seq: SEQ, previousAtMs: random.pick([0, 1_800_000_000_123]) };
      const line = encodeLine(entry, position);
      const scanned = scan(line, position);
      if (scanned === undefined) continue;
      taken++;
      assert.deepEqual(scanned, decodeLine(line, position), line);
    }
    assert.ok(taken > 1_500, `took ${taken}`);
  });

  it("takes nothing that decodeLine refuses, and nothing otherwise than it", () => {
    const random = new SeededRandom(8);
    for (let round = 0; round < 50_000; round++) {
      const kind = random.pick(["open", "update", "close", "account"] as const);
      const entry = randomEntry(random, { seq: SEQ, aroundMs: 1_800_000_000_000 }, kind);
      const position = { seq: SEQ, previousAtMs: 1_800_000_000_000 };
      const line = mutated(random, encodeLine(entry, position));
      const scanned = scan(line, position);
      if (scanned !== undefined) assert.deepEqual(scanned, decoded(line, position), line);
    }
  });

  const refused: readonly [what: string, line: string][] = [
    ["another spelling of zero", '["open",-0,"i",6,"10.0.0.1",1,"10.0.0.2",2]'],
    ["a leading zero", '["open",1,"i",06,"10.0.0.1",1,"10.0.0.2",2]'],
    ["an exponent", '["open",1e0,"i",6,"10.0.0.1",1,"10.0.0.2",2]'],
    ["a space", '["open",1, "i",6,"10.0.0.1",1,"10.0.0.2",2]'],
    ["flags that are none", '["open",1,"i",6,"10.0.0.1",1,"10.0.0.2",2,0]'],
    ["a port out of range", '["open",1,"i",6,"10.0.0.1",65536,"10.0.0.2",2]'],
    ["an address in another spelling", '["open",1,"i",6,"10.0.0.01",1,"10.0.0.2",2]'],
    ["an unknown state", '["close",1,1,0,"SX",0]'],
    ["a reference to itself", '["close",1,0,0,"SF",0]'],
    ["a reference before the beginning", '["close",1,501,0,"SF",0]'],
    ["an inferred account", '["account",1,1,0,"SF",1]'],
    ["half of the counters", '["close",1,1,0,"SF",0,1,2]'],
    ["half of the payload", '["close",1,1,0,"SF",0,1,2,3,4,5]'],
    ["more than the payload", '["close",1,1,0,"SF",0,1,2,3,4,5,6,7]'],
    ["an end that comes late", '["close",1,1,0,"SF",0]]'],
    ["nothing", ""],
  ];
  for (const [what, line] of refused) {
    it(`leaves ${what}`, () => {
      assert.equal(scan(line, { seq: SEQ, previousAtMs: 1_800_000_000_000 }), undefined);
    });
  }
});
