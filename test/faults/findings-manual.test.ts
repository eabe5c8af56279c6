import assert from "node:assert/strict";
import { test } from "node:test";
import { INCIDENT_FINDINGS } from "../../src/ingest/incident.ts";
import { RECONCILE_FINDINGS } from "../../src/reconcile/finding/findings.ts";
import { fileAt } from "../tidy/source-tree.ts";
import { FAULT_CLASSES } from "./classes.ts";

const inCode = new Map<string, string>([
  ...Object.entries(RECONCILE_FINDINGS),
  ...Object.entries(INCIDENT_FINDINGS).map(([kind, { severity }]) => [kind, severity] as const),
]);

test("docs/findings.md has one row for each kind of finding, with its severity, and no other", () => {
  const { text } = fileAt("docs/findings.md");
  const rows = [...text.matchAll(/^\| `([^`]+)` \| (\w+) \|/gm)].map(
    ([, kind, severity]) => `${kind} ${severity}`,
  );
  const kinds = [...inCode].map(([kind, severity]) => `${kind} ${severity}`);
  assert.deepEqual(rows.toSorted(), kinds.toSorted());
});

test("each kind of finding is injected by a class of fault", () => {
  const injected = new Set(FAULT_CLASSES.map(({ kind }) => kind));
  assert.deepEqual([...injected].toSorted(), [...inCode.keys()].toSorted());
});
