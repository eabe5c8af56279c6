import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { OpenEntry } from "../format/entry.ts";
import { AddressBook } from "./address-book.ts";
import { Half } from "./half.ts";
import { isPastAccounts, judgeLone, type Sky } from "./judge.ts";
import { ACCOUNT_WAIT_MS, OFFLINE_PATIENCE_MS } from "./limits.ts";
import { NodeStream } from "./node-stream.ts";

const OPENED_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;

const OPEN: OpenEntry = {
  kind: "open",
  atMs: OPENED_MS,
  role: "initiator",
  tuple: {
    protocol: 6,
    initiatorIp: "10.0.0.1",
    initiatorPort: 40_000,
    responderIp: "10.0.0.2",
    responderPort: 443,
  },
  pickup: false,
};

function world(receivedMs = OPENED_MS): {
  node: NodeStream;
  peer: NodeStream;
  half: Half;
  sky: (nowMs: number) => Sky;
} {
  const [node, peer] = [new NodeStream("a", "a"), new NodeStream("b", "b")];
  const book = new AddressBook();
  book.claim(peer, { default: ["10.0.0.2"] });
  const place = { epoch: 0, seq: 0, index: 0, receivedMs, leastLagMs: 0 };
  const half = new Half(node, OPEN, place);
  const sky = (nowMs: number): Sky => ({
    nowMs,
    toleranceMs: 10_000,
    book,
    streamOf: () => node,
  });
  return { node, peer, half, sky };
}

/** What `half` says at its end or in its life. */
function amend(half: Half, kind: "update" | "close", ageMs: number): void {
  half.amend({ kind, atMs: OPENED_MS + ageMs, openSeq: 0, ageMs, state: "S1", assured: true });
}

describe("waiting for final counters ends", () => {
  it("when the node is complete past the end by what the kernel needs", () => {
    const { node, half, sky } = world();
    amend(half, "close", 1_000);
    node.memory.watermarkMs = OPENED_MS + 1_000 + ACCOUNT_WAIT_MS;
    assert.equal(isPastAccounts(half, sky(OPENED_MS + HOUR_MS)), false);
    node.memory.watermarkMs++;
    assert.equal(isPastAccounts(half, sky(OPENED_MS + HOUR_MS)), true);
  });

  it("a day after the end, though the node never claims to be complete", () => {
    const { half, sky } = world();
    amend(half, "close", HOUR_MS);
    const dayAfterMs = OPENED_MS + HOUR_MS + OFFLINE_PATIENCE_MS;
    assert.equal(isPastAccounts(half, sky(dayAfterMs)), false);
    assert.equal(isPastAccounts(half, sky(dayAfterMs + 1)), true);
  });

  it("when the close was lost: a day without the updates of a living half", () => {
    const { node, half, sky } = world();
    amend(half, "update", 3 * HOUR_MS);
    node.memory.watermarkMs = OPENED_MS + 3 * HOUR_MS + OFFLINE_PATIENCE_MS;
    assert.equal(isPastAccounts(half, sky(node.memory.watermarkMs)), false);
    node.memory.watermarkMs++;
    assert.equal(isPastAccounts(half, sky(node.memory.watermarkMs)), true);
  });
});

describe("a half that came more than a day late", () => {
  for (const [lateMs, verdict] of [
    [OFFLINE_PATIENCE_MS, "missing"],
    [OFFLINE_PATIENCE_MS + 1, "excused"],
  ] as const) {
    it(`by ${lateMs} ms is ${verdict}: its partner is not waited for longer`, () => {
      const receivedMs = OPENED_MS + lateMs;
      const { node, peer, half, sky } = world(receivedMs);
      amend(half, "close", 1_000);
      const nowMs = receivedMs + HOUR_MS;
      for (const { memory } of [node, peer]) {
        memory.watermarkMs = nowMs;
        memory.freshAtMs = nowMs;
      }
      assert.equal(judgeLone(half, sky(nowMs)).verdict, verdict);
    });
  }
});
