import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ConnectionState } from "../../format/entry.ts";
import { counterDifference, endsDifference, type CountedEnd } from "./counters.ts";

/** What an end says: bytes on the wire, payload bytes, both as the initiator's and the responder's. */
function end(
  [sent, answered]: readonly [number, number],
  payload?: readonly [number, number],
  state: ConnectionState = "SF",
): CountedEnd {
  return {
    state,
    counters: {
      initiatorPackets: 9,
      initiatorBytes: sent,
      responderPackets: 9,
      responderBytes: answered,
    },
    payload:
      payload === undefined
        ? undefined
        : { initiatorBytes: payload[0], responderBytes: payload[1] },
  };
}

const WIRE = [10_000, 500_000] as const;
const MAX = Number.MAX_SAFE_INTEGER;

describe("payload bytes of two orderly ends", () => {
  const rows: readonly (readonly [
    initiator: readonly [number, number],
    responder: readonly [number, number],
    said: string,
  ])[] = [
    [[9_000, 480_000], [9_000, 480_000], "fit"],
    [[0, 0], [0, 0], "fit"],
    [[MAX, MAX], [MAX, MAX], "fit"],
    // A receiver may lack the one byte of the end of the stream.
    [[9_000, 479_999], [9_000, 480_000], "fit"],
    [[9_000, 480_000], [8_999, 480_000], "fit"],
    [[9_000, 479_999], [8_999, 480_000], "fit"],
    [[1, 0], [0, 1], "fit"],
    // Two are too many, and one in the other direction.
    [[9_000, 480_000], [8_998, 480_000], "initiator 9000 8998 allowed 1"],
    [[9_000, 479_998], [9_000, 480_000], "responder 480000 479998 allowed 1"],
    [[9_000, 480_000], [9_001, 480_000], "initiator 9000 9001 allowed 0 impossible"],
    [[9_000, 480_001], [9_000, 480_000], "responder 480000 480001 allowed 0 impossible"],
    [[0, 0], [1, 0], "initiator 0 1 allowed 0 impossible"],
    [[0, 0], [0, 5], "responder 5 0 allowed 1"],
    [[MAX, 0], [0, 0], `initiator ${MAX} 0 allowed 1`],
    [[1, 7], [9, 3], "initiator 1 9 allowed 0 impossible"],
  ];
  for (const [initiator, responder, said] of rows) {
    test(`${initiator.join()} and ${responder.join()}: ${said}`, () => {
      const difference = endsDifference(end(WIRE, initiator), end(WIRE, responder));
      assert.equal(inShort(difference), said);
      if (difference !== undefined) assert.equal(difference.exact, true);
    });
  }
});

describe("payload bytes say nothing", () => {
  const far = [1, 1] as const;
  const rows: readonly (readonly [what: string, CountedEnd, CountedEnd])[] = [
    ["where one end has none", end(WIRE, far), end(WIRE)],
    ["nor where the other has none", end(WIRE), end(WIRE, far)],
    ["where one end saw a reset", end(WIRE, far, "RST"), end(WIRE, [9, 9])],
    ["where one timed out half closed", end(WIRE, far), end(WIRE, [9, 9], "S2")],
  ];
  for (const [what, initiator, responder] of rows) {
    test(what, () => assert.equal(endsDifference(initiator, responder), undefined));
  }
  test("and bytes on the wire are compared instead", () => {
    const difference = endsDifference(end([1_000_000, 0], [1, 1]), end([50_000, 0]));
    assert.equal(difference?.exact, false);
    assert.equal(difference?.sentBy, "initiator");
  });
});

test("payload bytes that fit do not excuse bytes on the wire that do not", () => {
  const difference = endsDifference(end([1_000_000, 0], [1, 1]), end([50_000, 0], [1, 1]));
  assert.equal(inShort(difference), "initiator 1000000 50000 allowed 611960");
});

test("without counters there is nothing to compare but payload bytes", () => {
  const none = { ...end(WIRE), counters: undefined };
  assert.equal(endsDifference(none, end([1, 1])), undefined);
  assert.equal(endsDifference(end([1, 1]), none), undefined);
  const payload = { initiatorBytes: 5, responderBytes: 5 };
  const other = { initiatorBytes: 50, responderBytes: 5 };
  const difference = endsDifference({ ...none, payload }, { ...none, payload: other });
  assert.equal(inShort(difference), "initiator 5 50 allowed 0 impossible");
});

describe("bytes on the wire", () => {
  const rows: readonly (readonly [sent: number, received: number, said: string])[] = [
    [0, 0, "fit"],
    [100_000, 100_000, "fit"],
    // One header or many for the same payload, either way.
    [100_000, 100_000 + 60 * 187, "fit"],
    [100_000, 100_000 + 12_753, "initiator 100000 112753 allowed 12660 impossible"],
    // Lost on the way: half, or a large segment and some packets, and headers.
    [1_000_000, 388_040, "fit"],
    [1_000_000, 388_039, "initiator 1000000 388039 allowed 611960"],
    [100_000, 18_744, "fit"],
    [100_000, 18_743, "initiator 100000 18743 allowed 81256"],
    [70_000, 0, "fit"],
    [0, 60, "fit"],
    [0, 61, "initiator 0 61 allowed 60 impossible"],
  ];
  for (const [sent, received, said] of rows) {
    test(`${sent} sent, ${received} received: ${said}`, () => {
      const [a, b] = [end([sent, 7]).counters, end([received, 7]).counters];
      assert.ok(a !== undefined && b !== undefined);
      assert.equal(inShort(counterDifference(a, b)), said);
      const mirrored = counterDifference(
        { ...a, initiatorBytes: 7, responderBytes: received },
        { ...b, initiatorBytes: 7, responderBytes: sent },
      );
      assert.equal(inShort(mirrored), said.replace("initiator", "responder"));
    });
  }
});

function inShort(difference: ReturnType<typeof endsDifference>): string {
  if (difference === undefined) return "fit";
  const { sentBy, sentBytes, receivedBytes, allowedBytes, impossible } = difference;
  return `${sentBy} ${sentBytes} ${receivedBytes} allowed ${allowedBytes}${impossible ? " impossible" : ""}`;
}
