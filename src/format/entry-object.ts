/**
 * Checks for the entries that carry one object. A table of fields per kind: what is not in the
 * table is refused, so that two readers never understand the same line differently.
 */
import type { Entry, EntryKind } from "./entry.ts";
import { ACTOR_TYPES, GAP_CAUSES, ORIGINS, OUTCOMES, RULINGS, SEVERITIES } from "./entry.ts";
import { parseBase64url } from "./base64url.ts";
import { isNodeName } from "./enrolment.ts";
import { badEntry, isCanonicalAddress, isTimeMs, show } from "./entry-value.ts";
import { PUBLIC_KEY_BYTES } from "./identity.ts";
import {
  ADDRESSES_MAX,
  ATTRIBUTE_NAME_CHARS_MAX,
  AUDIT_TEXT_CHARS_MAX,
  BODY_CHARS_MAX,
  CHANGED_CHARS_MAX,
  CHANGES_MAX,
  EVIDENCE_DEPTH_MAX,
  REASON_CHARS_MAX,
  RULING_ACTOR_CHARS_MAX,
  INTERFACE_NAME_CHARS_MAX,
  INTERFACES_MAX,
  PEER_ADDRESSES_MAX,
  PEERS_MAX,
} from "./limits.ts";
import { isNetworkName } from "./network-name.ts";

type Check = (value: unknown) => boolean;
type ObjectKind = Exclude<EntryKind, "open" | "update" | "close" | "account">;

const text =
  (max: number): Check =>
  (value) =>
    typeof value === "string" && value.length <= max;
const words =
  (max: number): Check =>
  (value) =>
    text(max)(value) && value !== "";
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
const empty: Check = (value) => value === "";
const either =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isScalar: Check = (value) => ["string", "number", "boolean"].includes(typeof value);
const attributes: Check = (value) =>
  isObject(value) &&
  Object.entries(value).every(([name, one]) => isAttributeName(name) && isScalar(one));
const seqRange: Check = (value) =>
  Array.isArray(value) && value.length === 2 && value.every(natural) && value[0] <= value[1];
const addressLists: Check = (value) =>
  isObject(value) &&
  Object.entries(value).every(([network, list]) => isNetworkName(network) && isAddressList(list));
const isBoolean: Check = (value) => typeof value === "boolean";
const listOf =
  (check: Check, max: number): Check =>
  (value) =>
    Array.isArray(value) && value.length <= max && value.every(check);
/** An object with exactly these members. */
const members =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) &&
    Object.keys(value).length === Object.keys(checks).length &&
    Object.entries(checks).every(
      ([name, check]) => Object.hasOwn(value, name) && check(value[name]),
    );
const interfaceName: Check = (value) => value !== "" && text(INTERFACE_NAME_CHARS_MAX)(value);
const interfaceTotals = members({
  index: natural,
  name: interfaceName,
  claimed: isBoolean,
  receivedBytes: natural,
  sentBytes: natural,
  receivedPackets: natural,
  sentPackets: natural,
});
const peerTotals = members({
  interface: interfaceName,
  publicKey: (value) =>
    typeof value === "string" && /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(value),
  addresses: listOf(
    (one) => typeof one === "string" && isCanonicalAddress(one),
    PEER_ADDRESSES_MAX,
  ),
  receivedBytes: natural,
  sentBytes: natural,
});
const auditText = text(AUDIT_TEXT_CHARS_MAX);
const auditWords = words(AUDIT_TEXT_CHARS_MAX);
/** Whether a property's value can stand in an audit entry as it is. */
export const isChangedValue: Check = (value) =>
  value !== undefined &&
  isShallow(value, EVIDENCE_DEPTH_MAX) &&
  JSON.stringify(value).length <= CHANGED_CHARS_MAX;
const evidence: Check = (value) => isObject(value) && isShallow(value, EVIDENCE_DEPTH_MAX);

