import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SeededRandom } from "../std/seeded-random.ts";
import type { Entry, EntryKind } from "./entry.ts";
import { GAP_CAUSES, ACTOR_TYPES, ORIGINS, OUTCOMES, RULINGS, SEVERITIES } from "./entry.ts";
import { decodeLine, encodeLine } from "./entry-line.ts";
import { SERVER_KINDS } from "./entry-object.ts";
import {
  AUDIT_TEXT_CHARS_MAX,
  CHANGED_CHARS_MAX,
  CHANGES_MAX,
  ADDRESSES_MAX,
  ATTRIBUTE_NAME_CHARS_MAX,
  BODY_CHARS_MAX,
  EVIDENCE_DEPTH_MAX,
  REASON_CHARS_MAX,
  INTERFACE_NAME_CHARS_MAX,
  INTERFACES_MAX,
  LINE_BYTES_MAX,
  PEER_ADDRESSES_MAX,
  PEERS_MAX,
  TIME_MS_END,
} from "./limits.ts";
import { randomEntry } from "./random-entry.ts";

const first = { seq: 0, previousAtMs: 0 };
const NODE = "0123456789abcdef".repeat(2);
const HASH = NODE + NODE;

const MAX = Number.MAX_SAFE_INTEGER;
const ETH0 = {
  index: 2,
  name: "eth0",
  claimed: true,
  receivedBytes: 1,
  sentBytes: 2,
  receivedPackets: 3,
  sentPackets: 4,
};
const PEER = {
  interface: "wg0",
  publicKey: Buffer.alloc(32, 7).toString("base64"),
  addresses: ["10.0.0.2"],
  receivedBytes: 1,
  sentBytes: 2,
};

type Fields = Readonly<Record<string, unknown>>;

/** One acceptable object of each kind. */
const GOOD = {
  gap: { cause: "lost", count: 1, fromMs: 2, toMs: 3 },
  log: { severity: 9, body: "b", attributes: {} },
  addresses: { networks: { default: ["10.0.0.1"] } },
  start: { facts: { version: "1" } },
  stop: { reason: "signal" },
  degraded: { events: "ends", reason: "load" },
  totals: { interfaces: [ETH0] },
  rollback: {
    cause: "state",
    oldEpoch: 0,
    oldBatch: 1,
    oldHead: HASH,
    machineId: "m",
    bootId: "b",
  },
  opt_out: { origin: "flag" },
  resume: {},
  tick: {},
  enrolled: { node: NODE, name: "web-1", publicKey: "A".repeat(43), enrolmentKey: "AAAAAAAA" },
  revoked: { node: NODE, epoch: 0, lastBatch: 0 },
  finding: {
    id: NODE,
    finding: "fork",
    severity: "high",
    state: "open",
    node: "",
    connection: NODE,
    title: "t",
    evidence: {},
  },
  ruling: { finding: NODE, ruling: "excused", reason: "a known fault", actor: "admin" },
  audit: {
    id: NODE,
    group: NODE,
    actor: { type: "user", id: "u1", name: "ada" },
    address: "10.0.0.9",
    origin: "console",
    action: "node.update",
    read: false,
    target: { type: "node", id: NODE, name: "db-1" },
    changes: [{ property: "tags", old: null, new: ["db"] }],
    outcome: "done",
    code: "",
    facts: {},
  },
} satisfies Record<string, Fields>;
type Kind = keyof typeof GOOD;
const KINDS = Object.keys(GOOD) as Kind[];

const times = (count: number, value: unknown): unknown[] =>
  Array.from({ length: count }, () => value);
const lineOf = (kind: string, fields: Fields): string => JSON.stringify([kind, 0, fields]);
const read = (kind: string, fields: Fields): Entry => decodeLine(lineOf(kind, fields), first);

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? { a: value } : [value];
  return value;
}

