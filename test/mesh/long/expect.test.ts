import assert from "node:assert/strict";
import { test } from "node:test";
import type { Account } from "./chatter.ts";
import { wrongIn } from "./expect.ts";
import type { Found, Tally, Told } from "./told.ts";

const ACCOUNT: Account = { made: { long: 2 }, failed: {} };
const MATCHED: Tally = {
  kind: "long",
  verdict: "matched",
  excuse: "",
  counters: "final",
  count: 2,
};
const ROLLBACK = found({ kind: "rollback", node: "fay" });
const OPT_OUT = found({ kind: "opted-out", node: "gus", state: "acknowledged" });
const LIE = found({ kind: "missing-half", title: "leo has no entry, which ann recorded" });
const OTHER = found({ kind: "missing-half", title: "ben has no entry, which ann recorded" });
const ACCUSED = found({ kind: "accused", node: "leo", title: "leo lies" });

test("the long run's judgement finds what is planted, and nothing in what is as it should be", () => {
  const usual = [ROLLBACK, OPT_OUT];
  const table: [what: string, told: Partial<Told>, withLiar: boolean, wrong: RegExp[]][] = [
    ["all is well", {}, false, []],
    ["a missing half", tallied({ verdict: "missing" }), false, [/are missing/]],
    ["an excuse for nothing", tallied({ verdict: "excused" }), false, [/excused for nothing/]],
    ["an excuse with a name", tallied({ verdict: "excused", excuse: "gap" }), false, []],
    ["one is not told", tallied({ count: 1 }), false, [/2 of kind long were made, 1 are told/]],
    ["no rollback", { findings: [OPT_OUT] }, false, [/no finding rollback fay/]],
    [
      "an open opt-out",
      { findings: [ROLLBACK, { ...OPT_OUT, state: "open" }] },
      false,
      [/opted-out/, /no finding/],
    ],
    ["another finding", { findings: [...usual, OTHER] }, false, [/nothing explains: ben has/]],
    ["two rollbacks", { findings: [...usual, ROLLBACK] }, false, [/1 findings rollback/]],
    ["the liar", { findings: [...usual, LIE, ACCUSED] }, true, []],
    ["the liar is at large", { findings: [...usual, LIE] }, true, [/no finding accused leo/]],
    ["a lie in an honest mesh", { findings: [...usual, LIE] }, false, [/nothing explains: leo/]],
    [
      "somebody else is accused",
      { findings: [...usual, LIE, ACCUSED, { ...ACCUSED, node: "ann" }] },
      true,
      [/1 findings accused/],
    ],
    [
      "a pair that nobody lied about",
      { findings: [...usual, ACCUSED, OTHER] },
      true,
      [/nothing explains: ben/],
    ],
  ];
  for (const [what, more, withLiar, expected] of table) {
    const told = { tallies: [MATCHED], findings: usual, quietExcuses: [], odd: [], ...more };
    const wrong = wrongIn(told, ACCOUNT, withLiar);
    assert.equal(wrong.length, expected.length, `${what}: ${wrong.join("; ")}`);
    for (const [index, pattern] of expected.entries()) assert.match(wrong[index] ?? "", pattern);
  }
});

function tallied(more: Partial<Tally>): Partial<Told> {
  return { tallies: [{ ...MATCHED, ...more }] };
}

function found(more: Partial<Found>): Found {
  const about = { connection_id: "", title: "", evidence: "{}", about: "" } as const;
  return { kind: "", severity: "low", state: "open", node: "", ...about, ...more };
}
