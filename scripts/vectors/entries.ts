/** Every kind of entry with every optional part, and its line. */
import type { Entry } from "../../src/format/entry.ts";
import { CONNECTION_STATES, GAP_CAUSES } from "../../src/format/entry.ts";
import { encodeLine, type LinePosition } from "../../src/format/entry-line.ts";

const atMs = 1_800_000_000_000;
const first: LinePosition = { seq: 0, previousAtMs: 0 };
const later: LinePosition = { seq: 1_000, previousAtMs: 1_800_000_000_250 };
const node = "0123456789abcdef0123456789abcdef";

const tuple = {
  protocol: 6,
  initiatorIp: "10.0.0.1",
  initiatorPort: 40_000,
  responderIp: "10.0.0.2",
  responderPort: 443,
};
const udp6 = {
  protocol: 17,
  initiatorIp: "2001:db8::1",
  initiatorPort: 5_353,
  responderIp: "2001:db8::2",
  responderPort: 53,
};
const reply = {
  sourceIp: "10.9.0.2",
  sourcePort: 8_443,
  destinationIp: "10.0.0.1",
  destinationPort: 40_000,
};
const counters = {
  initiatorPackets: 12,
  initiatorBytes: 1_420,
  responderPackets: 11,
  responderBytes: 98_304,
};
const payload = { initiatorBytes: 780, responderBytes: 97_716 };
const open = { kind: "open", atMs, role: "initiator", tuple, pickup: false } as const;
const half = { atMs, openSeq: 997, ageMs: 1_250, state: "SF", assured: true } as const;
const none = { kind: "close", ...half, assured: false, inferred: false } as const;

const CONNECTIONS: readonly Entry[] = [
  open,
  { ...open, role: "responder", tuple: udp6 },
  { ...open, role: "forwarder" },
  { ...open, pickup: true },
  { ...open, reply },
  { ...open, network: "office" },
  { ...open, pickup: true, reply, network: "office" },
  { kind: "update", ...half, state: "S1", counters },
  { kind: "update", ...half, state: "S1" },
  { kind: "close", ...half, inferred: false, counters },
  { kind: "close", ...half, inferred: true },
  { kind: "account", ...half, counters },
  { kind: "update", ...half, state: "S1", counters, payload },
  { kind: "close", ...half, inferred: false, counters, payload },
  { kind: "account", ...half, counters, payload },
  { kind: "account", ...half, counters, payload: { initiatorBytes: 0, responderBytes: 0 } },
  { ...none, openSeq: 0 },
  { ...none, openSeq: 999, ageMs: 0 },
  { ...none, counters: { ...counters, responderBytes: Number.MAX_SAFE_INTEGER } },
  ...CONNECTION_STATES.map((state) => ({ ...none, state })),
];

const ETH0 = {
  index: 2,
  name: "eth0",
  claimed: true,
  receivedBytes: 183_220_104,
  sentBytes: 9_007_199_254_740_991,
  receivedPackets: 0,
  sentPackets: 121_003,
};
const PEER = {
  interface: "wg0",
  publicKey: Buffer.alloc(32, 0xfb).toString("base64"),
  addresses: ["10.0.0.2", "2001:db8::2"],
  receivedBytes: 1_024,
  sentBytes: 0,
};

