/** Audit entries as people read them: a line that says who did what, and below it what is different now. */
import type { AuditItem } from "../api/audit.ts";
import type { Paint } from "../std/colour.ts";
import { printable, truncated } from "../std/printable.ts";
import { humanTime } from "./human.ts";

export type AuditChange = AuditItem["changes"][number];

/** Columns of one value: what is longer is a policy or a query, and `--json` has all of it. */
const VALUE_COLUMNS_MAX = 120;
/** Lists up to this are shown whole, longer ones by what came and went. */
const LIST_COLUMNS_MAX = 60;

/** Entries that stand together and are of one operation, each in the order of what was done. */
export function operationsOf<Item extends Pick<AuditItem, "operation" | "place">>(
  items: readonly Item[],
): Item[][] {
  const operations: Item[][] = [];
  for (const item of items) {
    const last = operations.at(-1);
    if (last?.[0]?.operation === item.operation) last.push(item);
    else operations.push([item]);
  }
  return operations.map((entries) => entries.toSorted((a, b) => (a.place < b.place ? -1 : 1)));
}

/** The lines of one operation. */
export function operationLines(entries: readonly AuditItem[], paint: Paint): string[] {
  return entries.flatMap((entry, at) => {
    const { time } = entry;
    const said = [entry.action, targetText(entry), outcomeText(entry, paint)];
    const head = at === 0 ? [humanTime(time), whoText(entry), ...said] : ["  and", ...said];
    const line = head.filter((part) => part !== "").join("  ");
    return [line, ...detailLines(entry).map((detail) => `    ${detail}`)];
  });
}

function whoText({ actor_type: type, actor, actor_id: id, address, origin }: AuditItem): string {
  const name = actor === "" ? id : actor;
  const who = type === "user" || type === "system" ? name : `${type} ${name}`.trim();
  const from = [address, origin].filter((part) => part !== "").join(", ");
  return printable(`${who} (${from})`);
}

function targetText({ target_type: type, target, target_id: id }: AuditItem): string {
  return printable(`${type} ${target === "" ? id : target}`.trim());
}

function outcomeText({ outcome, code }: AuditItem, paint: Paint): string {
  const text = printable(code === "" ? outcome : `${outcome}: ${code}`);
  return outcome === "done" ? text : paint("red", text);
}

function detailLines({ changes, facts }: AuditItem): string[] {
  const said = Object.entries(facts).filter(([, value]) => value !== "");
  const more = said.map(([name, value]) => `${name} ${String(value)}`).join(", ");
  const last = more === "" ? [] : [truncated(printable(more), VALUE_COLUMNS_MAX)];
  return [...changes.flatMap(changeLines), ...last];
}

/** `tags: [db] → [db, berlin]`; of a long list what came and what went. */
export function changeLines({ property, old, new: now }: AuditChange): string[] {
  const name = printable(property);
  if (isList(old) && isList(now) && isLong(old, now)) {
    const came = now.filter((item) => !has(old, item)).map((item) => `  + ${valueText(item)}`);
    const went = old.filter((item) => !has(now, item)).map((item) => `  − ${valueText(item)}`);
    const order = came.length + went.length === 0 ? ["  in another order"] : [];
    return [`${name}: ${old.length} → ${now.length} items`, ...went, ...came, ...order];
  }
  return [`${name}: ${valueText(old)} → ${valueText(now)}`];
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isLong(...lists: readonly (readonly unknown[])[]): boolean {
  return lists.some((list) => listText(list).length > LIST_COLUMNS_MAX);
}

function has(list: readonly unknown[], wanted: unknown): boolean {
  const json = JSON.stringify(wanted);
  return list.some((item) => JSON.stringify(item) === json);
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return "none";
  const text = isList(value) ? listText(value) : wordText(value, ODD_ALONE);
  return truncated(printable(text), VALUE_COLUMNS_MAX);
}

function listText(list: readonly unknown[]): string {
  return `[${list.map((item) => wordText(item, ODD_IN_LIST)).join(", ")}]`;
}

/** Texts that could be taken for something else: they stand in quotes. */
const ODD_ALONE = /^$|^\s|\s$|^none$|^["[{]|→/;
const ODD_IN_LIST = /^$|^\s|\s$|[,[\]"→]/;

function wordText(value: unknown, odd: RegExp): string {
  if (typeof value !== "string") return JSON.stringify(value) ?? "none";
  return odd.test(value) ? JSON.stringify(value) : value;
}
