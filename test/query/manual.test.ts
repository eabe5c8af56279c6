/** docs/query.md says what the code does: its fields are the catalogues', and its examples are understood. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { Catalogue } from "../../src/query/catalogue.ts";
import { AUDIT } from "../../src/query/catalogues/audit.ts";
import { CONNECTIONS } from "../../src/query/catalogues/connections.ts";
import { findingCatalogue } from "../../src/query/catalogues/findings.ts";
import { explain, QueryError } from "../../src/query/query-error.ts";
import { understand } from "../../src/query/understand.ts";
import { FINDING_KINDS } from "../../src/api/finding-kinds.ts";

const manual = readFileSync(new URL("../../docs/query.md", import.meta.url), "utf8");
const nowMs = Date.parse("2026-03-02T12:00:00Z");
const FINDINGS = findingCatalogue(FINDING_KINDS);

function section(title: string): string {
  const [, text = ""] = manual.split(`\n## ${title}\n`);
  const [own = ""] = text.split("\n## ");
  assert.notEqual(own, "", title);
  return own;
}

/** The rows of a table of fields, as they should stand. */
function fieldRows({ fields, groups }: Catalogue): string[] {
  return [
    ...[...fields.values()].map(
      ({ name, type, summary }) => `| \`${name}\` | ${type} | ${summary} |`,
    ),
    ...[...groups].map(([name, { fields: both, summary }]) => {
      const each = both.map((field) => `\`${field}\``).join(" or ");
      return `| \`${name}\` | ${each} | ${summary} |`;
    }),
  ];
}

for (const catalogue of [CONNECTIONS, FINDINGS, AUDIT]) {
  it(`lists the fields of ${catalogue.rows}`, () => {
    const rows = section(`Fields of ${catalogue.rows}`)
      .split("\n")
      .filter((line) => line.startsWith("| `"));
    assert.deepEqual(rows, fieldRows(catalogue));
  });
}

function meantBy(query: string): Catalogue {
  if (/action|actor|property/.test(query)) return AUDIT;
  return /severity|title|"clock"/.test(query) ? FINDINGS : CONNECTIONS;
}

describe("examples are understood", () => {
  const quoted = [
    ...section("Terms").matchAll(/`([^`]+)`/g),
    ...section("Examples").matchAll(/`([^`]+)`/g),
  ];
  const queries = quoted.map(([, text = ""]) => text).filter((text) => /[a-z]/.test(text));
  assert.ok(queries.length > 25);
  for (const query of queries) {
    it(query, () => {
      understand(query, { catalogue: meantBy(query), nowMs });
    });
  }
});

it("shows a mistake as it is shown", () => {
  const [query = "", ...shown] =
    section("What is wrong is explained at its place").split("```")[1]?.trim().split("\n") ?? [];
  assert.throws(
    () => understand(query, { catalogue: CONNECTIONS, nowMs }),
    (error) =>
      error instanceof QueryError &&
      explain(query, error).join("\n") === [query, ...shown].join("\n"),
  );
});
