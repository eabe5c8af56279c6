import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EntryBlock } from "../../format/entry-block.ts";
import type { Amendment, OpenEntry } from "../../format/entry.ts";
import type { BatchHeader } from "../../format/batch.ts";
import { Half } from "../half/half-records.ts";
import { isPastAccounts, judgeLone, type Sky } from "./judge.ts";
import { ACCOUNT_WAIT_MS, OFFLINE_PATIENCE_MS } from "../limits.ts";
import { CONFIRMED_MS } from "../node/node-clock.ts";
import type { NodeStream } from "../node/node-stream.ts";
import { Reconcile } from "../reconcile.ts";

const OPENED_MS = 1_800_000_000_000;
const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ID = { node: "aa".repeat(16), peer: "bb".repeat(16), server: "cc".repeat(16) };

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

interface World {
  readonly node: NodeStream;
  readonly peer: NodeStream;
  readonly half: Half;
  readonly sky: (nowMs: number) => Sky;
  readonly amend: (kind: "update" | "close", ageMs: number) => void;
}

function world(receivedMs = OPENED_MS): World {
  const reconcile = new Reconcile({ serverId: ID.server });
  const [node, peer] = [reconcile.streamFor(ID.node), reconcile.streamFor(ID.peer)];
  reconcile.book.claim(peer, { default: ["10.0.0.2"] });
  const half = new Half(reconcile.records, reconcile.names, 0);
  let seq = 0;
  const take = (entry: Parameters<EntryBlock["add"]>[0]): void => {
    const block = new EntryBlock();
    block.add(entry, seq, reconcile.addresses);
    const header = {
      epoch: 0,
      seqFirst: seq,
      entryCount: 1,
      batchNo: seq,
      closedAtMs: receivedMs + DAY_MS,
    };
    seq++;
    const times = { completeToMs: 0, bootAtMs: 0 };
    const record = { index: seq, receivedMs, nodeId: ID.node };
    reconcile.take({ ...record, header: { ...header, ...times } as BatchHeader }, block, []);
  };
  take(OPEN);
  return {
    node,
    peer,
    half,
    sky: (nowMs) => ({
      nowMs,
      everybodyMs: nowMs,
      book: reconcile.book,
      forwarderOf: () => undefined,
      streamOf: (one) => reconcile.streamFor(one.node.id),
    }),
    amend(kind, ageMs) {
      const said: Amendment = {
        atMs: OPENED_MS + ageMs,
        openSeq: 0,
        ageMs,
        state: "S1",
        assured: true,
      };
      take(kind === "close" ? { kind, ...said, inferred: false } : { kind, ...said });
    },
  };
}

describe("waiting for final counters ends", () => {
  it("when the node is complete past the end by what the kernel needs", () => {
    const { node, half, sky, amend } = world();
    amend("close", 1_000);
    node.memory.watermarkMs = OPENED_MS + 1_000 + ACCOUNT_WAIT_MS;
    assert.equal(isPastAccounts(half, sky(OPENED_MS + HOUR_MS)), false);
    node.memory.watermarkMs += SECOND_MS;
    assert.equal(isPastAccounts(half, sky(OPENED_MS + HOUR_MS)), true);
  });

  it("a day after the end, though the node never claims to be complete", () => {
    const { half, sky, amend } = world();
    amend("close", HOUR_MS);
    const dayAfterMs = OPENED_MS + HOUR_MS + ACCOUNT_WAIT_MS + OFFLINE_PATIENCE_MS;
    assert.equal(isPastAccounts(half, sky(dayAfterMs)), false);
    assert.equal(isPastAccounts(half, sky(dayAfterMs + SECOND_MS)), true);
  });

  it("when the close was lost: a day without the updates of a living half", () => {
    const { node, half, sky, amend } = world();
    amend("update", 3 * HOUR_MS);
    node.memory.watermarkMs = OPENED_MS + 3 * HOUR_MS + OFFLINE_PATIENCE_MS;
    assert.equal(isPastAccounts(half, sky(node.memory.watermarkMs)), false);
    node.memory.watermarkMs += HOUR_MS;
    assert.equal(isPastAccounts(half, sky(node.memory.watermarkMs)), true);
  });
});

describe("a half that came more than a day late", () => {
  for (const [lateMs, verdict] of [
    [OFFLINE_PATIENCE_MS, "absent"],
    [OFFLINE_PATIENCE_MS + 1, "excused"],
  ] as const) {
    it(`by ${lateMs} ms is ${verdict}: its partner is not waited for longer`, () => {
      const receivedMs = OPENED_MS + lateMs;
      const { node, peer, half, sky, amend } = world(receivedMs);
      amend("close", 1_000);
      const nowMs = receivedMs + HOUR_MS;
      for (const { memory } of [node, peer]) {
        memory.watermarkMs = nowMs;
        memory.freshAtMs = nowMs;
      }
      assert.equal(judgeLone(half, sky(nowMs)).verdict, verdict);
    });
  }
});

describe("the stop of a node whose newest batch came a minute late", () => {
  for (const [beforeMs, verdict] of [
    [4_000, "excused"],
    [30_000, "absent"],
  ] as const) {
    it(`${beforeMs} ms after an open leaves it ${verdict}: it could send late around each stop`, () => {
      const { node, peer, half, sky, amend } = world();
      amend("close", 1_000);
      const nowMs = OPENED_MS + HOUR_MS;
      for (const { memory } of [node, peer]) memory.watermarkMs = nowMs;
      const { state } = peer.clock;
      const known = { isKnown: true, steadyMs: CONFIRMED_MS, uncertaintyMs: CONFIRMED_MS + 65_536 };
      state.published = { ...state.published, ...known };
      peer.leave("stopped", OPENED_MS + beforeMs, { index: 1, seq: 0 });
      peer.comeBack(OPENED_MS + beforeMs + SECOND_MS);
      assert.equal(judgeLone(half, sky(nowMs)).verdict, verdict);
    });
  }
});
