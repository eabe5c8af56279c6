/** Findings: what can be asked, one of them, and what people decide about it. */
import { Type } from "typebox";
import { FINDING_STATES } from "../format/finding-state.ts";
import { FINDING_KINDS } from "./finding-kinds.ts";
import { listFields } from "./list.ts";
import { MaybeTime, Time, exact } from "./schema.ts";

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

export const FindingInFull = Type.Interface([Finding], {
  rulings: Type.Array(RulingSaid, { description: "what people decided about it, oldest first" }),
});
