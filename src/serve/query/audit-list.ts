/** Listing the audit: its columns, what it can be filtered by, and whose reads somebody may see. */
import type { Actor } from "../../format/entry.ts";
import { AUDIT } from "../../query/catalogues/audit.ts";
import { mayPrincipal, type Principal } from "../access/principal.ts";
import type { Condition, Listing } from "./list-statement.ts";
import type { Row } from "./store-reader.ts";

/** What an entry says; the other columns say where it stands. */
const ENTRY_COLUMNS = [
  "time",
  "id",
  "operation",
  "actor_type",
  "actor_id",
  "actor",
  "address",
  "origin",
  "action",
  "is_read",
  "target_type",
  "target_id",
  "target",
  "outcome",
  "code",
  "changes",
  "facts",
] as const;

/** The same by the names of the API's items. */
export const AUDIT_ITEM_NAMES: readonly string[] = ENTRY_COLUMNS.map((name) =>
  name === "is_read" ? "read" : name,
);

export const AUDIT_LISTING: Listing = {
  view: "audit",
  catalogue: AUDIT,
  columns: [...ENTRY_COLUMNS, "place", "journal_index"],
  timeColumn: "time",
  idColumn: "place",
  indexColumn: "journal_index",
  // An entry carries the index of its record.
  lastIndex: (committed) => committed - 1,
};

export interface AuditFilters {
  readonly actor?: string;
  readonly action?: string;
  readonly target?: string;
  readonly property?: string;
  readonly origin?: readonly string[];
  readonly outcome?: readonly string[];
  readonly reads?: boolean;
}

/** `ownTokens`: ids of the tokens whose reads somebody who is signed in sees as their own. */
export function auditConditions(
  filters: AuditFilters,
  principal: Principal,
  ownTokens: readonly string[],
): Condition[] {
  const { actor, action, target, property, origin, outcome, reads = false } = filters;
  return [
    reads ? visibleReads(principal, ownTokens) : { sql: "is_read = 0", params: {} },
    ...where(actor, "actor = {actor:String} OR actor_id = {actor:String}", "actor"),
    ...where(action, actionSql(action), "action"),
    ...where(target, "target = {target:String} OR target_id = {target:String}", "target"),
    ...where(property, PROPERTY, "property"),
    ...oneOf("origin", origin),
    ...oneOf("outcome", outcome),
  ];
}

const PROPERTY =
  "arrayExists(change -> JSONExtractString(change, 'property') = {property:String}, JSONExtractArrayRaw(changes))";

/**
 * What others looked at is for few; what one looked at oneself, for everybody. By id: names can be chosen.
 * A token sees what it read itself, and nothing of the person that it is of.
 */
function visibleReads(principal: Principal, ownTokens: readonly string[]): Condition {
  if (mayPrincipal(principal, "reads.read")) return { sql: "1", params: {} };
  const { type, id }: Actor = principal.who.actor;
  const own = "actor_type = {own_type:String} AND actor_id = {own_id:String} AND actor_id != ''";
  return {
    sql: `is_read = 0 OR (${own}) OR (actor_type = 'token' AND actor_id IN {own_tokens:Array(String)})`,
    params: { own_type: type, own_id: id, own_tokens: ownTokens },
  };
}

/** `node.` asks for all that begins so. */
function actionSql(action = ""): string {
  return action.endsWith(".") ? "startsWith(action, {action:String})" : "action = {action:String}";
}

function where(value: string | undefined, sql: string, name: string): Condition[] {
  return value === undefined ? [] : [{ sql, params: { [name]: value } }];
}

function oneOf(
  column: "origin" | "outcome",
  values: readonly string[] | undefined,
): readonly Condition[] {
  if (values === undefined || values.length === 0) return [];
  return [{ sql: `${column} IN {${column}:Array(String)}`, params: { [column]: values } }];
}

/** As the API answers it: what is JSON in the store is JSON here too. */
export function auditItem({ is_read: isRead, changes, facts, ...row }: Row): Row {
  return {
    ...row,
    read: isRead === 1,
    changes: JSON.parse(String(changes)) as unknown,
    facts: JSON.parse(String(facts)) as unknown,
  };
}