for (const kind of KINDS) {
  describe(kind, () => {
    const good: Fields = GOOD[kind];

    test("comes back, its fields in any order", () => {
      const expected = { kind, atMs: 0, ...good };
      assert.deepEqual(read(kind, good), expected);
      assert.equal(encodeLine(expected as Entry, first), lineOf(kind, good));
      const reversed = Object.fromEntries(Object.entries(good).toReversed());
      assert.deepEqual(read(kind, reversed), expected);
    });

    test("needs every field, and none of a wrong type", () => {
      for (const field of Object.keys(good)) {
        const { [field]: _, ...rest } = good;
        assert.throws(() => read(kind, rest), { code: "bad_entry" }, field);
        for (const value of [null, true, -2, 0.5, "\u0000".repeat(60_001), [1], [[]], { a: {} }]) {
          if (field === "count" && value === null) continue;
          if (field === "evidence" || (field === "read" && value === true)) continue;
          assert.throws(
            () => read(kind, { ...good, [field]: value }),
            { code: "bad_entry" },
            field,
          );
        }
      }
    });

    test("has no other field", () => {
      for (const field of ["extra", "kind", "atMs", "constructor", "toString", ""]) {
        assert.throws(() => read(kind, { ...good, [field]: "x" }), { code: "bad_entry" }, field);
      }
      const proto = lineOf(kind, good)
        .replace("{", '{"__proto__":{"reason":"x"},')
        .replace(",}", "}");
      assert.throws(() => decodeLine(proto, first), { code: "bad_entry" });
    });
  });
}

const LONGEST = Array(8).fill("ffff").join(":");
type Row = readonly [kind: Kind, change: Fields];

const ACCEPTED: readonly Row[] = [
  ...GAP_CAUSES.map((cause): Row => ["gap", { cause }]),
  ["gap", { count: null }],
  ["gap", { count: Number.MAX_SAFE_INTEGER }],
  ["gap", { fromMs: 0, toMs: TIME_MS_END - 1 }],
  ["gap", { fromMs: 9, toMs: 3 }],
  ["gap", { seqs: [0, 0] }],
  ["gap", { seqs: [5, Number.MAX_SAFE_INTEGER] }],
  ["log", { severity: 1 }],
  ["log", { severity: 24 }],
  ["log", { body: "" }],
  ["log", { body: "x".repeat(BODY_CHARS_MAX) }],
  ["log", { attributes: { a: "x", b: 1.5, c: true, d: -1, constructor: 1, é: "" } }],
  ["log", { attributes: { ["n".repeat(ATTRIBUTE_NAME_CHARS_MAX)]: 1 } }],
  ["addresses", { networks: {} }],
  ["addresses", { networks: { default: [], lab: ["::1", "10.0.0.1"] } }],
  ["addresses", { networks: { a: Array.from({ length: ADDRESSES_MAX }, () => "::") } }],
  ["start", { facts: {} }],
  ["stop", { reason: "x".repeat(256) }],
  ["degraded", { events: "all", reason: "" }],
  ["degraded", { events: "none" }],
  ["totals", { interfaces: [] }],
  ["totals", { interfaces: [ETH0], peers: [] }],
  ["totals", { interfaces: [{ ...ETH0, claimed: false, receivedBytes: 0, sentBytes: MAX }] }],
  ["totals", { interfaces: [{ ...ETH0, name: "n".repeat(INTERFACE_NAME_CHARS_MAX) }] }],
  ["totals", { interfaces: times(INTERFACES_MAX, ETH0), peers: times(PEERS_MAX, PEER) }],
  ["totals", { peers: [{ ...PEER, addresses: [] }] }],
  ["totals", { peers: [{ ...PEER, addresses: Array(PEER_ADDRESSES_MAX).fill("::1") }] }],
  ["rollback", { cause: "clone", oldEpoch: -1, oldBatch: -1 }],
  ["rollback", { cause: "server", machineId: "", bootId: "x".repeat(64) }],
  ["opt_out", { origin: "" }],
  ["enrolled", { enrolmentKey: "" }],
  ["revoked", { epoch: 7, lastBatch: Number.MAX_SAFE_INTEGER }],
  ["revoked", { epoch: 0, lastBatch: -1 }],
  ...SEVERITIES.map((severity): Row => ["finding", { severity }]),
  ["finding", { state: "resolved", node: NODE, connection: "" }],
  ["finding", { title: "x".repeat(512), finding: "x".repeat(64) }],
  ["finding", { evidence: { a: null, "10.0.0.1": [1, { b: "c" }] } }],
  ["finding", { evidence: { a: nested(EVIDENCE_DEPTH_MAX - 1) } }],
  ...RULINGS.map((ruling): Row => ["ruling", { ruling }]),
  ["ruling", { reason: "x".repeat(REASON_CHARS_MAX), actor: "x".repeat(64) }],
  ["ruling", { expiresAtMs: 0 }],
  ["ruling", { expiresAtMs: TIME_MS_END - 1 }],
  ...ACTOR_TYPES.map((type): Row => ["audit", { actor: { type, id: "", name: "" } }]),
  ...ORIGINS.map((origin): Row => ["audit", { origin }]),
  ...OUTCOMES.map((outcome): Row => ["audit", { outcome, code: "x".repeat(64) }]),
  ["audit", { address: "" }],
  ["audit", { address: "2001:db8::1", read: true, action: "x".repeat(64) }],
  ["audit", { target: { type: "", id: "", name: "x".repeat(AUDIT_TEXT_CHARS_MAX) } }],
  ["audit", { changes: [] }],
  ["audit", { changes: times(CHANGES_MAX, { property: "a", old: 1, new: { b: [true] } }) }],
  ["audit", { changes: [{ property: "a", old: null, new: "x".repeat(CHANGED_CHARS_MAX - 2) }] }],
  ["audit", { facts: { query: "verdict:missing", rows: 7, cut: false } }],
];

