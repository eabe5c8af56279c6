/** The audit: what can be asked, and an entry. */
import { type Static, Type } from "typebox";
import { ACTOR_TYPES, ORIGINS, OUTCOMES } from "../format/entry.ts";
import { listFields, pageSchema } from "./list.ts";
import type { RouteTable } from "./route.ts";
import { exact, Time } from "./schema.ts";

const TEXT_CHARS_MAX = 256;

const text = (description: string) =>
  Type.Optional(Type.String({ maxLength: TEXT_CHARS_MAX, description }));

const { since, until, where, cursor, follow, limit } = listFields;

const filters = {
  since,
  until,
  where,
  actor: text("name or id of who did it"),
  action: text("`node.revoke`; with a dot at its end all that begin so"),
  target: text("name or id of what it was done to"),
  property: text("one of the properties that it changed"),
  origin: Type.Optional(Type.Array(Type.Enum([...ORIGINS]), { maxItems: ORIGINS.length })),
  outcome: Type.Optional(Type.Array(Type.Enum([...OUTCOMES]), { maxItems: OUTCOMES.length })),
  reads: Type.Optional(
    Type.Enum(["true", "false"], {
      description:
        "also who read what: everybody's for owners and auditors, for the others their own. Default false",
    }),
  ),
};

export const AuditQuery = Type.Object({ ...filters, cursor, follow, limit }, exact);

export const AuditExportQuery = Type.Object(
  {
    ...filters,
    format: Type.Enum(["csv", "ndjson"], {
      description:
        "csv: RFC 4180 with a header line; a cell that a spreadsheet would take for a formula begins with '",
    }),
  },
  exact,
);

export const AuditItem = Type.Object({
  time: Time,
  id: Type.String(),
  operation: Type.String({ description: "the same for all entries of one operation" }),
  actor_type: Type.Enum([...ACTOR_TYPES]),
  actor_id: Type.String(),
  actor: Type.String({ description: "the name of then" }),
  address: Type.String({ description: "empty where there is none" }),
  origin: Type.Enum([...ORIGINS]),
  action: Type.String(),
  read: Type.Boolean({ description: "content was read, and nothing changed" }),
  target_type: Type.String(),
  target_id: Type.String(),
  target: Type.String({ description: "its name of then" }),
  outcome: Type.Enum([...OUTCOMES]),
  code: Type.String({ description: "of the error; empty when it is done" }),
  changes: Type.Array(
    Type.Object({ property: Type.String(), old: Type.Unknown(), new: Type.Unknown() }),
    { description: "null: it was, or is, not there" },
  ),
  facts: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
    description: "what else is to be known: the query of a read, how many rows it gave",
  }),
  place: Type.String({ description: "orders entries as they were journaled" }),
  journal_index: Type.Integer(),
});
export type AuditItem = Static<typeof AuditItem>;

export const AUDIT_ROUTES = {
  "GET /audit": {
    summary: "Who changed, or tried to change, what; newest first",
    query: AuditQuery,
    answer: pageSchema(AuditItem),
  },
  "GET /audit/export": {
    summary: "The same without a limit of rows, as CSV or a JSON object a line",
    media: "text/csv",
    query: AuditExportQuery,
    answer: Type.String(),
  },
} as const satisfies RouteTable;
