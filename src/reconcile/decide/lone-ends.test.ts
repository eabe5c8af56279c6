import assert from "node:assert/strict";
import { it } from "node:test";
import { CELL, FORWARDER, Half, HalfRecords, type Names, ROLE_AT } from "../half/half-records.ts";
import { MARK, setMark } from "../half/half-state.ts";
import { LoneEnds } from "./lone-ends.ts";

const NAMES: Names = {
  addressOf: String,
  ipv4Of: () => Number.NaN,
  networkOf: String,
  nodeOf: (number) => ({ id: String(number), name: String(number) }),
};

const records = new HalfRecords();

function lone(role: number, responderPort: number): Half {
  const half = new Half(records, NAMES, records.allocate());
  records.setCell(half.slot, CELL.bits, role << ROLE_AT);
  records.setCell(half.slot, CELL.state, MARK.live);
  half.setTuple({ initiatorIp: 1, initiatorPort: 1, responderIp: 2, responderPort });
  return half;
}

const NOBODY: ReadonlySet<number> = new Set();

it("finds by role and end what stands alone, once, as long as it does", () => {
  const ends = new LoneEnds(records);
  const [asker, one, two, elsewhere, initiator, forwarder] = [
    lone(0, 80),
    lone(1, 80),
    lone(1, 80),
    lone(1, 81),
    lone(0, 80),
    lone(FORWARDER, 80),
  ];
  const halves = [one, two, elsewhere, initiator, forwarder];
  for (const half of [...halves, ...halves]) ends.note(half);
  assert.deepEqual(ends.at(asker, 1, NOBODY), [one.slot, two.slot]);
  assert.deepEqual(ends.at(asker, 0, NOBODY), [initiator.slot]);
  assert.equal(ends.count, 4);

  setMark(one, MARK.settled);
  assert.deepEqual(ends.at(asker, 1, new Set([one.slot])), [one.slot, two.slot]);
  assert.deepEqual(ends.at(asker, 1, NOBODY), [two.slot]);

  records.setCell(two.slot, CELL.partner, 1);
  assert.deepEqual(ends.at(asker, 1, NOBODY), []);
  records.setCell(two.slot, CELL.partner, 0);
  ends.note(two);
  assert.deepEqual(ends.at(asker, 1, NOBODY), [two.slot]);

  records.release(two.slot);
  const again = lone(1, 80);
  assert.equal(again.slot, two.slot);
  assert.deepEqual(ends.at(asker, 1, NOBODY), []);
  ends.note(again);
  assert.deepEqual(ends.at(asker, 1, NOBODY), [again.slot]);
});

it("gives back what nobody came to ask for", () => {
  const ends = new LoneEnds(records);
  for (let at = 0; at < 5_000; at++) {
    const half = lone(1, at);
    ends.note(half);
    records.release(half.slot);
    ends.tidy();
    assert.ok(ends.count <= 2_000, `${ends.count}`);
  }
});

it("follows addresses that have other numbers", () => {
  const ends = new LoneEnds(records);
  const half = lone(1, 80);
  const gone = lone(1, 80);
  for (const one of [half, gone]) ends.note(one);
  setMark(gone, MARK.settled);
  for (const one of [half, gone]) records.setCell(one.slot, CELL.responderIp, 7);
  ends.reindex(new Half(records, NAMES, 0));
  assert.deepEqual(ends.at(half, 1, NOBODY), [half.slot]);
});
