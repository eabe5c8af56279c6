import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { ConnectionEntry, GapEntry } from "../../format/entry.ts";
import { ManualClock } from "../../std/clock.ts";
import { AddressScope } from "./address-scope.ts";
import { parseConntrackLine, type ConntrackEvent } from "./conntrack-line.ts";
import { PayloadNotes } from "./payload-notes.ts";
import { Tracker } from "./tracker.ts";
import { bringForward } from "./checkpoint.ts";

type Entry = ConnectionEntry | GapEntry;

/** A tracker of the node 10.0.0.1 and what it says. Events come as short descriptions. */
class Bench {
  readonly clock = new ManualClock();
  readonly entries: Entry[] = [];
  readonly tracker: Tracker;
  readonly notes = new PayloadNotes(this.clock);

  constructor({ own = "10.0.0.1", liveHalvesMax = 1000, dumped = true } = {}) {
    const scope = new AddressScope([]);
    scope.update({ own: [own], unnamed: [], inner: [], broadcasts: [] });
    this.tracker = new Tracker({
      clock: this.clock,
      scope,
      liveHalvesMax,
      udpTimeouts: { unassuredMs: 30_000, assuredMs: 120_000 },
      emit: (entry) => this.entries.push(entry),
      payload: this.notes,
    });
    if (dumped) this.dump();
  }

  /** `NEW tcp SYN_SENT`, with flags and options after it. */
  event(text: string, options: Options = {}): void {
    this.tracker.event(lineOf(text, options), this.clock.nowMs());
  }

  /** Its socket ends, having sent 7 and received 9 bytes. */
  socketEnds(): void {
    this.notes.ended({
      initiatorIp: "10.0.0.1",
      initiatorPort: 40_000,
      responderIp: "10.0.0.2",
      responderPort: 80,
      payload: { initiatorBytes: 7, responderBytes: 9 },
    });
    this.clock.advance(1);
    this.notes.settle(this.clock.nowMs());
  }

  dump(...entries: [text: string, options?: Options][]): void {
    this.tracker.beginDump();
    for (const [text, options = {}] of entries) this.tracker.dumpEntry(lineOf(text, options));
    this.tracker.endDump();
  }

  /** The entries so far in short, and forgets them. */
  said(): string[] {
    return this.entries.map(inShort);
  }
}

interface Options {
  readonly from?: string;
  readonly to?: string;
  readonly port?: number;
  readonly id?: number;
  readonly counted?: readonly [sent: number, received: number];
  readonly ageS?: number;
}

function lineOf(text: string, options: Options): ConntrackEvent {
  const { from = "10.0.0.1", to = "10.0.0.2", port = 40_000, id = 1, counted, ageS } = options;
  const [type = "", name = "", ...rest] = text.split(" ");
  const number = name === "tcp" ? 6 : name === "udp" ? 17 : 1;
  const flags = rest.filter((word) => word.startsWith("["));
  const state = rest.filter((word) => !word.startsWith("[")).join(" ");
  const sent = counted === undefined ? "" : ` packets=${counted[0]} bytes=${counted[0] * 100}`;
  const received = counted === undefined ? "" : ` packets=${counted[1]} bytes=${counted[1] * 100}`;
  const age = ageS === undefined ? "" : ` delta-time=${ageS}`;
  const head = type === "ENTRY" ? "" : `[1.0]\t[${type}] `;
  const line = `${head}ipv4 2 ${name} ${number} 30 ${state} src=${from} dst=${to} sport=${port} dport=80${sent} src=${to} dst=${from} sport=80 dport=${port}${received} ${flags.join(" ")}${age} id=${id}`;
  const event = parseConntrackLine(Buffer.from(line));
  if (event.type === "refused") throw new Error(`${event.reason}: ${line}`);
  return event;
}

