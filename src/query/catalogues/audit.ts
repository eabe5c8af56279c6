/** What can be asked of the audit: who did what to which properties, from where, and how it ended. */
import { ACTOR_TYPES, ORIGINS, OUTCOMES } from "../../format/entry.ts";
import { type Catalogue, fieldsOf, type Row } from "../catalogue.ts";

export const AUDIT: Catalogue = {
  rows: "audit entries",
  fields: fieldsOf({
    time: { type: "time", summary: "when it was done or tried" },
    actor: { type: "name", summary: "who did it, by the name of then" },
    actor_type: { type: "choice", values: ACTOR_TYPES, summary: "what did it" },
    actor_id: { type: "name", summary: "id of the user, token or node" },
    address: { type: "address", summary: "where it was asked from" },
    origin: { type: "choice", values: ORIGINS, summary: "by which way it was asked for" },
    action: { type: "name", summary: "what was done: node.revoke, enrolment_key.create …" },
    target: { type: "name", summary: "name of what it was done to" },
    target_type: { type: "name", summary: "what that is: node, user, finding, setting …" },
    target_id: { type: "name", summary: "its id" },
    property: {
      type: "name",
      isMany: true,
      summary: "a property that it changed; one of them must fit",
      sql: "arrayMap(change -> JSONExtractString(change, 'property'), JSONExtractArrayRaw(changes))",
      read: ({ changes }) => propertiesOf(changes),
    },
    outcome: { type: "choice", values: OUTCOMES, summary: "done, refused or failed" },
    code: { type: "name", summary: "why it was refused or failed" },
    operation: { type: "name", summary: "id that the entries of one operation share" },
    id: { type: "name", summary: "its id; the beginning and a star will do" },
    text: {
      type: "text",
      summary: "old and new values and what else was said, as JSON",
      sql: "concat(changes, ' ', facts)",
      read: ({ changes, facts }) => `${jsonOf(changes)} ${jsonOf(facts)}`,
    },
  }),
  groups: new Map(),
  bare: { text: ["actor", "action", "target", "address"], address: ["address"] },
};

/** A column of the store is a text, what the API answers an object. */
function jsonOf(value: Row[string]): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function propertiesOf(changes: unknown): string[] {
  const list: unknown = typeof changes === "string" ? JSON.parse(changes) : changes;
  if (!Array.isArray(list)) return [];
  return list.map((change: { readonly property?: unknown }) => String(change.property));
}
