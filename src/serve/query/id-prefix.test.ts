import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ControlNode } from "../../control/node-table.ts";
import { ServeError } from "../serve-error.ts";
import { findingIdOf, nodeIdOf } from "./id-prefix.ts";
import type { StoreReader } from "./store-reader.ts";

const A = "3d88b8124792aa00ffee3d88b8124792";
const B = "3d88b8999992aa00ffee3d88b8124792";
const C = "0011223344556677001122334455667f";

/** Answers as the store would: ids that begin so, in their order. */
const store: StoreReader = {
  rows: async <R>({ params }: { params: Readonly<Record<string, unknown>> }) => {
    const begun = String(params["prefix"]);
    const many = Array.from({ length: 20 }, (_, n) => `aaaaaa${String(n).padStart(26, "0")}`);
    const ids = [A, B, C, ...many].toSorted().filter((id) => id.startsWith(begun));
    return ids.slice(0, Number(params["limit"])).map((id) => ({ id })) as R[];
  },
  sql: () => Promise.reject(new Error("not asked")),
};

function refusal(code: string, message: RegExp) {
  return (error: unknown) =>
    error instanceof ServeError && error.code === code && message.test(error.message);
}

describe("a finding's id", () => {
  const meant: [given: string, id: string][] = [
    [A, A],
    [A.toUpperCase(), A],
    ["3d88b81", A],
    ["3D88B81", A],
    ["001122", C],
    ["f".repeat(32), "f".repeat(32)],
  ];
  for (const [given, id] of meant) {
    it(`${given} is ${id}`, async () => assert.equal(await findingIdOf(store, given), id));
  }

  const refused: [given: string, code: string, message: RegExp][] = [
    ["3d88b8", "ambiguous_id", new RegExp(`^3d88b8: ${A}, ${B}$`)],
    ["aaaaaa", "ambiguous_id", /^aaaaaa: (aaaaaa\d+, ){9}aaaaaa\d+ and more$/],
    ["00112", "unknown_finding", /is no id: it takes 6 to 32 hex digits$/],
    [`${A}0`, "unknown_finding", /is no id/],
    ["3d88b81x", "unknown_finding", /is no id/],
    ["ffffff", "unknown_finding", /begins with ffffff/],
  ];
  for (const [given, code, message] of refused) {
    it(`${given} is refused: ${code}`, () =>
      assert.rejects(findingIdOf(store, given), refusal(code, message)));
  }
});

describe("a node's id", () => {
  const nodes = [
    { id: A, name: "web" },
    { id: B, name: "db" },
    { id: C, name: "3d88b81" },
  ] as unknown as ControlNode[];
  const meant: [given: string, id: string][] = [
    ["web", "web"],
    ["3d88b812", A],
    ["3D88B89", B],
    ["3d88b81", "3d88b81"],
    ["ffffff", "ffffff"],
    ["nobody", "nobody"],
  ];
  for (const [given, id] of meant)
    it(`${given} is ${id}`, () => assert.equal(nodeIdOf(nodes, given), id));

  it("several are listed", () => {
    assert.throws(
      () => nodeIdOf(nodes, "3d88b8"),
      refusal("ambiguous_id", new RegExp(`${A}, ${B}`)),
    );
  });
});
