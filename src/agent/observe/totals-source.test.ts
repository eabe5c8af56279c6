import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { InterfaceTotals, LogEntry, PeerTotals, TotalsEntry } from "../../format/entry.ts";
import { INTERFACES_MAX } from "../../format/limits.ts";
import { ManualClock } from "../../std/clock.ts";
import type { NodeInterfaces } from "./interface-totals.ts";
import { TOTALS_INTERVAL_MS } from "./limits.ts";
import { TotalsSource } from "./totals-source.ts";

const PEER = {
  interface: "wg0",
  publicKey: Buffer.alloc(32).toString("base64"),
  addresses: [],
  receivedBytes: 1,
  sentBytes: 2,
};

class Rig {
  readonly clock = new ManualClock();
  readonly said: (TotalsEntry | LogEntry)[] = [];
  receivedBytes = 0;
  hasWireGuard = false;
  interfaces: () => NodeInterfaces = () => ({
    totals: [this.eth0()],
    hasWireGuard: this.hasWireGuard,
  });
  peers: () => Promise<readonly PeerTotals[]> = () => Promise.resolve([PEER]);
  readonly source = new TotalsSource({
    clock: this.clock,
    emit: (entry) => this.said.push(entry),
    interfaces: () => this.interfaces(),
    peers: () => this.peers(),
  });

  eth0(): InterfaceTotals {
    const { receivedBytes } = this;
    const others = { sentBytes: 0, receivedPackets: 1, sentPackets: 0 };
    return { index: 2, name: "eth0", claimed: true, receivedBytes, ...others };
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await setImmediate();
  }
}

test("at the start, every five minutes and at the end", async () => {
  const rig = new Rig();
  const startMs = rig.clock.nowMs();
  rig.source.start();
  await rig.pass(0);
  await rig.pass(TOTALS_INTERVAL_MS - 1);
  assert.equal(rig.said.length, 1);
  rig.receivedBytes = 100;
  await rig.pass(1);
  await rig.pass(TOTALS_INTERVAL_MS);
  await rig.pass(1000);
  rig.receivedBytes = 150;
  await rig.source.stop();
  await rig.pass(10 * TOTALS_INTERVAL_MS);
  assert.deepEqual(
    rig.said.map((entry) => {
      assert.ok(entry.kind === "totals");
      return [entry.atMs - startMs, entry.interfaces[0]?.receivedBytes, entry.peers];
    }),
    [
      [0, 0, undefined],
      [TOTALS_INTERVAL_MS, 100, undefined],
      [2 * TOTALS_INTERVAL_MS, 100, undefined],
      [2 * TOTALS_INTERVAL_MS + 1000, 150, undefined],
    ],
  );
});

test("with WireGuard's peers where there are such interfaces", async () => {
  const rig = new Rig();
  rig.hasWireGuard = true;
  await rig.source.stop();
  assert.partialDeepStrictEqual(rig.said, [{ kind: "totals", peers: [PEER] }]);
});

test("without its tool the interfaces are told all the same, and what is missing once", async () => {
  const rig = new Rig();
  rig.hasWireGuard = true;
  rig.peers = () => Promise.reject(new Error("spawn wg ENOENT"));
  rig.source.start();
  await rig.pass(TOTALS_INTERVAL_MS);
  await rig.source.stop();
  assert.deepEqual(
    rig.said.map((entry) => (entry.kind === "log" ? entry.body : Object.keys(entry).join())),
    [
      "what WireGuard's peers carried is not known: spawn wg ENOENT",
      ...Array.from({ length: 3 }, () => "kind,atMs,interfaces"),
    ],
  );
});

const NOTHING: readonly (readonly [what: string, () => NodeInterfaces])[] = [
  [
    "files that are not there",
    () => {
      throw new Error("ENOENT");
    },
  ],
  [
    "more interfaces than a line holds",
    () => ({
      totals: Array.from({ length: INTERFACES_MAX + 1 }, () => new Rig().eth0()),
      hasWireGuard: false,
    }),
  ],
];
for (const [what, interfaces] of NOTHING) {
  test(`${what}: no totals, and said once`, async () => {
    const rig = new Rig();
    rig.interfaces = interfaces;
    rig.source.start();
    await rig.pass(TOTALS_INTERVAL_MS);
    await rig.source.stop();
    assert.equal(rig.said.length, 1);
    assert.match((rig.said[0] as LogEntry).body, /^what the interfaces carried is not known/);
  });
}
