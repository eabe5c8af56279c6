import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Ruling } from "./entry.ts";
import { EXCUSE_MS_MAX } from "./limits.ts";
import { afterFinding, afterRuling, afterTick, type Standing } from "./finding-state.ts";

const AT_MS = 1_800_000_000_000;

/** `open` and `resolved` are concluded, `tick+N` passes N ms, `excused+N` is ruled with an end. */
type Step = "open" | "resolved" | Ruling | `${Ruling}+${number}` | `tick+${number}`;

function play(steps: readonly Step[]): Standing | undefined {
  let standing: Standing | undefined;
  for (const step of steps) {
    const [word = "", afterMs] = step.split("+");
    if (word === "open" || word === "resolved") standing = afterFinding(standing, { state: word });
    else if (word === "tick") standing = standing && afterTick(standing, AT_MS + Number(afterMs));
    else {
      const expiry = afterMs === undefined ? {} : { expiresAtMs: AT_MS + Number(afterMs) };
      const said = { atMs: AT_MS, reason: word, actor: "admin", ...expiry };
      standing = afterRuling(standing, { ruling: word as Ruling, ...said }, { index: 5, seq: 7 });
    }
  }
  return standing;
}

const cases: readonly (readonly [steps: readonly Step[], state: string | undefined])[] = [
  [["open"], "open"],
  [["open", "resolved"], "resolved"],
  [["open", "resolved", "open"], "open"],
  [["excused"], undefined],
  [["open", "excused"], "excused"],
  [["open", "acknowledged"], "acknowledged"],
  [["open", "excused", "open"], "excused"],
  [["open", "acknowledged", "open"], "acknowledged"],
  [["open", "excused", "resolved"], "resolved"],
  [["open", "excused", "resolved", "open"], "open"],
  [["open", "excused", "reopened"], "open"],
  [["open", "excused", "reopened", "excused"], "excused"],
  [["open", "excused", "acknowledged"], "acknowledged"],
  [["open", "reopened"], "open"],
  [["resolved", "excused"], "resolved"],
  [["resolved", "reopened"], "resolved"],
  [["open", "excused+10", "tick+9"], "excused"],
  [["open", "excused+10", "tick+10"], "open"],
  [["open", "acknowledged+10", "tick+10"], "open"],
  [["open", "excused+10", "tick+10", "open"], "open"],
  [["open", "excused+10", "resolved", "tick+10"], "resolved"],
  [["open", "excused", `tick+${EXCUSE_MS_MAX - 1}`], "excused"],
  [["open", "excused", `tick+${EXCUSE_MS_MAX}`], "open"],
  [["open", `excused+${EXCUSE_MS_MAX * 2}`, `tick+${EXCUSE_MS_MAX}`], "open"],
  [["open", "acknowledged", `tick+${EXCUSE_MS_MAX * 9}`], "acknowledged"],
];

describe("the state of a finding", () => {
  for (const [steps, state] of cases) {
    it(`${steps.join(", ")}: ${state ?? "none"}`, () => assert.equal(play(steps)?.state, state));
  }

  it("has the reason of the ruling that holds", () => {
    assert.equal(play(["open", "excused", "open"])?.reason, "excused");
    assert.equal(play(["open", "excused", "acknowledged"])?.reason, "acknowledged");
    assert.equal(play(["open", "excused", "reopened"])?.reason, "reopened");
    assert.equal(play(["open", "excused", "resolved"])?.reason, "");
    assert.equal(play(["open", "excused+1", "tick+1"])?.reason, "");
  });
});
