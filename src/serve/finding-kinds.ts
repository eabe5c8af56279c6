/** Every kind of finding: what the comparison concludes, and what somebody tried at the intake. */
import { INCIDENT_FINDINGS } from "../ingest/incident.ts";
import { RECONCILE_FINDINGS } from "../reconcile/finding/findings.ts";

export const FINDING_KINDS: readonly string[] = [
  ...Object.keys(RECONCILE_FINDINGS),
  ...Object.keys(INCIDENT_FINDINGS),
];
