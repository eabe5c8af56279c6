import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ROLES } from "../../api/roles.ts";
import type { Principal } from "../access/principal.ts";
import { auditConditions, auditItem } from "./audit-list.ts";

const principal = (more: Partial<Principal>, id = "u7"): Principal => ({
  who: { actor: { type: "user", id, name: "ada" }, address: "127.0.0.1", origin: "api" },
  role: "viewer",
  session: "s",
  by: "session",
  ...more,
});

describe("reads", () => {
  it("are shown to nobody who does not ask for them", () => {
    for (const role of ROLES) {
      assert.equal(auditConditions({}, principal({ role }), [])[0]?.sql, "is_read = 0", role);
    }
  });

  for (const role of ROLES) {
    const seesAll = role === "owner" || role === "auditor";
    it(`of others are shown to ${role}: ${seesAll}`, () => {
      const [first] = auditConditions({ reads: true }, principal({ role }), ["t1"]);
      if (seesAll) return assert.equal(first?.sql, "1");
      assert.match(first?.sql ?? "", /^is_read = 0 OR \(actor_type = .* AND actor_id = /);
      // A name can be chosen: another's reads are not shown to who takes it.
      assert.deepEqual(first?.params, {
        own_type: "user",
        own_id: "u7",
        own_tokens: ["t1"],
      });
    });
  }

  it("of others are not shown by a token that may read changes alone", () => {
    const narrow = principal({ role: "owner", scopes: ["changes.read"] });
    assert.match(auditConditions({ reads: true }, narrow, [])[0]?.sql ?? "", /^is_read = 0 OR/);
  });
});

it("no value of a request stands in a condition", () => {
  const evil = "') OR 1=1 --";
  const conditions = auditConditions(
    { actor: evil, action: evil, target: evil, property: evil, origin: [evil], outcome: [evil] },
    principal({}, evil),
    [evil],
  );
  assert.equal(conditions.length, 7);
  for (const { sql } of conditions) assert.doesNotMatch(sql, /1=1/);
});

it("an item has objects where the store has texts", () => {
  const changes = [{ property: "tags", old: [], new: ["a"] }];
  const row = { id: "a", is_read: 1, changes: JSON.stringify(changes), facts: '{"query":"x"}' };
  assert.deepEqual(auditItem(row), { id: "a", read: true, changes, facts: { query: "x" } });
});