function inShort(entry: Entry): string {
  if (entry.kind === "open") return `open ${entry.role}${entry.pickup ? " pickup" : ""}`;
  if (entry.kind === "gap") return `gap ${entry.cause} ${entry.count}`;
  const counted = entry.counters;
  const counters =
    counted === undefined ? "" : ` ${counted.initiatorPackets}/${counted.responderPackets}`;
  const inferred = entry.kind === "close" && entry.inferred ? " inferred" : "";
  const { payload } = entry;
  const bytes =
    payload === undefined ? "" : ` ${payload.initiatorBytes}B/${payload.responderBytes}B`;
  return `${entry.kind} ${entry.openSeq} ${entry.state}${inferred}${counters}${bytes}`;
}

const HANDSHAKE = [
  "NEW tcp SYN_SENT [UNREPLIED]",
  "UPDATE tcp SYN_RECV",
  "UPDATE tcp ESTABLISHED [ASSURED]",
];

const CLOSING = ["UPDATE tcp FIN_WAIT [ASSURED]", "UPDATE tcp LAST_ACK [ASSURED]"];

/** Events of one connection, `#` the end of its socket, and the entries after the open. */
const withPayload: readonly [name: string, events: readonly string[], said: readonly string[]][] = [
  [
    "before the end was read",
    [
      ...HANDSHAKE,
      ...CLOSING,
      "#",
      "UPDATE tcp TIME_WAIT [ASSURED]",
      "DESTROY tcp TIME_WAIT [ASSURED]",
    ],
    ["close 1 SF", "account 1 SF 5/4 7B/9B"],
  ],
  [
    "after the end was read",
    [
      ...HANDSHAKE,
      ...CLOSING,
      "UPDATE tcp TIME_WAIT [ASSURED]",
      "#",
      "DESTROY tcp TIME_WAIT [ASSURED]",
    ],
    ["close 1 SF", "account 1 SF 5/4 7B/9B"],
  ],
  [
    "with an end that has the counters",
    [...HANDSHAKE, ...CLOSING, "#", "DESTROY tcp TIME_WAIT [ASSURED]"],
    ["close 1 SF 5/4 7B/9B"],
  ],
  [
    "not of a reset one",
    [...HANDSHAKE, ...CLOSING, "#", "UPDATE tcp CLOSE [ASSURED]", "DESTROY tcp CLOSE [ASSURED]"],
    ["close 1 RST", "account 1 RST 5/4"],
  ],
  [
    "not of one that timed out half closed",
    [...HANDSHAKE, ...CLOSING, "#", "DESTROY tcp LAST_ACK [ASSURED]"],
    ["close 1 S2 5/4"],
  ],
  [
    "not where it came too late",
    [
      ...HANDSHAKE,
      ...CLOSING,
      "UPDATE tcp TIME_WAIT [ASSURED]",
      "DESTROY tcp TIME_WAIT [ASSURED]",
      "#",
    ],
    ["close 1 SF", "account 1 SF 5/4"],
  ],
];

for (const [name, events, said] of withPayload) {
  test(`payload bytes ${name}`, () => {
    const bench = new Bench();
    for (const text of events) {
      if (text === "#") bench.socketEnds();
      else bench.event(text, text.startsWith("DESTROY") ? { counted: [5, 4] } : {});
    }
    assert.deepEqual(bench.said().slice(1), said);
  });
}

test("payload bytes that are known outlive a restart", () => {
  const before = new Bench();
  for (const text of [...HANDSHAKE, "UPDATE tcp TIME_WAIT [ASSURED]"]) before.event(text);
  before.socketEnds();
  const after = new Bench({ dumped: false });
  after.tracker.restore(JSON.parse(JSON.stringify(before.tracker.snapshot())));
  after.event("DESTROY tcp TIME_WAIT [ASSURED]", { counted: [5, 4] });
  assert.deepEqual(after.said(), ["account 1 SF 5/4 7B/9B"]);
});

