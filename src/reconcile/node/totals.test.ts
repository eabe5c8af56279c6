import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { type SimHost, SimMesh } from "../../../test/simulate/sim-mesh.ts";
import type { InterfaceTotals } from "../../format/entry.ts";
import { noteClaim, noteReading, noteReceived, noTotals } from "./totals.ts";

/** An agent takes five minutes; here they pass faster. */
const INTERVAL_MS = 30_000;
const PART_MS = 5_000;
const T0_MS = 1_800_000_000_000;
/** What an interface had carried before all of it: more than it carries meanwhile. */
const LIFE_BYTES = 1_000_000_000;
const LIFE_PACKETS = 1_000_000;

function eth(index: number, receivedBytes: number, receivedPackets = 0): InterfaceTotals {
  return {
    index,
    name: `eth${index}`,
    claimed: true,
    receivedBytes: LIFE_BYTES + receivedBytes,
    receivedPackets: LIFE_PACKETS + receivedPackets,
    sentBytes: 0,
    sentPackets: 0,
  };
}

/** One that is not there before it has carried something. */
function made(index: number, receivedBytes: number): InterfaceTotals {
  return { ...eth(index, 0), receivedBytes, receivedPackets: 10 };
}

describe("three readings, and a connection that was over before the second", () => {
  const none: readonly InterfaceTotals[] = [];
  const rows: readonly (readonly [
    what: string,
    readings: readonly (readonly InterfaceTotals[])[],
    received: number,
    said: string,
  ])[] = [
    [
      "half of what came in",
      [[eth(2, 0)], [eth(2, 200)], [eth(2, 20_000)]],
      10_000,
      "10000 of 20000",
    ],
    ["all of it", [[eth(2, 0)], [eth(2, 9_000)], [eth(2, 10_000)]], 10_000, "10000 of 10000"],
    [
      "a little more than all",
      [[eth(2, 0)], [eth(2, 1_000_000)], [eth(2, 1_000_000)]],
      1_085_536,
      "1085536 of 1000000",
    ],
    [
      "more than came in",
      [[eth(2, 0)], [eth(2, 900_000)], [eth(2, 1_000_000)]],
      1_085_537,
      "1085537 of 1000000 + 85536",
    ],
    [
      "what came in over two interfaces",
      [
        [eth(2, 0), eth(3, 0)],
        [eth(2, 500_000), eth(3, 0)],
        [eth(2, 500_000), eth(3, 500_000)],
      ],
      1_000_000,
      "1000000 of 1000000",
    ],
    [
      "over an interface that came up meanwhile, at an unknown time",
      [[eth(2, 0)], [eth(2, 0), made(7, 9_000_000)], [eth(2, 0), made(7, 9_000_000)]],
      90_000_000,
      "nothing",
    ],
    [
      "over one that is gone, and took its count with it",
      [[eth(2, 0), eth(3, 0)], [eth(2, 0)], [eth(2, 0)]],
      90_000_000,
      "nothing",
    ],
    [
      "a count that began anew",
      [[eth(2, 900_000)], [made(2, 900_000)], [made(2, 900_000)]],
      90_000_000,
      "nothing",
    ],
    [
      "a count that began anew and has passed where it was",
      [[made(2, 100_000)], [made(2, 300_000)], [made(2, 300_000)]],
      90_000_000,
      "nothing",
    ],
    [
      "a count of 32 bits, which may have come around",
      [[eth(2, 0)], [eth(2, 10_000, 65_536)], [eth(2, 10_000, 65_536)]],
      90_000_000,
      "nothing",
    ],
    [
      "so many packets under a count that has more bits",
      [[eth(2, 5e9)], [eth(2, 5e9)], [eth(2, 5e9 + 10_000, 65_536)]],
      90_000_000,
      "90000000 of 10000 + 65736",
    ],
    ["no interface", [none, none, none], 90_000_000, "90000000 of 0 + 65536"],
  ];
  for (const [what, readings, received, said] of rows) {
    test(what, () => assert.equal(told(readings, received), said));
  }
});

