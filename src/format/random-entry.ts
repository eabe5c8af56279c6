/**
 * Entries of every kind with every optional part, by seed: for property tests and chaos runs.
 * Values lie at the bounds more often than chance would put them there.
 */
import type { SeededRandom } from "../std/seeded-random.ts";
import { formatAddress } from "./address.ts";
import type { Amendment, Entry, EntryKind } from "./entry.ts";
import {
  ACTOR_TYPES,
  CONNECTION_STATES,
  GAP_CAUSES,
  ORIGINS,
  OUTCOMES,
  RULINGS,
  SEVERITIES,
} from "./entry.ts";
import { TIME_MS_END } from "./limits.ts";

/** Where the entry will stand. */
export interface Place {
  readonly seq: number;
  /** Times are drawn around here. */
  readonly aroundMs: number;
}

/** An entry that `encodeLine` takes and `decodeLine` gives back; of any kind, or of `kind`. */
export function randomEntry(random: SeededRandom, place: Place, kind?: EntryKind): Entry {
  const atMs = place.aroundMs + random.integer(-2_000, 10_000);
  const kinds = place.seq === 0 ? KINDS.filter((one) => !AMENDING.has(one)) : KINDS;
  return makers[kind ?? random.pick(kinds)](random, atMs, place.seq);
}

/** As many entries as asked for, numbered from `seqFirst`. */
export function randomEntries(
  random: SeededRandom,
  range: { readonly count: number; readonly seqFirst?: number },
): Entry[] {
  const { seqFirst = 0 } = range;
  return Array.from({ length: range.count }, (_, index) =>
    randomEntry(random, { seq: seqFirst + index, aroundMs: 1_800_000_000_000 + index }),
  );
}

type Maker = (random: SeededRandom, atMs: number, seq: number) => Entry;

const makers = {
  open: (random, atMs) => ({
    kind: "open",
    atMs,
    role: random.pick(["initiator", "responder", "forwarder"]),
    tuple: {
      protocol: random.pick([0, 6, 17, 255]),
      initiatorIp: address(random),
      initiatorPort: port(random),
      responderIp: address(random),
      responderPort: port(random),
    },
    pickup: random.chance(0.2),
    ...(random.chance(0.3) && {
      reply: {
        sourceIp: address(random),
        sourcePort: port(random),
        destinationIp: address(random),
        destinationPort: port(random),
      },
    }),
    ...(random.chance(0.3) && { network: networkName(random) }),
  }),
  update: (random, atMs, seq) => ({ kind: "update", ...amendment(random, atMs, seq) }),
  close: (random, atMs, seq) => ({
    kind: "close",
    ...amendment(random, atMs, seq),
    inferred: random.chance(),
  }),
  account: (random, atMs, seq) => ({ kind: "account", ...amendment(random, atMs, seq) }),
  gap: (random, atMs) => ({
    kind: "gap",
    atMs,
    cause: random.pick(GAP_CAUSES),
    count: random.chance() ? null : count(random),
    fromMs: Math.max(0, atMs - random.integer(0, 9_999)),
    toMs: atMs,
    ...(random.chance() && { seqs: [3, random.integer(3, 99)] as const }),
  }),
  log: (random, atMs) => ({
    kind: "log",
    atMs,
    severity: random.integer(1, 24),
    body: text(random, 80),
    attributes: attributes(random),
  }),
  addresses: (random, atMs) => ({ kind: "addresses", atMs, networks: networks(random) }),
  start: (random, atMs) => ({ kind: "start", atMs, facts: attributes(random) }),
  stop: (random, atMs) => ({ kind: "stop", atMs, reason: text(random, 40) }),
  degraded: (random, atMs) => ({
    kind: "degraded",
    atMs,
    events: random.pick(["all", "ends", "none"]),
    reason: text(random, 40),
  }),
  totals: (random, atMs) => ({
    kind: "totals",
    atMs,
    interfaces: Array.from({ length: random.integer(0, 3) }, () => ({
      index: random.integer(0, 99),
      name: random.pick(["eth0", "constructor", "7", "a:b"]),
      claimed: random.chance(),
      receivedBytes: count(random),
      sentBytes: count(random),
      receivedPackets: count(random),
      sentPackets: count(random),
    })),
    ...(random.chance() && {
      peers: Array.from({ length: random.integer(0, 3) }, () => ({
        interface: "wg0",
        publicKey: random.bytes(32).toString("base64"),
        addresses: Array.from({ length: random.integer(0, 2) }, () => address(random)),
        receivedBytes: count(random),
        sentBytes: count(random),
      })),
    }),
  }),
  rollback: (random, atMs) => ({
    kind: "rollback",
    atMs,
    cause: random.pick(["state", "clone", "server"]),
    oldEpoch: random.integer(-1, 3),
    oldBatch: random.integer(-1, 99),
    oldHead: random.bytes(32).toString("hex"),
    machineId: random.bytes(16).toString("hex"),
    bootId: text(random, 36),
  }),
  opt_out: (random, atMs) => ({ kind: "opt_out", atMs, origin: random.pick(["flag", ""]) }),
  resume: (_, atMs) => ({ kind: "resume", atMs }),
  tick: (_, atMs) => ({ kind: "tick", atMs }),
  enrolled: (random, atMs) => ({
    kind: "enrolled",
    atMs,
    node: random.bytes(16).toString("hex"),
    name: networkName(random),
    publicKey: random.bytes(32).toString("base64url"),
    enrolmentKey: random.bytes(6).toString("base64url"),
  }),
  revoked: (random, atMs) => ({
    kind: "revoked",
    atMs,
    node: random.bytes(16).toString("hex"),
    epoch: random.integer(0, 3),
    lastBatch: random.integer(-1, 99),
  }),
  finding: (random, atMs) => ({
    kind: "finding",
    atMs,
    id: random.bytes(16).toString("hex"),
    finding: "missing-half",
    severity: random.pick(SEVERITIES),
    state: random.pick(["open", "resolved"]),
    node: random.chance() ? "" : random.bytes(16).toString("hex"),
    connection: random.chance() ? "" : random.bytes(16).toString("hex"),
    title: text(random, 60),
    evidence: { ...attributes(random), nested: [{ deep: [null, attributes(random)] }] },
  }),
  audit: (random, atMs) => ({
    kind: "audit",
    atMs,
    id: random.bytes(16).toString("hex"),
    group: random.bytes(16).toString("hex"),
    actor: { type: random.pick(ACTOR_TYPES), id: text(random, 8), name: text(random, 20) },
    address: random.pick(["", address(random)]),
    origin: random.pick(ORIGINS),
    action: random.pick(["node.revoke", "sql.read"]),
    read: random.chance(),
    target: { type: random.pick(["node", ""]), id: text(random, 8), name: text(random, 20) },
    changes: Array.from({ length: random.integer(0, 3) }, () => ({
      property: random.pick(["name", "constructor", "7"]),
      old: random.pick([null, text(random, 9), 0, false, ["a"]]),
      new: random.pick([null, { tags: [text(random, 9)] }, -1.5, true, []]),
    })),
    outcome: random.pick(OUTCOMES),
    code: random.pick(["", "forbidden"]),
    facts: attributes(random),
  }),
  ruling: (random, atMs) => ({
    kind: "ruling",
    atMs,
    finding: random.bytes(16).toString("hex"),
    ruling: random.pick(RULINGS),
    reason: `because ${text(random, 60)}`,
    actor: "admin",
    ...(random.chance() && { expiresAtMs: random.pick([0, atMs, TIME_MS_END - 1]) }),
  }),
} satisfies Record<EntryKind, Maker>;

