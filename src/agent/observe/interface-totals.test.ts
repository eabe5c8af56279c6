import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { readInterfaces } from "./interface-totals.ts";

const HEADING = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
`;

interface Planted {
  readonly name: string;
  /** As in the kernel's table. */
  readonly counts: string;
  readonly index?: number;
  readonly type?: number;
  readonly devtype?: string;
  /** A folder that says what it is a port of. */
  readonly port?: "brport" | "bonding_slave";
}

/** A kernel's files, as they look. */
function plant(t: TestContext, interfaces: readonly Planted[]): { counts: string; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), "tallystick-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const { name, index, type = 1, devtype, port } of interfaces) {
    const own = join(folder, name);
    mkdirSync(port === undefined ? own : join(own, port), { recursive: true });
    writeFileSync(join(own, "type"), `${type}\n`);
    const about = index === undefined ? "" : `IFINDEX=${index}\n`;
    const kind = devtype === undefined ? "" : `DEVTYPE=${devtype}\n`;
    writeFileSync(join(own, "uevent"), `${kind}INTERFACE=${name}\n${about}`);
  }
  const counts = join(folder, "counts");
  const rows = interfaces.map((one) => `${one.name.padStart(6)}: ${one.counts}\n`);
  writeFileSync(counts, HEADING + rows.join(""));
  return { counts, folder };
}

const ETH0 =
  "314523105    7363    1    2    0     0          0         9   402790    4581    3    0    0     0       0          0";

test("counts by interface, with those that carry the node's addresses", (t) => {
  const files = plant(t, [
    {
      name: "lo",
      counts:
        "364293963  567001    0    0    0     0          0         0 364293963  567001    0    0    0     0       0          0",
      index: 1,
      type: 772,
    },
    { name: "eth0", counts: ETH0, index: 4 },
    {
      name: "wg0",
      counts: "9007199254740991 2 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
      index: 5,
      type: 65_534,
    },
  ]);
  const { totals, hasWireGuard } = readInterfaces(new Set(["eth0"]), files);
  assert.deepEqual(totals, [
    {
      index: 4,
      name: "eth0",
      claimed: true,
      receivedBytes: 314_523_105,
      sentBytes: 402_790,
      receivedPackets: 7_363,
      sentPackets: 4_581,
    },
    {
      index: 5,
      name: "wg0",
      claimed: false,
      receivedBytes: Number.MAX_SAFE_INTEGER,
      sentBytes: 0,
      receivedPackets: 2,
      sentPackets: 0,
    },
  ]);
  assert.equal(hasWireGuard, false);
});

test("what is counted elsewhere, and what has carried nothing, is left out", (t) => {
  const files = plant(t, [
    { name: "port1", counts: ETH0, index: 2, port: "brport" },
    { name: "eth1", counts: ETH0, index: 3, port: "bonding_slave" },
    { name: "ifb0", counts: "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0", index: 4 },
    { name: "br0", counts: ETH0, index: 5 },
  ]);
  const { totals } = readInterfaces(new Set(), files);
  assert.deepEqual(
    totals.map(({ name }) => name),
    ["br0"],
  );
});

test("WireGuard is known by its type, not by its name", (t) => {
  const files = plant(t, [{ name: "office", counts: ETH0, index: 2, devtype: "wireguard" }]);
  assert.equal(readInterfaces(new Set(), files).hasWireGuard, true);
});

const UNKNOWN: readonly (readonly [what: string, Planted])[] = [
  ["no index", { name: "eth0", counts: ETH0 }],
  ["too few counts", { name: "eth0", counts: "1 2 3", index: 2 }],
  ["no number", { name: "eth0", counts: ETH0.replace("402790", "many"), index: 2 }],
  [
    "more than a double holds",
    { name: "eth0", counts: ETH0.replace("402790", "18446744073709551615"), index: 2 },
  ],
];
for (const [what, planted] of UNKNOWN) {
  test(`nothing is said where the files are not understood: ${what}`, (t) => {
    const files = plant(t, [planted]);
    assert.throws(() => readInterfaces(new Set(), files), /the kernel/);
  });
}

test("nor where the folders are not those of the counts", (t) => {
  const { counts } = plant(t, [{ name: "eth0", counts: ETH0, index: 2 }]);
  const { folder } = plant(t, []);
  assert.throws(() => readInterfaces(new Set(), { counts, folder }), { code: "ENOENT" });
});

test("this machine's own files are understood", { skip: process.platform !== "linux" }, () => {
  for (const { index, name } of readInterfaces(new Set()).totals) {
    assert.ok(index > 0 && name !== "");
  }
});
