import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Conclusions } from "./conclusions.ts";
import { type About, findingId, type ReconcileFinding } from "./findings.ts";

type State = "open" | "resolved";
type Step = readonly [kind: ReconcileFinding, state: State, count?: number];

function about(kind: ReconcileFinding, count = 0): About {
  return { kind, subject: "x", title: "x", evidence: { count } };
}

function conclude(conclusions: Conclusions, [kind, state, count = 0]: Step): boolean {
  return conclusions.conclude(about(kind, count), { state, revision: count }) !== undefined;
}

describe("a conclusion", () => {
  const rows: readonly (readonly [
    what: string,
    steps: readonly Step[],
    told: readonly boolean[],
    known: number,
  ])[] = [
    [
      "is told once",
      [
        ["silent", "open"],
        ["silent", "open"],
      ],
      [true, false],
      1,
    ],
    [
      "is told again when it counts more",
      [
        ["accused", "open", 2],
        ["accused", "open", 4],
        ["accused", "open", 4],
      ],
      [true, true, false],
      1,
    ],
    [
      "is resolved once, and forgotten",
      [
        ["silent", "open"],
        ["silent", "resolved"],
        ["silent", "resolved"],
      ],
      [true, true, false],
      0,
    ],
    ["that was never told is not resolved", [["silent", "resolved"]], [false], 0],
    [
      "that is resolved is told when it is found again",
      [
        ["silent", "open"],
        ["silent", "resolved"],
        ["silent", "open"],
      ],
      [true, true, true],
      1,
    ],
    [
      "about an epoch is told once, however many entries say so",
      [
        ["rollback", "open"],
        ["rollback", "open"],
      ],
      [true, false],
      1,
    ],
    [
      "about one entry is not remembered",
      [
        ["lost-spool", "open"],
        ["long-restart", "open"],
      ],
      [true, true],
      0,
    ],
  ];
  for (const [what, steps, told, known] of rows) {
    it(what, () => {
      const conclusions = new Conclusions();
      assert.deepEqual(
        steps.map((step) => conclude(conclusions, step)),
        told,
      );
      assert.equal(conclusions.drain().length, told.filter(Boolean).length);
      assert.equal(conclusions.knownCount, known);
    });
  }

  it("that was resolved and not read yet when the server stopped is not open afterwards", () => {
    const conclusions = new Conclusions();
    const id = findingId("silent", "x");
    conclusions.restore({ id, state: "open", revision: 0 });
    conclusions.restoreUnread({ id, state: "resolved", revision: 0 });
    assert.equal(conclusions.knownCount, 0);
    assert.equal(conclude(conclusions, ["silent", "resolved"]), false);
    assert.equal(conclude(conclusions, ["silent", "open"]), true);
  });

  it("that stands further on in the journal is not journaled again, remembered or not", () => {
    for (const kind of ["silent", "lost-spool"] as const) {
      const conclusions = new Conclusions();
      conclusions.expect({ id: findingId(kind, "x"), state: "open", revision: 0 }, 5);
      assert.equal(conclude(conclusions, [kind, "open"]), true);
      assert.deepEqual(conclusions.drain(), []);
    }
  });
});
