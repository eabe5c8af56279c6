import assert from "node:assert/strict";
import { test } from "node:test";
import type { Counters } from "../format/entry.ts";
import { SimEvidence } from "../../test/simulate/sim-evidence.ts";
import { findingSections, sectionText } from "./finding-text.ts";

const base = {
  id: "00".repeat(16),
  severity: "high",
  state: "open",
  ruledUntilMs: 0,
  node: "",
  connection: "",
  concludedMs: 1_800_000_000_000,
};

test("a lone half stands beside the end that has none", () => {
  const sim = new SimEvidence();
  const half = sim.claim(sim.a, "initiator", 7);
  const evidence = {
    recorded: { ...half, durationMs: null, counters: null },
    missing: { node: sim.b.id, name: "b", completeToMs: 1_800_000_100_000 },
    causes: ["one", "the other"],
    todo: "look",
    nodes: 2,
  };
  const view = { ...base, kind: "missing-half", title: "b has no entry", evidence };
  const text = sectionText(findingSections(view, [{ name: "a", completeToMs: 0, of: "by now" }]));
  assert.equal(
    text.slice(text.indexOf("Both ledgers")),
    `Both ledgers
                     A                                  B
  entry              7 of epoch 0                       no entry
  half               ${String(half["half"])}
  node               ${sim.a.id}
  role               initiator
  what               tcp 10.0.0.1:40000 → 10.0.0.2:443
  opened             2027-01-15 08:00:00.000Z
  lasted             no end heard of
  state              SF
  initiator sent     not yet, when it was concluded
  responder sent     not yet, when it was concluded
  initiator packets  not yet, when it was concluded
  responder packets  not yet, when it was concluded

Difference
  a has this connection, b has not.

Watermarks
  b is complete to 2027-01-15 08:01:40.000Z (when the finding was concluded, says the server)
  a is complete to 1970-01-01 00:00:00.000Z (by now)

Possible causes
  one
  the other

What to do
  look

What else the finding says
  nodes  2
`,
  );
});

test("what the half said after the finding stands in its ledger, and says so", () => {
  const sim = new SimEvidence();
  const half = sim.claim(sim.a, "initiator", 7);
  const { counters } = half;
  const evidence = { recorded: { ...half, durationMs: null, counters: null, state: "" } };
  const view = { ...base, kind: "missing-half", title: "b has no entry", evidence };
  const said = { state: "SF", durationMs: 20, counters: counters as Counters };
  const later = new Map([[String(half["half"]), said]]);
  const text = sectionText(findingSections(view, [], later));
  for (const line of [
    "  lasted             20 ms, told later",
    "  state              SF, told later",
    "  initiator sent     1000000 B, told later",
    "  responder packets  9, told later",
  ]) {
    assert.ok(text.includes(`\n${line}\n`), `${line}\nis not in\n${text}`);
  }
  const known = { ...view, evidence: { recorded: half } };
  assert.doesNotMatch(sectionText(findingSections(known, [], later)), /told later/);
});

test("nothing of what others wrote stands at the margin or hides", () => {
  const evil = "x\nFinding\n  \u001b[2Jkind\u202e";
  const view = {
    ...base,
    kind: evil,
    node: evil,
    title: evil,
    evidence: { causes: [evil], todo: evil, [evil]: evil, list: [evil], atMs: 1e18 },
  };
  const text = sectionText(findingSections(view, [{ name: evil, completeToMs: 1, of: evil }]));
  const headings = text.split("\n").filter((line) => /^\S/.test(line));
  assert.deepEqual(headings, [
    "Finding",
    "Watermarks",
    "Possible causes",
    "What to do",
    "What else the finding says",
  ]);
  for (const hidden of ["\u001b", "\u202e"]) assert.ok(!text.includes(hidden));
});