/** The connection began after the first reading, and was over before the second. */
function told(readings: readonly (readonly InterfaceTotals[])[], received: number): string {
  const memory = noTotals();
  const excesses = readings.map((interfaces, at) => {
    const atMs = T0_MS + at * INTERVAL_MS;
    const excess = noteReading(
      memory,
      { kind: "totals", atMs, interfaces },
      { index: at, seq: at * 10 },
    );
    noteClaim(memory, atMs + 1_000, at * 10 + 1);
    if (at === 0) noteReceived(memory, 5, received);
    return excess;
  });
  const [excess] = excesses.filter((one) => one !== undefined);
  if (excess !== undefined) {
    return `${excess.connectionBytes} of ${excess.carriedBytes} + ${excess.allowedBytes}`;
  }
  const { shown } = memory;
  return shown === null || shown.fromMs !== T0_MS
    ? "nothing"
    : `${shown.connectionBytes} of ${shown.carriedBytes}`;
}

describe("a connection began after a reading", () => {
  const rows: readonly (readonly [
    what: string,
    claims: readonly (readonly [afterMs: number, seq: number])[],
    seq: number,
    counts: boolean,
  ])[] = [
    ["where nothing was claimed since", [], 99, false],
    ["where the fence was sent before it", [[0, 11]], 99, false],
    ["where it was sent too near for two clocks to tell", [[999, 11]], 99, false],
    [
      "where the fence came between its batch and the one before",
      [
        [0, 11],
        [1_000, 21],
      ],
      21,
      true,
    ],
    [
      "and not where its open stands before that",
      [
        [0, 11],
        [1_000, 21],
      ],
      20,
      false,
    ],
    [
      "by the first fence that shows it",
      [
        [1_000, 21],
        [2_000, 31],
      ],
      25,
      true,
    ],
  ];
  for (const [what, claims, seq, counts] of rows) {
    test(what, () => {
      const memory = noTotals();
      noteReading(
        memory,
        { kind: "totals", atMs: T0_MS, interfaces: [eth(2, 0)] },
        { index: 0, seq: 10 },
      );
      for (const [afterMs, first] of claims) noteClaim(memory, T0_MS + afterMs, first);
      assert.equal(noteReceived(memory, seq, 5_000), counts);
    });
  }

  test("of several readings the last one that it began after counts", () => {
    const memory = noTotals();
    for (const at of [0, 1, 2]) {
      const atMs = T0_MS + at * INTERVAL_MS;
      noteReading(memory, { kind: "totals", atMs, interfaces: [eth(2, 0)] }, { index: 0, seq: 0 });
      noteClaim(memory, atMs + 1_000, 10 * at + 1);
    }
    noteReceived(memory, 15, 5_000);
    assert.deepEqual(
      memory.spans.map(({ freshBytes }) => freshBytes),
      [0, 5_000, 0],
    );
  });
});

/** Two nodes of which one reads its interface, which has nothing to do but what `carried` says. */
class Wire {
  readonly mesh = new SimMesh();
  readonly a = this.mesh.host("a");
  readonly b = this.mesh.host("b");
  carriedBytes = 0;

  constructor() {
    this.mesh.pass(10_000);
  }

  read(host: SimHost = this.b): void {
    const interfaces = [eth(2, this.carriedBytes)];
    host.emit({ kind: "totals", atMs: this.mesh.nowMs + host.offsetMs, interfaces });
  }

  /** From one reading to the next, with something between them. */
  interval(between: () => void = () => undefined): void {
    this.read();
    this.mesh.pass(PART_MS);
    between();
    this.mesh.pass(INTERVAL_MS - PART_MS);
  }

  /** b receives so much, by its own count and a's. */
  receive(bytes: number, more: Partial<Parameters<SimMesh["connect"]>[0]> = {}): void {
    this.mesh.connect({ from: this.a, to: this.b, bytes, ...more });
  }

  get found(): readonly string[] {
    return this.mesh.findings.map(({ finding }) => finding);
  }
}