test("the largest totals fit into one line", () => {
  const eth = { ...ETH0, index: MAX, name: "n".repeat(15), claimed: false, receivedBytes: MAX };
  const wg = { ...PEER, interface: eth.name, addresses: Array(PEER_ADDRESSES_MAX).fill(LONGEST) };
  const line = lineOf("totals", {
    interfaces: times(INTERFACES_MAX, {
      ...eth,
      sentBytes: MAX,
      receivedPackets: MAX,
      sentPackets: MAX,
    }),
    peers: times(PEERS_MAX, { ...wg, receivedBytes: MAX, sentBytes: MAX }),
  });
  assert.equal(read("totals", JSON.parse(line)[2] as Fields).kind, "totals");
  assert.ok(line.length < LINE_BYTES_MAX, `${line.length} bytes`);
});

test("values at their bounds are accepted", () => {
  for (const [kind, change] of ACCEPTED) {
    const fields = { ...GOOD[kind], ...change };
    assert.deepEqual(read(kind, fields), { kind, atMs: 0, ...fields }, lineOf(kind, change));
  }
});

const REFUSED: readonly Row[] = [
  ["totals", { interfaces: times(INTERFACES_MAX + 1, ETH0) }],
  ["totals", { interfaces: [{ ...ETH0, name: "" }] }],
  ["totals", { interfaces: [{ ...ETH0, name: "n".repeat(INTERFACE_NAME_CHARS_MAX + 1) }] }],
  ["totals", { interfaces: [{ ...ETH0, claimed: 1 }] }],
  ["totals", { interfaces: [{ ...ETH0, sentPackets: -1 }] }],
  ["totals", { interfaces: [{ ...ETH0, index: 1.5 }] }],
  ["totals", { interfaces: [{ ...ETH0, mtu: 1_500 }] }],
  ["totals", { interfaces: [{}] }],
  ["totals", { peers: {} }],
  ["totals", { peers: times(PEERS_MAX + 1, PEER) }],
  ["totals", { peers: [{ ...PEER, publicKey: PEER.publicKey.slice(1) }] }],
  ["totals", { peers: [{ ...PEER, publicKey: "A".repeat(44) }] }],
  ["totals", { peers: [{ ...PEER, addresses: ["10.0.0.0/24"] }] }],
  ["totals", { peers: [{ ...PEER, addresses: ["10.0.0.02"] }] }],
  ["totals", { peers: [{ ...PEER, addresses: Array(PEER_ADDRESSES_MAX + 1).fill("::1") }] }],
  ["gap", { cause: "Lost" }],
  ["gap", { count: -1 }],
  ["gap", { count: 2 ** 53 }],
  ["gap", { fromMs: -1 }],
  ["gap", { toMs: TIME_MS_END }],
  ["gap", { seqs: null }],
  ["gap", { seqs: [] }],
  ["gap", { seqs: [1] }],
  ["gap", { seqs: [2, 1] }],
  ["gap", { seqs: [1, 2, 3] }],
  ["gap", { seqs: [-1, 2] }],
  ["gap", { seqs: { 0: 1, 1: 2 } }],
  ["log", { severity: 0 }],
  ["log", { severity: 25 }],
  ["log", { severity: "9" }],
  ["log", { body: "x".repeat(BODY_CHARS_MAX + 1) }],
  ["log", { attributes: { a: null } }],
  ["log", { attributes: { a: [] } }],
  ["log", { attributes: { a: {} } }],
  ["log", { attributes: { "": 1 } }],
  ["log", { attributes: { "1": 1 } }],
  ["log", { attributes: { "1a": 1 } }],
  ["log", { attributes: { ["n".repeat(ATTRIBUTE_NAME_CHARS_MAX + 1)]: 1 } }],
  ["log", { attributes: [] }],
  ["start", { facts: { a: { b: 1 } } }],
  ["addresses", { networks: [] }],
  ["addresses", { networks: { "": [] } }],
  ["addresses", { networks: { "10": [] } }],
  ["addresses", { networks: { "a b": [] } }],
  ["addresses", { networks: { a: "10.0.0.1" } }],
  ["addresses", { networks: { a: ["10.0.0.01"] } }],
  ["addresses", { networks: { a: ["::0"] } }],
  ["addresses", { networks: { a: [1] } }],
  ["addresses", { networks: { a: Array.from({ length: ADDRESSES_MAX + 1 }, () => "::") } }],
  ["stop", { reason: "x".repeat(257) }],
  ["degraded", { events: "some" }],
  ["degraded", { reason: "x".repeat(257) }],
  ["rollback", { cause: "other" }],
  ["rollback", { oldEpoch: -2 }],
  ["rollback", { oldBatch: 0.5 }],
  ["rollback", { oldHead: HASH.slice(1) }],
  ["rollback", { oldHead: HASH.toUpperCase() }],
  ["rollback", { oldHead: `${HASH}\n` }],
  ["rollback", { machineId: "x".repeat(65) }],
  ["rollback", { bootId: "x".repeat(65) }],
  ["opt_out", { origin: "x".repeat(65) }],
  ["enrolled", { node: NODE.slice(2) }],
  ["enrolled", { name: "" }],
  ["enrolled", { name: "a b" }],
  ["enrolled", { publicKey: "A".repeat(42) }],
  ["enrolled", { publicKey: `${"A".repeat(42)}B` }],
  ["enrolled", { publicKey: `${"A".repeat(42)}+` }],
  ["enrolled", { enrolmentKey: "x".repeat(65) }],
  ["revoked", { node: "" }],
  ["revoked", { epoch: -1 }],
  ["revoked", { lastBatch: -2 }],
  ["finding", { id: "" }],
  ["finding", { finding: "x".repeat(65) }],
  ["finding", { severity: "info" }],
  ["finding", { state: "closed" }],
  ["finding", { node: "web-1" }],
  ["finding", { connection: NODE.slice(1) }],
  ["finding", { title: "x".repeat(513) }],
  ["finding", { evidence: [] }],
  ["finding", { evidence: null }],
  ["finding", { evidence: { a: nested(EVIDENCE_DEPTH_MAX) } }],
  ["ruling", { finding: "" }],
  ["ruling", { finding: NODE.toUpperCase() }],
  ["ruling", { ruling: "open" }],
  ["ruling", { reason: "" }],
  ["ruling", { reason: "x".repeat(REASON_CHARS_MAX + 1) }],
  ["ruling", { actor: "" }],
  ["ruling", { actor: "x".repeat(65) }],
  ["ruling", { expiresAtMs: null }],
  ["ruling", { expiresAtMs: -1 }],
  ["ruling", { expiresAtMs: TIME_MS_END }],
  ["audit", { id: "" }],
  ["audit", { group: NODE.toUpperCase() }],
  ["audit", { actor: "ada" }],
  ["audit", { actor: { type: "user", id: "u1" } }],
  ["audit", { actor: { type: "root", id: "", name: "" } }],
  ["audit", { actor: { type: "user", id: "", name: "", hash: "" } }],
  ["audit", { address: "10.0.0.09" }],
  ["audit", { origin: "" }],
  ["audit", { action: "" }],
  ["audit", { action: "x".repeat(65) }],
  ["audit", { read: 0 }],
  ["audit", { target: { type: "", id: "", name: "x".repeat(AUDIT_TEXT_CHARS_MAX + 1) } }],
  ["audit", { changes: times(CHANGES_MAX + 1, { property: "a", old: 1, new: 2 }) }],
  ["audit", { changes: [{ property: "", old: 1, new: 2 }] }],
  ["audit", { changes: [{ property: "a", new: 2 }] }],
  ["audit", { changes: [{ property: "a", old: null, new: "x".repeat(CHANGED_CHARS_MAX - 1) }] }],
  ["audit", { outcome: "ok" }],
  ["audit", { code: "x".repeat(65) }],
  ["audit", { facts: { query: ["a"] } }],
];