const CHECKS = {
  gap: {
    cause: oneOf(GAP_CAUSES),
    count: either((value) => value === null, natural),
    fromMs: isTimeMs,
    toMs: isTimeMs,
    seqs: either((value) => value === undefined, seqRange),
  },
  log: {
    severity: (value) => natural(value) && (value as number) >= 1 && (value as number) <= 24,
    body: text(BODY_CHARS_MAX),
    attributes,
  },
  addresses: { networks: addressLists },
  start: { facts: attributes },
  stop: { reason: text(256) },
  degraded: { events: oneOf(["all", "ends", "none"]), reason: text(256) },
  totals: {
    interfaces: listOf(interfaceTotals, INTERFACES_MAX),
    peers: either((value) => value === undefined, listOf(peerTotals, PEERS_MAX)),
  },
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
    name: (value) => typeof value === "string" && isNodeName(value),
    publicKey: (value) =>
      typeof value === "string" && parseBase64url(value, PUBLIC_KEY_BYTES) !== undefined,
    enrolmentKey: text(64),
  },
  revoked: { node: hex(16), epoch: natural, lastBatch: naturalOrNone },
  finding: {
    id: hex(16),
    finding: text(64),
    severity: oneOf(SEVERITIES),
    state: oneOf(["open", "resolved"]),
    node: either(empty, hex(16)),
    connection: either(empty, hex(16)),
    title: text(512),
    evidence,
  },
  ruling: {
    finding: hex(16),
    ruling: oneOf(RULINGS),
    reason: words(REASON_CHARS_MAX),
    actor: words(RULING_ACTOR_CHARS_MAX),
    expiresAtMs: either((value) => value === undefined, isTimeMs),
  },
  audit: {
    id: hex(16),
    group: hex(16),
    actor: members({ type: oneOf(ACTOR_TYPES), id: auditText, name: auditText }),
    address: either(empty, (value) => typeof value === "string" && isCanonicalAddress(value)),
    origin: oneOf(ORIGINS),
    action: words(64),
    read: isBoolean,
    target: members({ type: text(64), id: auditText, name: auditText }),
    changes: listOf(
      members({ property: auditWords, old: isChangedValue, new: isChangedValue }),
      CHANGES_MAX,
    ),
    outcome: oneOf(OUTCOMES),
    code: text(64),
    facts: attributes,
  },
} satisfies Record<ObjectKind, Readonly<Record<string, Check>>>;

/** The kinds that only the server's own stream may contain. */
export const SERVER_KINDS: ReadonlySet<EntryKind> = new Set([
  "tick",
  "enrolled",
  "revoked",
  "finding",
  "ruling",
  "audit",
]);

/** An entry from a parsed line of three values. Throws `bad_entry`. */
export function checkObjectEntry(kind: unknown, atMs: number, values: readonly unknown[]): Entry {
  if (typeof kind !== "string" || !Object.hasOwn(CHECKS, kind)) {
    throw badEntry(`unknown kind ${show(kind)}`);
  }
  const body = values[2];
  if (values.length !== 3 || !isObject(body)) {
    throw badEntry(`${kind}: expected [kind, time, object]`);
  }
  const checks: Readonly<Record<string, Check>> = CHECKS[kind as ObjectKind];
  for (const field of Object.keys(body)) {
    if (!Object.hasOwn(checks, field)) throw badEntry(`${kind}: unknown field ${show(field)}`);
  }
  for (const [field, check] of Object.entries(checks)) {
    // An own field, or what every object inherits would stand in for one that is missing.
    const value = Object.hasOwn(body, field) ? body[field] : undefined;
    if (!check(value)) throw badEntry(`${kind}.${field}: ${show(value)} is not allowed`);
  }
  return { kind, atMs, ...body } as Entry;
}

/**
 * No leading digit, or a reader whose maps sort indices first would write the members in another
 * order; and not the one name that some readers' objects treat as no member at all.
 */
function isAttributeName(name: string): boolean {
  return name.length <= ATTRIBUTE_NAME_CHARS_MAX && /^[^0-9]/.test(name) && name !== "__proto__";
}

function isAddressList(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length <= ADDRESSES_MAX &&
    value.every((one) => typeof one === "string" && isCanonicalAddress(one))
  );
}

/** True when nothing is nested deeper than `levels`, and no member is called `__proto__`. */
function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0 || Object.hasOwn(value, "__proto__")) return false;
  return Object.values(value).every((inner) => isShallow(inner, levels - 1));
}