test("payload bytes go to no other connection of the same tuple", () => {
  const bench = new Bench();
  for (const text of [...HANDSHAKE, "UPDATE tcp TIME_WAIT [ASSURED]"]) bench.event(text);
  bench.event("DESTROY tcp TIME_WAIT [ASSURED]", { counted: [5, 4] });
  for (const text of [...HANDSHAKE, ...CLOSING]) bench.event(text, { id: 2 });
  // The first one's, which comes late.
  bench.socketEnds();
  bench.event("UPDATE tcp TIME_WAIT [ASSURED]", { id: 2 });
  bench.event("DESTROY tcp TIME_WAIT [ASSURED]", { id: 2, counted: [5, 4] });
  assert.deepEqual(bench.said().slice(-3), ["open initiator", "close 4 SF", "account 4 SF 5/4"]);
});

/** Events of one connection, a last one with counters 5/4, and what is said. */
const lives: readonly [name: string, events: readonly string[], said: readonly string[]][] = [
  [
    "a TCP connection closed by both ends",
    [
      ...HANDSHAKE,
      "UPDATE tcp FIN_WAIT [ASSURED]",
      "UPDATE tcp LAST_ACK [ASSURED]",
      "UPDATE tcp TIME_WAIT [ASSURED]",
      "DESTROY tcp TIME_WAIT [ASSURED]",
    ],
    ["open initiator", "close 1 SF", "account 1 SF 5/4"],
  ],
  [
    "a refused one",
    ["NEW tcp SYN_SENT [UNREPLIED]", "DESTROY tcp CLOSE [UNREPLIED]"],
    ["open initiator", "close 1 REJ 5/4"],
  ],
  [
    "one that nobody answers",
    ["NEW tcp SYN_SENT [UNREPLIED]", "DESTROY tcp SYN_SENT [UNREPLIED]"],
    ["open initiator", "close 1 S0 5/4"],
  ],
  [
    "a handshake that is never finished",
    ["NEW tcp SYN_SENT [UNREPLIED]", "UPDATE tcp SYN_RECV", "DESTROY tcp SYN_RECV"],
    ["open initiator", "close 1 S0 5/4"],
  ],
  [
    "a reset one",
    [...HANDSHAKE, "UPDATE tcp CLOSE [ASSURED]", "DESTROY tcp CLOSE [ASSURED]"],
    ["open initiator", "close 1 RST", "account 1 RST 5/4"],
  ],
  [
    "a half-closed one that times out",
    [...HANDSHAKE, "UPDATE tcp CLOSE_WAIT [ASSURED]", "DESTROY tcp CLOSE_WAIT [ASSURED]"],
    ["open initiator", "close 1 S2 5/4"],
  ],
  [
    "one that is flushed from the table",
    [...HANDSHAKE, "DESTROY tcp ESTABLISHED [ASSURED]"],
    ["open initiator", "close 1 S1 5/4"],
  ],
  [
    "one picked up in the middle",
    [
      "NEW tcp ESTABLISHED [UNREPLIED]",
      "UPDATE tcp ESTABLISHED [ASSURED]",
      "DESTROY tcp TIME_WAIT [ASSURED]",
    ],
    ["open initiator pickup", "close 1 OTH 5/4"],
  ],
  [
    "one whose beginning was lost",
    ["UPDATE tcp ESTABLISHED [ASSURED]", "UPDATE tcp TIME_WAIT [ASSURED]"],
    ["open initiator pickup", "close 1 OTH"],
  ],
  [
    "one whose beginning is read late",
    ["UPDATE tcp ESTABLISHED [ASSURED]", "NEW tcp SYN_SENT [UNREPLIED]"],
    ["open initiator pickup"],
  ],
  [
    "one of which only the ends are read",
    ["NEW tcp SYN_SENT [UNREPLIED]", "DESTROY tcp TIME_WAIT [ASSURED]"],
    ["open initiator", "close 1 SF 5/4"],
  ],
  [
    "a reset one of which only the ends are read",
    ["NEW tcp SYN_SENT [UNREPLIED]", "DESTROY tcp CLOSE [ASSURED]"],
    ["open initiator", "close 1 RST 5/4"],
  ],
  [
    "UDP without an answer",
    ["NEW udp [UNREPLIED]", "DESTROY udp [UNREPLIED]"],
    ["open initiator", "close 1 S0 5/4"],
  ],
  [
    "UDP with an answer",
    ["NEW udp [UNREPLIED]", "UPDATE udp", "DESTROY udp"],
    ["open initiator", "close 1 SF 5/4"],
  ],
  ["ICMP, which is not recorded", ["NEW icmp [UNREPLIED]", "DESTROY icmp"], []],
];