const KINDS = Object.keys(makers) as EntryKind[];
const AMENDING: ReadonlySet<EntryKind> = new Set(["update", "close", "account"]);

function amendment(random: SeededRandom, atMs: number, seq: number): Amendment {
  return {
    atMs,
    openSeq: random.chance(0.1) ? 0 : random.integer(0, seq - 1),
    ageMs: random.chance(0.1) ? atMs : Math.min(atMs, random.integer(0, 3_600_000)),
    state: random.pick(CONNECTION_STATES),
    assured: random.chance(),
    ...(random.chance(0.8) && {
      counters: {
        initiatorPackets: count(random),
        initiatorBytes: count(random),
        responderPackets: count(random),
        responderBytes: count(random),
      },
      ...(random.chance() && {
        payload: { initiatorBytes: count(random), responderBytes: count(random) },
      }),
    }),
  };
}

function count(random: SeededRandom): number {
  return random.pick([
    0,
    1,
    random.integer(0, 1_000_000),
    Number.MAX_SAFE_INTEGER - random.integer(0, 1),
  ]);
}

function port(random: SeededRandom): number {
  return random.pick([0, 443, 65_535, random.integer(0, 65_535)]);
}

/** Canonical text; IPv6 with runs of zeros in all places. */
function address(random: SeededRandom): string {
  if (random.chance()) return [...random.bytes(4)].join(".");
  const bytes = random.bytes(16);
  for (let at = 0; at < 16; at += 2) {
    if (random.chance(0.4)) bytes.fill(0, at, at + 2);
    else if (random.chance(0.3)) bytes[at] = 0;
  }
  return formatAddress(bytes);
}

function networkName(random: SeededRandom): string {
  return random.pick(["a", "office", "Lab_2.eu-west", `n${"9".repeat(62)}`]);
}

function networks(random: SeededRandom): Record<string, string[]> {
  const names = random.shuffled(["default", "constructor", "office"]);
  const chosen = names.slice(0, random.integer(0, 3));
  return Object.fromEntries(
    chosen.map((name) => [
      name,
      Array.from({ length: random.integer(0, 4) }, () => address(random)),
    ]),
  );
}

const PIECES = [
  "plain ",
  '"quoted"',
  "\\",
  "\\ud800",
  "\n",
  "\r\n",
  "\u0000",
  "\u001f",
  "\u007f",
  "\u2028\u2029",
  "\ufeff",
  "</script>",
  "é",
  "e\u0301",
  "𝄞",
  "👩‍🚒",
];

function text(random: SeededRandom, charsMax: number): string {
  let out = "";
  while (random.chance(0.8)) out += random.pick(PIECES);
  return out.slice(0, charsMax).toWellFormed();
}

const NAMES = ["source", "constructor", "toString", "kind", "atMs", "é", "", "a b", "with.dots"];

function attributes(random: SeededRandom): Record<string, string | number | boolean> {
  const out: Record<string, string | number | boolean> = {};
  while (random.chance(0.6)) {
    out[random.pick(NAMES) || "x-1"] = random.pick([
      text(random, 20),
      true,
      false,
      0,
      -1.5,
      1e21,
      5e-324,
      random.integer(-1_000, 1_000),
    ]);
  }
  return out;
}
