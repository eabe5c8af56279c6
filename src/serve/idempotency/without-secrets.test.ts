import assert from "node:assert/strict";
import { it } from "node:test";
import { type TSchema, Type } from "typebox";
import { shownOnce } from "../../api/schema.ts";
import { withoutSecrets } from "./without-secrets.ts";

const Secret = shownOnce(Type.String(), "shown once");
const Base = Type.Object({ id: Type.String() });

const cases: [title: string, schema: TSchema | undefined, value: unknown, kept: unknown][] = [
  ["nothing secret", Base, { id: "a" }, { id: "a" }],
  ["no schema", undefined, { id: "a", list: [1] }, { id: "a", list: [1] }],
  [
    "a field",
    Type.Object({ a: Secret, b: Type.String() }),
    { a: "s", b: "b" },
    { a: null, b: "b" },
  ],
  [
    "a field of an extension",
    Type.Interface([Base], { a: Secret }),
    { id: "a", a: "s" },
    { id: "a", a: null },
  ],
  [
    "deep inside",
    Type.Object({ in: Type.Object({ a: Secret }) }),
    { in: { a: "s" } },
    { in: { a: null } },
  ],
  [
    "in a list",
    Type.Array(Type.Object({ a: Secret })),
    [{ a: "s" }, { a: "t" }],
    [{ a: null }, { a: null }],
  ],
  [
    "a list",
    Type.Object({ a: shownOnce(Type.Array(Type.String()), "") }),
    { a: ["s"] },
    { a: null },
  ],
];
for (const [title, schema, value, kept] of cases) {
  it(`keeps an answer without its secrets: ${title}`, () => {
    const isReduced = JSON.stringify(kept) !== JSON.stringify(value);
    assert.deepEqual(withoutSecrets(value, schema), { value: kept, isReduced });
  });
}