for (const [name, events, said] of lives) {
  test(`says of ${name}: ${said.join(", ") || "nothing"}`, () => {
    const bench = new Bench();
    for (const text of events) {
      bench.event(text, text.startsWith("DESTROY") ? { counted: [5, 4] } : {});
    }
    assert.deepEqual(bench.said(), said);
  });
}

test("a tuple reused at once with the same id is another half each time", () => {
  const bench = new Bench();
  for (let round = 0; round < 3; round++) {
    for (const text of [
      ...HANDSHAKE,
      "UPDATE tcp CLOSE [ASSURED]",
      "DESTROY tcp CLOSE [ASSURED]",
    ]) {
      bench.event(text, { counted: [5, 4] });
    }
  }
  assert.deepEqual(
    bench.said(),
    [1, 4, 7].flatMap((seq) => [
      "open initiator",
      `close ${seq} RST 5/4`,
      `account ${seq} RST 5/4`,
    ]),
  );
});

test("a reuse whose end was lost closes the half before by inference", () => {
  const bench = new Bench();
  bench.event("NEW udp [UNREPLIED]");
  bench.event("NEW udp [UNREPLIED]");
  assert.deepEqual(bench.said(), ["open initiator", "close 1 S0 inferred", "open initiator"]);
});

test("two halves of one id are told apart by their tuples", () => {
  const bench = new Bench();
  bench.event("NEW udp [UNREPLIED]", { port: 1 });
  bench.event("NEW udp [UNREPLIED]", { port: 2 });
  bench.event("NEW udp [UNREPLIED]", { port: 3 });
  bench.event("DESTROY udp [UNREPLIED]", { port: 1 });
  bench.event("DESTROY udp [UNREPLIED]", { port: 3 });
  bench.event("DESTROY udp [UNREPLIED]", { port: 2 });
  assert.deepEqual(bench.said().slice(3), ["close 1 S0", "close 3 S0", "close 2 S0"]);
  assert.equal(bench.tracker.liveHalves, 0);
});

test("what lasts a second is said to be established, once; what is short is not", () => {
  const bench = new Bench();
  for (const text of HANDSHAKE) bench.event(text, { port: 1, id: 1 });
  for (const text of [...HANDSHAKE, "UPDATE tcp TIME_WAIT [ASSURED]"]) {
    bench.event(text, { port: 2, id: 2 });
  }
  bench.event("NEW udp [UNREPLIED]", { port: 3, id: 3 });
  bench.event("UPDATE udp", { port: 3, id: 3 });
  bench.clock.advance(900);
  bench.tracker.tick();
  assert.equal(bench.entries.length, 4);
  bench.clock.advance(100);
  bench.tracker.tick();
  bench.event("UPDATE udp [ASSURED]", { port: 3, id: 3 });
  bench.clock.advance(5000);
  bench.tracker.tick();
  assert.deepEqual(bench.said().slice(4), ["update 1 S1", "update 4 SF"]);
});

test("a UDP session ended with its last packet, one timeout before the kernel forgot it", () => {
  const cases: [flags: string, ageS: number | undefined, lateMs: number, agedMs: number][] = [
    ["[UNREPLIED]", 30, 75_000, 0],
    ["", 47, 80_000, 17_000],
    ["[ASSURED]", 200, 230_000, 80_000],
    ["[ASSURED]", undefined, 130_000, 10_000],
  ];
  for (const [flags, ageS, lateMs, agedMs] of cases) {
    const bench = new Bench();
    bench.event("NEW udp [UNREPLIED]");
    bench.clock.advance(lateMs);
    bench.event(`DESTROY udp ${flags}`, ageS === undefined ? {} : { ageS });
    const close = bench.entries.at(-1);
    assert.equal(close?.kind === "close" && close.ageMs, agedMs);
  }
});

