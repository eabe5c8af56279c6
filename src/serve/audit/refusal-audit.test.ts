import assert from "node:assert/strict";
import { beforeEach, it } from "node:test";
import type { Who } from "../../control/who.ts";
import type { AuditEntry } from "../../format/entry.ts";
import { ManualClock } from "../../std/clock.ts";
import { NOTHING } from "./audit-entry.ts";
import { FOLDS_MAX, REFUSAL_FOLD_MS } from "./limits.ts";
import { RefusalAudit, type Refused } from "./refusal-audit.ts";

const STRANGER: Who = {
  actor: { type: "nobody", id: "", name: "" },
  address: "203.0.113.9",
  origin: "api",
};
const ADA: Who = { ...STRANGER, actor: { type: "user", id: "u1", name: "ada" } };

const target = (id: string) => ({ type: "node", id, name: "" });

let clock: ManualClock;
let entries: AuditEntry[];
let refusals: RefusalAudit;
beforeEach(() => {
  clock = new ManualClock();
  entries = [];
  refusals = new RefusalAudit({
    clock,
    append: async (some) => entries.push(...some),
  });
});

function add(who: Who, more: Partial<Refused> = {}): void {
  const refused = { who, action: "node.revoke", target: NOTHING, code: "forbidden" };
  refusals.add({ ...refused, isFailure: false, ...more });
}

const from = (address: string): Who => ({ ...STRANGER, address });

it("writes an attempt at once, and after a minute how many more were like it", () => {
  for (let tries = 0; tries < 1_000; tries++) add(STRANGER);
  assert.equal(entries.length, 1);
  clock.advance(REFUSAL_FOLD_MS);
  const [first, more] = entries;
  assert.deepEqual([entries.length, more?.facts], [2, { more: 999 }]);
  assert.equal(more?.group, first?.id);
  assert.deepEqual([first?.outcome, first?.code], ["refused", "forbidden"]);
  clock.advance(REFUSAL_FOLD_MS);
  assert.equal(entries.length, 2);
  add(STRANGER);
  assert.equal(entries.length, 3);
});

const apart: readonly [title: string, add: () => void][] = [
  ["of another address", () => add(from("203.0.113.10"))],
  ["of another action", () => add(STRANGER, { action: "node.update" })],
  ["refused for another reason", () => add(STRANGER, { code: "unauthorized" })],
  ["of somebody who is known", () => add(ADA)],
];
for (const [title, other] of apart) {
  it(`tells one ${title} apart`, () => {
    add(STRANGER);
    other();
    assert.equal(entries.length, 2);
  });
}

it("tells targets apart of who is known, and not of strangers, who can name any", () => {
  for (const id of ["a", "b", "c"]) add(ADA, { target: target(id) });
  assert.equal(entries.length, 3);
  for (const id of ["a", "b", "c"]) add(STRANGER, { target: target(id) });
  assert.equal(entries.length, 4);
});

it("takes all addresses of one IPv6 network for one stranger", () => {
  for (let host = 1; host <= 1_000; host++) add(from(`2001:db8:0:1::${host.toString(16)}`));
  assert.deepEqual(
    entries.map(({ address }) => address),
    ["2001:db8:0:1::1"],
  );
  add(from("2001:db8:0:2::1"));
  assert.equal(entries.length, 2);
});

it("lets more strangers than it remembers share one line, and counts them", () => {
  const more = 50;
  for (let n = 0; n < FOLDS_MAX + more; n++)
    add(from(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`));
  assert.equal(entries.length, FOLDS_MAX + 1);
  refusals.close();
  assert.deepEqual(
    entries.slice(FOLDS_MAX + 1).map(({ facts }) => facts),
    [{ more: more - 1 }],
  );
});

it("says of what was allowed and could not be done that it failed", () => {
  add(ADA, { code: "internal", isFailure: true });
  assert.equal(entries[0]?.outcome, "failed");
});
