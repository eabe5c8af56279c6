import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AuditItem } from "../api/audit.ts";
import { type AuditChange, changeLines, operationLines, operationsOf } from "./audit-lines.ts";

const plain = (_colour: string, text: string) => text;
const long = Array.from({ length: 20 }, (_, n) => `server-${n}`);

const changes: readonly (readonly [AuditChange, readonly string[]])[] = [
  [{ property: "tags", old: ["db"], new: ["db", "berlin"] }, ["tags: [db] → [db, berlin]"]],
  [{ property: "tags", old: [], new: ["a, b"] }, ['tags: [] → ["a, b"]']],
  [{ property: "owner", old: "", new: "ops" }, ['owner: "" → ops']],
  [{ property: "audit_days", old: 90, new: 30 }, ["audit_days: 90 → 30"]],
  [{ property: "revoked_at", old: null, new: "2026-03-01" }, ["revoked_at: none → 2026-03-01"]],
  [{ property: "name", old: "none", new: null }, ['name: "none" → none']],
  [{ property: "on", old: false, new: true }, ["on: false → true"]],
  [
    { property: "servers", old: long, new: [...long.slice(1), "new"] },
    ["servers: 20 → 20 items", "  − server-0", "  + new"],
  ],
  [
    { property: "servers", old: long, new: long.toReversed() },
    ["servers: 20 → 20 items", "  in another order"],
  ],
  [{ property: "a\u202eb", old: "x\u001b[31m", new: "y" }, ["a‹U+202E›b: x‹U+001B›[31m → y"]],
  [
    { property: "policy", old: "a".repeat(300), new: { deep: [1] } },
    [`policy: ${"a".repeat(119)}… → {"deep":[1]}`],
  ],
];

describe("a change", () => {
  for (const [change, lines] of changes) {
    it(lines[0]?.slice(0, 60) ?? "", () => assert.deepEqual(changeLines(change), lines));
  }
});

function item(more: Partial<AuditItem>): AuditItem {
  return {
    time: "2026-03-01T08:30:00.123Z",
    id: "a",
    operation: "a",
    actor_type: "user",
    actor_id: "u1",
    actor: "ada",
    address: "10.0.0.7",
    origin: "console",
    action: "node.update",
    read: false,
    target_type: "node",
    target_id: "n1",
    target: "web-1",
    outcome: "done",
    code: "",
    changes: [],
    facts: {},
    journal_index: 7,
    place: "1",
    ...more,
  };
}

describe("an operation", () => {
  it("is a line with who, from where, what, on what and how it ended", () => {
    assert.deepEqual(operationLines([item({})], plain), [
      "2026-03-01 08:30:00Z  ada (10.0.0.7, console)  node.update  node web-1  done",
    ]);
  });

  it("says what it was refused for, and who nobody was", () => {
    const refused = item({
      actor_type: "nobody",
      actor: "",
      actor_id: "",
      target: "",
      outcome: "refused",
      code: "unauthorized",
      facts: { more: 7 },
    });
    assert.deepEqual(operationLines([refused], plain), [
      "2026-03-01 08:30:00Z  nobody (10.0.0.7, console)  node.update  node n1  refused: unauthorized",
      "    more 7",
    ]);
  });

  it("of several entries is one block, in the order of what was done", () => {
    const entries = [
      item({ place: "3", operation: "b" }),
      item({ place: "2", action: "session.revoke", target_type: "session", target: "s" }),
      item({ place: "1", changes: [{ property: "tags", old: [], new: ["db"] }] }),
    ];
    const [, second = []] = operationsOf(entries);
    assert.deepEqual(operationLines(second, plain), [
      "2026-03-01 08:30:00Z  ada (10.0.0.7, console)  node.update  node web-1  done",
      "    tags: [] → [db]",
      "  and  session.revoke  session s  done",
    ]);
  });
});