test("a dump opens what no half knows, once, and mutes what was over before", () => {
  const bench = new Bench({ dumped: false });
  const table: [string, Options][] = [
    ["ENTRY tcp ESTABLISHED [ASSURED]", { id: 1, port: 1, counted: [9, 8], ageS: 100 }],
    ["ENTRY tcp TIME_WAIT [ASSURED]", { id: 2, port: 2 }],
    ["ENTRY udp", { id: 3, port: 3 }],
  ];
  bench.dump(...table);
  bench.dump(...table);
  assert.deepEqual(bench.said(), ["open initiator pickup", "open initiator pickup"]);
  const [open] = bench.entries;
  assert.equal(open?.atMs, bench.clock.nowMs() - 100_000);
  bench.event("DESTROY tcp TIME_WAIT [ASSURED]", { id: 2, port: 2, counted: [5, 4] });
  assert.equal(bench.entries.length, 2);
});

test("an entry whose NEW is read after the dump is one half", () => {
  const bench = new Bench();
  bench.tracker.beginDump();
  bench.tracker.dumpEntry(lineOf("ENTRY udp [UNREPLIED]", {}));
  bench.event("NEW udp [UNREPLIED]");
  bench.tracker.endDump();
  bench.dump(["ENTRY udp [UNREPLIED]"]);
  assert.deepEqual(bench.said(), ["open initiator"]);
});

test("an entry that ended while the table was read is not opened again", () => {
  const bench = new Bench();
  bench.event("NEW udp [UNREPLIED]");
  bench.tracker.beginDump();
  bench.event("DESTROY udp [UNREPLIED]");
  bench.tracker.dumpEntry(lineOf("ENTRY udp [UNREPLIED]", {}));
  bench.tracker.endDump();
  assert.deepEqual(bench.said(), ["open initiator", "close 1 S0"]);
});

test("an entry that vanished between two dumps is closed with its last counters", () => {
  const bench = new Bench();
  for (const text of HANDSHAKE) bench.event(text);
  bench.clock.advance(60_000);
  bench.dump(["ENTRY tcp ESTABLISHED [ASSURED]", { counted: [7, 6] }]);
  bench.clock.advance(300_000);
  bench.dump();
  assert.deepEqual(bench.said(), ["open initiator", "update 1 S1 7/6", "close 1 S1 inferred 7/6"]);
});

test("a dump updates what is old and has changed, and nothing else", () => {
  const bench = new Bench();
  for (const text of HANDSHAKE) bench.event(text);
  bench.clock.advance(2000);
  bench.tracker.tick();
  bench.dump(["ENTRY tcp ESTABLISHED [ASSURED]", { counted: [1, 1] }]);
  bench.clock.advance(300_000);
  bench.dump(["ENTRY tcp ESTABLISHED [ASSURED]", { counted: [2, 2] }]);
  bench.clock.advance(300_000);
  bench.dump(["ENTRY tcp ESTABLISHED [ASSURED]", { counted: [2, 2] }]);
  assert.deepEqual(bench.said().slice(1), ["update 1 S1", "update 1 S1 2/2"]);
});

test("what was turned away for lack of room is a gap", () => {
  const bench = new Bench({ liveHalvesMax: 2 });
  for (let id = 1; id <= 5; id++) bench.event("NEW udp [UNREPLIED]", { id, port: id });
  bench.tracker.tick();
  bench.tracker.tick();
  assert.deepEqual(bench.said(), ["open initiator", "open initiator", "gap queue 3"]);
});

