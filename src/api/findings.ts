/** Findings: what can be asked, one of them, and what people decide about it. */
import { type Static, Type } from "typebox";
import { FINDING_STATES } from "../format/finding-state.ts";
import { REASON_CHARS_MAX } from "../format/limits.ts";
import { FINDING_KINDS } from "./finding-kinds.ts";
import { ID_DIGITS, ID_PREFIX_DIGITS_MIN } from "./limits.ts";
import { listFields, pageSchema } from "./list.ts";
import type { RouteTable } from "./route.ts";
import { exact, MaybeTime, Time } from "./schema.ts";

export const FindingQuery = Type.Object(
  {
    ...listFields,
    kind: Type.Optional(Type.Array(Type.Enum([...FINDING_KINDS]), { maxItems: 32 })),
    severity: Type.Optional(
      Type.Array(Type.Enum(["low", "medium", "high", "critical"]), { maxItems: 4 }),
    ),
    state: Type.Optional(Type.Array(Type.Enum([...FINDING_STATES]), { maxItems: 4 })),
  },
  exact,
);

export const RulingSaid = Type.Object({
  time: Time,
  by: Type.String(),
  ruling: Type.Enum(["excused", "acknowledged", "reopened"]),
  reason: Type.String(),
  until: Type.Union([Time, Type.Null()], { description: "when it ends by itself, if at all" }),
});
export type RulingSaid = Static<typeof RulingSaid>;

export const Finding = Type.Object({
  time: Time,
  kind: Type.String(),
  severity: Type.String(),
  state: Type.Enum([...FINDING_STATES]),
  node: Type.String(),
  connection_id: Type.String(),
  title: Type.String(),
  evidence: Type.Record(Type.String(), Type.Unknown()),
  id: Type.String(),
  reason: Type.String({ description: "of the ruling that holds, or reopened it; empty without" }),
  ruled_by: Type.String(),
  ruled_until: MaybeTime,
  proposal: Type.Union([Type.Null(), RulingSaid], {
    description:
      "what an owner of a node that it is about proposed, and a second person must confirm",
  }),
  journal_index: Type.Integer({ description: "of the record that changed it last" }),
});
export type Finding = Static<typeof Finding>;

export const FindingInFull = Type.Interface([Finding], {
  rulings: Type.Array(RulingSaid, { description: "what people decided about it, oldest first" }),
});
export type FindingInFull = Static<typeof FindingInFull>;

/** As it stands in a description of the API. */
const ID_DESCRIPTION = `${ID_DIGITS} hex digits, or the first ${ID_PREFIX_DIGITS_MIN} and more of them where no other id begins so`;

const Id = Type.Object({ id: Type.String({ description: ID_DESCRIPTION }) });
const RulingRequest = Type.Object(
  {
    reason: Type.String({
      minLength: 1,
      maxLength: REASON_CHARS_MAX,
      pattern: "\\S",
      description: "why; it is journaled with the ruling",
    }),
    expires_at: Type.Optional(
      Type.String({
        maxLength: 40,
        description:
          "ISO 8601, at most 90 days away, when it opens again. Without it an excuse ends after 90 days, an acknowledgement never; reopening takes none",
      }),
    ),
  },
  exact,
);

export const FINDING_ROUTES = {
  "GET /findings/{id}/evidence": {
    summary: "A finding with everything signed that it rests on, as one text file",
    media: "text/plain",
    params: Id,
    answer: Type.String({ description: "docs/evidence.md" }),
  },
  "GET /findings": {
    summary: "Findings, newest first",
    query: FindingQuery,
    answer: pageSchema(Finding),
  },
  "GET /findings/{id}": {
    summary: "One finding with its evidence, and what people decided about it",
    params: Id,
    answer: FindingInFull,
  },
  "POST /findings/{id}/excuse": {
    summary: "The mismatch has a harmless reason: its connection is shown as excused",
    params: Id,
    body: RulingRequest,
    answer: Finding,
  },
  "POST /findings/{id}/acknowledge": {
    summary: "The finding is known and accepted, an opt-out say",
    params: Id,
    body: RulingRequest,
    answer: Finding,
  },
  "POST /findings/{id}/reopen": {
    summary: "Takes an excuse or acknowledgement back",
    params: Id,
    body: RulingRequest,
    answer: Finding,
  },
  "POST /findings/{id}/confirm": {
    summary: "A second person confirms what the owner of a node proposed about a finding of it",
    params: Id,
    answer: Finding,
  },
} as const satisfies RouteTable;
