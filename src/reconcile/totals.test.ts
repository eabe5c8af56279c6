import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { InterfaceTotals, TotalsEntry } from "../format/entry.ts";
import { isWithin, judgeTotals } from "./totals.ts";

const MINUTE_MS = 60_000;
const T0_MS = 1_800_000_000_000;

function eth(
  index: number,
  receivedBytes: number,
  sentBytes: number,
  claimed = true,
): InterfaceTotals {
  const packets = { receivedPackets: 0, sentPackets: 0 };
  return { index, name: `eth${index}`, claimed, receivedBytes, sentBytes, ...packets };
}

function totals(minute: number, ...interfaces: readonly InterfaceTotals[]): TotalsEntry {
  return { kind: "totals", atMs: T0_MS + minute * MINUTE_MS, interfaces };
}

/** The first reading, the second, what the connections received and sent, and what is said. */
const ROWS: readonly (readonly [
  what: string,
  first: readonly InterfaceTotals[],
  last: readonly InterfaceTotals[],
  connections: readonly [received: number, sent: number],
  said: string,
])[] = [
  ["half of it", [eth(2, 100, 10)], [eth(2, 300, 110)], [100, 50], "possible 0.5 0.5"],
  ["all of it", [eth(2, 0, 0)], [eth(2, 200, 100)], [200, 100], "possible 1 1"],
  ["nothing of nothing", [eth(2, 5, 5)], [eth(2, 5, 5)], [0, 0], "possible null null"],
  [
    "a little more than all",
    [eth(2, 0, 0)],
    [eth(2, 1_000_000, 0)],
    [1_085_536, 0],
    "possible 1 null",
  ],
  [
    "more than came in",
    [eth(2, 0, 0)],
    [eth(2, 1_000_000, 0)],
    [1_085_537, 0],
    "impossible received 1085537 of 1000000 + 85536",
  ],
  [
    "more than came in since, though not since the beginning",
    [eth(2, 1_000_000_000, 0)],
    [eth(2, 1_001_000_000, 0)],
    [2_000_000, 0],
    "impossible received 2000000 of 1000000 + 85536",
  ],
  [
    "sent, and dropped by the kernel",
    [eth(2, 0, 0)],
    [eth(2, 0, 1_000_000)],
    [0, 5_444_304],
    "possible null 1",
  ],
  [
    "sent, more than that explains",
    [eth(2, 0, 0)],
    [eth(2, 0, 1_000_000)],
    [0, 5_444_305],
    "exceeded sent 5444305 of 1000000 + 4444304",
  ],
  [
    "in over one interface, out over another",
    [eth(2, 0, 0), eth(3, 0, 0)],
    [eth(2, 1_000_000, 0), eth(3, 0, 1_000_000)],
    [900_000, 900_000],
    "possible 0.9 0.9",
  ],
  [
    "over an interface without an address of the node's",
    [eth(2, 0, 0), eth(3, 0, 0, false)],
    [eth(2, 1_000, 1_000), eth(3, 9_000_000, 9_000_000, false)],
    [8_000_000, 8_000_000],
    "possible 1 1",
  ],
  [
    "over an interface that came up meanwhile",
    [eth(2, 100, 100)],
    [eth(2, 100, 100), eth(7, 9_000_000, 9_000_000)],
    [9_000_000, 9_000_000],
    "possible 1 1",
  ],
  [
    "over one that was made again: what it carried before is not known",
    [eth(2, 100, 100)],
    [eth(7, 10, 10)],
    [9_000_000, 0],
    "unknown: an interface is gone",
  ],
  [
    "a count that went back",
    [eth(2, 100, 100)],
    [eth(2, 99, 200)],
    [9e9, 0],
    "unknown: a count went back",
  ],
  [
    "the other one too",
    [eth(2, 100, 100)],
    [eth(2, 200, 99)],
    [9e9, 0],
    "unknown: a count went back",
  ],
  ["no interface", [], [], [9e9, 9e9], "unknown: no interface"],
];

describe("what the interfaces carried, and what the connections say", () => {
  for (const [what, first, last, [receivedBytes, sentBytes], said] of ROWS) {
    test(what, () => {
      const judged = judgeTotals(totals(0, ...first), totals(5, ...last), {
        receivedBytes,
        sentBytes,
      });
      assert.equal(inShort(judged), said);
    });
  }
  test("readings in the wrong order", () => {
    const judged = judgeTotals(totals(5, eth(2, 0, 0)), totals(5, eth(2, 9, 9)), {
      receivedBytes: 9e9,
      sentBytes: 9e9,
    });
    assert.equal(inShort(judged), "unknown: not later");
  });
});

function inShort(judged: ReturnType<typeof judgeTotals>): string {
  if (judged.kind === "unknown") return `unknown: ${judged.why}`;
  if (judged.kind === "possible") return `possible ${judged.receivedShare} ${judged.sentShare}`;
  const { direction, connectionBytes, interfaceBytes, allowedBytes, impossible } = judged;
  return `${impossible ? "impossible" : "exceeded"} ${direction} ${connectionBytes} of ${interfaceBytes} + ${allowedBytes}`;
}

describe("a half between two readings", () => {
  const rows: readonly (readonly [openedMs: number, countedMs: number, within: boolean])[] = [
    [MINUTE_MS, 5 * MINUTE_MS - 5_000, true],
    [2 * MINUTE_MS, 2 * MINUTE_MS, true],
    // It may have begun before the first.
    [MINUTE_MS - 1, 3 * MINUTE_MS, false],
    [-MINUTE_MS, 3 * MINUTE_MS, false],
    // It may have gone on after the last.
    [2 * MINUTE_MS, 5 * MINUTE_MS - 4_999, false],
    [2 * MINUTE_MS, 9 * MINUTE_MS, false],
    // A clock was set.
    [3 * MINUTE_MS, 2 * MINUTE_MS, false],
  ];
  for (const [openedMs, countedMs, within] of rows) {
    test(`opened at ${openedMs} ms, counted at ${countedMs} ms: ${within}`, () => {
      const half = { openedMs: T0_MS + openedMs, countedMs: T0_MS + countedMs };
      assert.equal(isWithin(half, totals(0), totals(5)), within);
    });
  }
});