test("after a restart, halves go on: from a snapshot and from the entries after it", () => {
  const before = new Bench();
  before.event("NEW udp [UNREPLIED]", { id: 1, port: 1 });
  const snapshot = before.tracker.snapshot();
  before.event("NEW udp [UNREPLIED]", { id: 2, port: 2 });
  for (const text of HANDSHAKE) before.event(text, { id: 3, port: 3 });
  before.event("UPDATE tcp CLOSE [ASSURED]", { id: 3, port: 3 });
  before.event("DESTROY udp [UNREPLIED]", { id: 1, port: 1 });
  const since = before.entries.flatMap((entry, index): [number, ConnectionEntry][] =>
    index < 1 || entry.kind === "gap" ? [] : [[index + 1, entry]],
  );

  const after = new Bench({ dumped: false });
  after.entries.push(...before.entries);
  after.tracker.restore(bringForward(JSON.parse(JSON.stringify(snapshot)), since));
  after.dump(["ENTRY udp", { id: 2, port: 2 }], ["ENTRY tcp CLOSE [ASSURED]", { id: 3, port: 3 }]);
  after.event("DESTROY udp", { id: 2, port: 2 });
  after.event("DESTROY tcp CLOSE [ASSURED]", { id: 3, port: 3, counted: [5, 4] });
  assert.deepEqual(after.said().slice(before.entries.length), [
    "update 2 SF",
    "close 2 SF",
    "account 3 RST 5/4",
  ]);
});

test("a clock set back never makes a half younger than its open", () => {
  const bench = new Bench();
  bench.event("NEW udp [UNREPLIED]");
  bench.clock.advance(-60_000);
  bench.event("DESTROY udp [UNREPLIED]");
  const [open, close] = bench.entries;
  assert.equal(close?.kind === "close" && close.ageMs, 0);
  assert.equal(close?.atMs, open?.atMs);
});

test("two ends of captured traffic say the same, each from its side", () => {
  // In the order of the capture: see the names of the ports in test-data.
  assert.deepEqual(states("initiator.events", "10.77.0.1"), [
    "initiator 6/5001 SF",
    "initiator 6/5999 REJ",
    "initiator 6/5998 S0",
    "initiator 6/5001 RST",
    "initiator 6/5002 RST",
    "initiator 6/5003 S2",
    "initiator 17/5006 S0",
    "initiator 17/5005 SF",
    "initiator 17/5005 SF",
    "initiator 17/5007 S0",
    "initiator 6/5001 RST",
    "initiator 6/5001 RST",
    "initiator 6/5003 S2",
  ]);
  assert.deepEqual(states("responder.events", "10.77.0.2"), [
    "responder 6/5001 SF",
    "responder 6/5999 REJ",
    "responder 6/5001 RST",
    "responder 6/5002 RST",
    "responder 6/5003 S2",
    "responder 17/5006 S0",
    "responder 17/5005 SF",
    "responder 17/5005 open",
    "responder 17/5007 open",
    "responder 6/5001 RST",
    "responder 6/5001 RST",
    "responder 6/5003 open",
  ]);
});

/** Role, responder port and end of each IPv4 connection in a capture, as the node `own` tells it. */
function states(name: string, own: string): string[] {
  const bench = new Bench({ own });
  for (const event of captured(name)) bench.tracker.event(event, event.atMs ?? 0);
  const opens = bench.entries.flatMap((entry, index) =>
    entry.kind === "open" ? [{ entry, seq: index + 1 }] : [],
  );
  return opens
    .filter(({ entry }) => entry.tuple.initiatorIp === "10.77.0.1")
    .map(({ entry, seq }) => {
      const close = bench.entries.find(
        ({ kind, ...rest }) => kind === "close" && "openSeq" in rest && rest.openSeq === seq,
      );
      const state = close?.kind === "close" ? close.state : "open";
      return `${entry.role} ${entry.tuple.protocol}/${entry.tuple.responderPort} ${state}`;
    });
}

function captured(name: string): ConntrackEvent[] {
  const text = readFileSync(new URL(`test-data/${name}`, import.meta.url));
  return text
    .toString("latin1")
    .split("\n")
    .map((line) => parseConntrackLine(Buffer.from(line)))
    .filter((event) => event.type !== "refused");
}
