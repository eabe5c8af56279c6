/** Every kind of finding: what the comparison concludes, and what somebody tried at the intake. */

/** In the order of their stages' tables, which a test compares (src/serve/query/finding-kinds.test.ts). */
export const FINDING_KINDS = [
  "accused",
  "missing-half",
  "counters-differ",
  "gap-abuse",
  "back-dated",
  "exceeds-interfaces",
  "silent",
  "lost-spool",
  "undeclared-hole",
  "long-restart",
  "rollback",
  "clone",
  "server-rollback",
  "opted-out",
  "contested-address",
  "clock-step",
  "fork",
  "replayed",
  "forged",
  "revoked_key_used",
  "unknown_node",
] as const;
