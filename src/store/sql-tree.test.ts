import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allowedFunction } from "./sql-functions.ts";
import { parseTree } from "./sql-tree.ts";

describe("the tree of EXPLAIN AST", () => {
  it("nests by indentation and strips aliases and counts from names", () => {
    const tree = parseTree([
      "SelectWithUnionQuery (children 1)",
      " ExpressionList (children 2)",
      "  Function sum (alias total) (children 1)",
      "   ExpressionList",
      "  TableIdentifier db.t (alias x)",
    ]);
    assert.deepEqual(tree, {
      kind: "SelectWithUnionQuery",
      name: "",
      children: [
        {
          kind: "ExpressionList",
          name: "",
          children: [
            {
              kind: "Function",
              name: "sum",
              children: [{ kind: "ExpressionList", name: "", children: [] }],
            },
            { kind: "TableIdentifier", name: "db.t", children: [] },
          ],
        },
      ],
    });
  });

  it("keeps a literal whole, whatever it looks like", () => {
    const tree = parseTree(["Literal 'x (children 3)'"]);
    assert.equal(tree?.name, "'x (children 3)'");
  });

  it("is refused when it has several roots, none, or a jump in depth", () => {
    assert.equal(parseTree(["A", "B"]), undefined);
    assert.equal(parseTree([]), undefined);
    assert.equal(parseTree(["A", "  B"]), undefined);
  });
});

describe("the list of functions", () => {
  it("knows aggregates with their endings", () => {
    for (const name of ["sumIf", "SUM", "quantileExactIf", "uniqOrNullIf", "anyDistinctArray"])
      assert.ok(allowedFunction(name), name);
  });

  it("takes an ending for itself for no function", () => {
    for (const name of ["if2", "distinct", "ornull", "fileIf", "sumState", "sumMerge", "_CAST", ""])
      assert.ok(!allowedFunction(name), name);
  });
});