describe("a node whose connections received more than its interfaces carried", () => {
  it("is found at the reading after the next one, and once", () => {
    const wire = new Wire();
    wire.interval(() => wire.receive(500_000));
    wire.interval(() => assert.deepEqual(wire.found, []));
    wire.interval();
    wire.interval();
    assert.deepEqual(wire.found, ["exceeds-interfaces"]);
    const [found] = wire.mesh.findings;
    assert.equal(found?.node, wire.b.id);
    assert.partialDeepStrictEqual(found?.evidence, { connectionBytes: 500_000, carriedBytes: 0 });
  });

  it("is found by what adds up over an hour", () => {
    const wire = new Wire();
    for (let times = 0; times < 12; times++) wire.interval(() => wire.receive(20_000));
    wire.interval();
    assert.deepEqual(wire.found, ["exceeds-interfaces"]);
  });

  it("is found by what it began, too", () => {
    const wire = new Wire();
    // It counts twice as much from the other end.
    wire.interval(() => wire.mesh.connect({ from: wire.b, to: wire.a, bytes: 300_000 }));
    wire.interval();
    wire.interval();
    assert.deepEqual(wire.found, ["exceeds-interfaces"]);
    assert.equal(wire.mesh.findings[0]?.evidence["connectionBytes"], 600_000);
  });
});

describe("nothing is found of", () => {
  const BYTES = 9_000_000;
  const rows: readonly (readonly [what: string, between: (wire: Wire) => void])[] = [
    [
      "what came in",
      (wire) => {
        wire.receive(BYTES);
        wire.carriedBytes += BYTES;
      },
    ],
    [
      "a connection that only one end has",
      (wire) => {
        wire.a.lie = () => undefined;
        wire.receive(BYTES);
        wire.a.lie = undefined;
      },
    ],
    [
      "what is not TCP: the inside of a tunnel may be counted twice",
      (wire) => wire.receive(BYTES, { protocol: 17 }),
    ],
    [
      "many small connections",
      (wire) => {
        for (let times = 0; times < 100; times++) wire.receive(4_095);
      },
    ],
    [
      "one whose beginning was not seen",
      (wire) => {
        wire.b.lie = (entry) => (entry.kind === "open" ? { ...entry, pickup: true } : entry);
        wire.receive(BYTES);
        wire.b.lie = undefined;
      },
    ],
    [
      "a node that was restarted",
      (wire) => {
        wire.receive(BYTES);
        wire.mesh.pass(PART_MS);
        const { nowMs: atMs } = wire.mesh;
        wire.b.emit({ kind: "start", atMs, facts: {} });
      },
    ],
    [
      "a node that declared a gap",
      (wire) => {
        wire.receive(BYTES);
        wire.mesh.pass(PART_MS);
        const { nowMs: atMs } = wire.mesh;
        wire.b.emit({
          kind: "gap",
          atMs,
          cause: "overflow",
          count: 1,
          fromMs: atMs - 1_000,
          toMs: atMs,
        });
      },
    ],
    [
      "a node that has other addresses since",
      (wire) => {
        wire.receive(BYTES);
        wire.mesh.pass(PART_MS);
        const networks = { default: [wire.b.ip, "10.9.9.9"] };
        wire.b.emit({ kind: "addresses", atMs: wire.mesh.nowMs, networks });
      },
    ],
  ];
  for (const [what, between] of rows) {
    it(what, () => {
      const wire = new Wire();
      wire.interval(() => between(wire));
      for (let times = 0; times < 3; times++) wire.interval();
      assert.ok(!wire.found.includes("exceeds-interfaces"));
    });
  }

  it("a node whose clock was set", () => {
    const wire = new Wire();
    wire.interval(() => {
      wire.receive(BYTES);
      wire.mesh.pass(PART_MS);
      wire.b.offsetMs = -30_000;
      wire.b.bootAtMs = 1_700_000_000_000 - 30_000;
    });
    for (let times = 0; times < 3; times++) wire.interval();
    assert.deepEqual(wire.found, ["clock-step"]);
  });

  it("a connection that ended just before a reading, whose counts may be behind", () => {
    const wire = new Wire();
    wire.interval();
    wire.mesh.pass(1_000);
    wire.receive(BYTES);
    wire.mesh.pass(1_000);
    // A driver that counts every few seconds.
    wire.read();
    wire.carriedBytes += BYTES;
    wire.mesh.pass(INTERVAL_MS);
    for (let times = 0; times < 3; times++) wire.interval();
    assert.deepEqual(wire.found, []);
  });
});