test("values past their bounds are refused", () => {
  for (const [kind, change] of REFUSED) {
    const fields = { ...GOOD[kind], ...change };
    assert.throws(
      () => read(kind, fields),
      { name: "FormatError", code: "bad_entry" },
      lineOf(kind, change).slice(0, 99),
    );
  }
});

describe("__proto__", () => {
  const lines = [
    '["log",0,{"severity":9,"body":"b","attributes":{"__proto__":1}}]',
    '["log",0,{"severity":9,"body":"b","attributes":{"__proto__":{"a":1}}}]',
    '["log",0,{"__proto__":{"severity":9,"body":"b","attributes":{}}}]',
    '["stop",0,{"__proto__":{"reason":"x"}}]',
    '["start",0,{"facts":{"__proto__":"x"}}]',
    '["addresses",0,{"networks":{"__proto__":["10.0.0.1"]}}]',
    lineOf("finding", GOOD.finding).replace('"evidence":{}', '"evidence":{"__proto__":1}'),
    lineOf("finding", GOOD.finding).replace('"evidence":{}', '"evidence":{"a":[{"__proto__":{}}]}'),
  ];
  for (const line of lines) {
    test(`refused: ${line}`, () => {
      assert.throws(() => decodeLine(line, first), { code: "bad_entry" });
    });
  }

  test("what every object inherits stands in for no field", () => {
    const inherits = Object.create(null) as object;
    assert.equal("polluted" in inherits, false);
    assert.throws(() => decodeLine('["stop",0,{}]', first), { code: "bad_entry" });
  });
});

test("nested far too deeply is refused like any other", () => {
  const deep = '{"a":'.repeat(8_000) + "1" + "}".repeat(8_000);
  const line = lineOf("finding", GOOD.finding).replace('"evidence":{}', `"evidence":${deep}`);
  assert.throws(() => decodeLine(line, first), { name: "FormatError", code: "bad_entry" });
});

test("the server's kinds are those that it alone writes", () => {
  const expected: readonly EntryKind[] = [
    "tick",
    "enrolled",
    "revoked",
    "finding",
    "ruling",
    "audit",
  ];
  assert.deepEqual([...SERVER_KINDS], expected);
});

test("the generator of random entries knows every kind", () => {
  const random = new SeededRandom(71);
  const kinds: readonly EntryKind[] = [...KINDS, "open", "update", "close", "account"];
  const place = { seq: 3, aroundMs: 1_800_000_000_000 };
  for (const kind of kinds) assert.equal(randomEntry(random, place, kind).kind, kind);
});
