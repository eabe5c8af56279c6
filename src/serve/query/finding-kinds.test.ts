import assert from "node:assert/strict";
import { it } from "node:test";
import { FINDING_KINDS } from "../../api/finding-kinds.ts";
import { INCIDENT_FINDINGS } from "../../ingest/incident.ts";
import { RECONCILE_FINDINGS } from "../../reconcile/finding/findings.ts";

it("the API names every kind of finding that the stages have, and no other", () => {
  const found = [...Object.keys(RECONCILE_FINDINGS), ...Object.keys(INCIDENT_FINDINGS)];
  assert.deepEqual([...FINDING_KINDS], found);
});
