/**
 * Checks for the entries that carry one object. A table of fields per kind: what is not in the
 * table is refused, so that two readers never understand the same line differently.
 */
import type { Entry, EntryKind } from "./entry.ts";
import { GAP_CAUSES, SEVERITIES } from "./entry.ts";
import { FormatError } from "./format-error.ts";
import { canonicalAddress } from "./address.ts";
import { ADDRESSES_MAX, NAME_CHARS_MAX } from "./limits.ts";

type Check = (value: unknown) => boolean;
type ObjectKind = Exclude<EntryKind, "open" | "update" | "close" | "account">;

const text =
  (max: number): Check =>
  (value) =>
    typeof value === "string" && value.length <= max;
const natural: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const naturalOrNone: Check = (value) => value === -1 || natural(value);
const oneOf =
  (values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);
const hex = (bytes: number): Check => {
  const pattern = new RegExp(`^[0-9a-f]{${bytes * 2}}$`);
  return (value) => typeof value === "string" && pattern.test(value);
};
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const scalars: Check = (value) =>
  isObject(value) &&
  Object.values(value).every((one) => ["string", "number", "boolean"].includes(typeof one));
const seqRange: Check = (value) =>
  Array.isArray(value) && value.length === 2 && value.every(natural) && value[0] <= value[1];
const addressLists: Check = (value) =>
  isObject(value) &&
  Object.entries(value).every(([network, list]) => isName(network) && isAddressList(list));

const CHECKS = {
  gap: {
    cause: oneOf(GAP_CAUSES),
    count: (value) => value === null || natural(value),
    fromMs: natural,
    toMs: natural,
    seqs: optional(seqRange),
  },
  log: {
    severity: (value) => natural(value) && (value as number) >= 1 && (value as number) <= 24,
    body: text(60_000),
    attributes: scalars,
  },
  addresses: { networks: addressLists },
  start: { facts: scalars },
  stop: { reason: text(256) },
  degraded: { events: oneOf(["all", "ends", "none"]), reason: text(256) },
  rollback: {
    cause: oneOf(["state", "clone", "server"]),
    oldEpoch: naturalOrNone,
    oldBatch: naturalOrNone,
    oldHead: hex(32),
    machineId: text(64),
    bootId: text(64),
  },
  opt_out: { origin: text(64) },
  resume: {},
  tick: {},
  enrolled: {
    node: hex(16),
    name: text(NAME_CHARS_MAX),
    publicKey: text(64),
    enrolmentKey: text(64),
  },
  revoked: { node: hex(16), epoch: natural, lastBatch: natural },
  finding: {
    id: hex(16),
    finding: text(64),
    severity: oneOf(SEVERITIES),
    state: oneOf(["open", "resolved"]),
    node: text(32),
    connection: text(32),
    title: text(512),
    evidence: isObject,
  },
} satisfies Record<ObjectKind, Readonly<Record<string, Check>>>;

/** The kinds that only the server's own stream may contain. */
export const SERVER_KINDS: ReadonlySet<EntryKind> = new Set([
  "tick",
  "enrolled",
  "revoked",
  "finding",
]);

/** An entry from a parsed line of three values. Throws `bad_entry`. */
export function checkObjectEntry(kind: unknown, atMs: number, values: readonly unknown[]): Entry {
  if (typeof kind !== "string" || !Object.hasOwn(CHECKS, kind)) {
    throw new FormatError("bad_entry", `unknown kind ${JSON.stringify(kind)?.slice(0, 40)}`);
  }
  const body = values[2];
  if (values.length !== 3 || !isObject(body)) {
    throw new FormatError("bad_entry", `${kind}: expected [kind, time, object]`);
  }
  const checks: Readonly<Record<string, Check>> = CHECKS[kind as ObjectKind];
  for (const field of Object.keys(body)) {
    if (!Object.hasOwn(checks, field))
      throw new FormatError(
        "bad_entry",
        `${kind}: unknown field ${JSON.stringify(field.slice(0, 40))}`,
      );
  }
  for (const [field, check] of Object.entries(checks)) {
    if (!check(body[field])) {
      throw new FormatError(
        "bad_entry",
        `${kind}.${field}: ${JSON.stringify(body[field])?.slice(0, 40) ?? "missing"} is not allowed`,
      );
    }
  }
  return { kind, atMs, ...body } as Entry;
}

function isName(value: string): boolean {
  return value.length > 0 && value.length <= NAME_CHARS_MAX;
}

function isAddressList(value: unknown): boolean {
  return Array.isArray(value) && value.length <= ADDRESSES_MAX && value.every(isCanonical);
}

function isCanonical(value: unknown): boolean {
  try {
    return typeof value === "string" && canonicalAddress(value) === value;
  } catch {
    return false;
  }
}