const OTHERS: readonly Entry[] = [
  ...GAP_CAUSES.map((cause): Entry => ({ kind: "gap", atMs, cause, count: 3, fromMs: 1, toMs: 2 })),
  { kind: "gap", atMs, cause: "lost", count: null, fromMs: atMs - 5_000, toMs: atMs },
  { kind: "gap", atMs, cause: "spool", count: 10, fromMs: 0, toMs: atMs, seqs: [90, 99] },
  { kind: "log", atMs, severity: 9, body: "agent started", attributes: {} },
  {
    kind: "log",
    atMs,
    severity: 24,
    body: 'all that JSON escapes: " \\ \b \t \n \f \r \u0000 \u001f',
    attributes: { text: "not escaped: / < > & \u007f \u2028 é 𝄞", yes: true, no: false },
  },
  {
    kind: "log",
    atMs,
    severity: 1,
    body: "",
    attributes: { int: -1, half: 0.5, large: 1e21, small: 5e-324, third: 1 / 3, max: 2 ** 53 },
  },
  { kind: "addresses", atMs, networks: {} },
  { kind: "addresses", atMs, networks: { default: ["10.0.0.1", "2001:db8::1"], office: [] } },
  { kind: "start", atMs, facts: { version: "0.1.0", conntrack_acct: 1, bootId: "b", root: true } },
  { kind: "stop", atMs, reason: "SIGTERM" },
  { kind: "degraded", atMs, events: "all", reason: "" },
  { kind: "degraded", atMs, events: "ends", reason: "events arrive faster than they are read" },
  { kind: "degraded", atMs, events: "none", reason: "the connection table is 80 % full" },
  { kind: "totals", atMs, interfaces: [] },
  { kind: "totals", atMs, interfaces: [ETH0, { ...ETH0, index: 9, name: "wg0" }], peers: [PEER] },
  { kind: "totals", atMs, interfaces: [ETH0], peers: [] },
  { kind: "totals", atMs, interfaces: [], peers: [{ ...PEER, addresses: [] }] },
  {
    kind: "rollback",
    atMs,
    cause: "state",
    oldEpoch: 0,
    oldBatch: 17,
    oldHead: node + node,
    machineId: node,
    bootId: "11111111-2222-3333-4444-555555555555",
  },
  {
    kind: "rollback",
    atMs,
    cause: "clone",
    oldEpoch: -1,
    oldBatch: -1,
    oldHead: "0".repeat(64),
    machineId: "",
    bootId: "",
  },
  { kind: "opt_out", atMs, origin: "TALLYSTICK_NO_LOGS_NO_SUPPORT" },
  { kind: "resume", atMs },
  { kind: "tick", atMs },
  {
    kind: "enrolled",
    atMs,
    node,
    name: "web-1",
    publicKey: Buffer.alloc(32, 0xfb).toString("base64url"),
    enrolmentKey: "AAECAwQF",
  },
  { kind: "revoked", atMs, node, epoch: 1, lastBatch: 41 },
  { kind: "revoked", atMs, node, epoch: 0, lastBatch: -1 },
  {
    kind: "finding",
    atMs,
    id: node,
    finding: "missing-half",
    severity: "high",
    state: "open",
    node,
    connection: node,
    title: "web-1 has no half of this connection",
    evidence: { halves: [node], peer: { name: "db-1", address: "10.0.0.2" }, since: null },
  },
  {
    kind: "ruling",
    atMs,
    finding: node,
    ruling: "excused",
    reason: "the switch was replaced, ticket 4711",
    actor: "admin",
    expiresAtMs: atMs + 2_592_000_000,
  },
  {
    kind: "ruling",
    atMs,
    finding: node,
    ruling: "acknowledged",
    reason: "her own machine",
    actor: "admin",
  },
  {
    kind: "audit",
    atMs,
    id: node,
    group: node,
    actor: { type: "user", id: "u4kq", name: "ada" },
    address: "2001:db8::9",
    origin: "console",
    action: "node.update",
    read: false,
    target: { type: "node", id: node, name: "db-1" },
    changes: [
      { property: "tags", old: ["db"], new: ["db", "berlin"] },
      { property: "owner", old: null, new: "ops" },
    ],
    outcome: "done",
    code: "",
    facts: {},
  },
  {
    kind: "audit",
    atMs,
    id: node,
    group: node,
    actor: { type: "nobody", id: "", name: "" },
    address: "",
    origin: "api",
    action: "sql.read",
    read: true,
    target: { type: "", id: "", name: "" },
    changes: [],
    outcome: "refused",
    code: "unauthorized",
    facts: { requests: 3 },
  },
];

export function entryVectors(): object[] {
  return [
    ...CONNECTIONS.map((entry) => pair(entry, later)),
    ...OTHERS.map((entry) => pair(entry, first)),
    pair({ kind: "resume", atMs: 0 }, first),
    pair({ kind: "resume", atMs: 253_402_300_799_999 }, first),
    pair({ kind: "resume", atMs: 0 }, later),
  ];
}

function pair(entry: Entry, position: LinePosition): object {
  return { ...position, line: encodeLine(entry, position), entry };
}
