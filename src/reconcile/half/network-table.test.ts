import assert from "node:assert/strict";
import { it } from "node:test";
import { SimMesh } from "../../../test/simulate/sim-mesh.ts";
import { DEFAULT_NETWORK } from "../../format/network-name.ts";
import { CELL, HalfRecords } from "./half-records.ts";
import { MARK } from "./half-state.ts";
import { NetworkTable } from "./network-table.ts";

it("gives a name one number, and the default network 0", () => {
  const networks = new NetworkTable();
  const numbers = [undefined, DEFAULT_NETWORK, "lab", "home", "lab", "constructor"].map((name) =>
    networks.numberOf(name),
  );
  assert.deepEqual(numbers, [0, 0, 1, 2, 1, 3]);
  assert.deepEqual(
    [0, 1, 2, 3, 9].map((number) => networks.nameOf(number)),
    [DEFAULT_NETWORK, "lab", "home", "constructor", DEFAULT_NETWORK],
  );
  assert.equal(networks.size, 4);
});

it("keeps the names of halves in use, and forgets all others", () => {
  const networks = new NetworkTable();
  const records = new HalfRecords();
  const slots = ["a", "b", undefined, "c", "b"].map((name) => {
    const slot = records.allocate();
    records.setCell(slot, CELL.state, MARK.live);
    records.setCell(slot, CELL.network, networks.numberOf(name));
    return slot;
  });
  for (let count = 0; count < 1_000; count++) networks.numberOf(`n${count}`);
  records.release(slots[0] ?? -1);
  networks.compact(records);
  const names = slots.slice(1).map((slot) => networks.nameOf(records.cell(slot, CELL.network)));
  assert.deepEqual(names, ["b", DEFAULT_NETWORK, "c", "b"]);
  assert.equal(networks.size, 3);
});

it("finds the other half of one that came before the numbers changed", () => {
  const mesh = new SimMesh();
  const [a, b] = [mesh.host("a"), mesh.host("b")];
  const network = "lab";
  for (const host of [a, b]) {
    host.emit({ kind: "addresses", atMs: mesh.nowMs, networks: { [network]: [host.ip] } });
  }
  mesh.pass(30_000);
  const { reconcile } = mesh;
  for (let count = 0; count < 20; count++) reconcile.names.networks.numberOf(`n${count}`);
  const ends = { initiatorIp: a.ip, initiatorPort: 50_000, responderIp: b.ip, responderPort: 443 };
  const open = { kind: "open", tuple: { protocol: 6, ...ends }, pickup: false, network } as const;
  a.emit({ ...open, atMs: mesh.nowMs, role: "initiator" });
  mesh.pass(500);
  assert.equal(reconcile.names.networks.size, 22);
  reconcile.compactNetworks(23);
  assert.equal(reconcile.names.networks.size, 22);
  reconcile.compactNetworks(22);
  assert.equal(reconcile.names.networks.size, 2);
  b.emit({ ...open, atMs: mesh.nowMs, role: "responder" });
  mesh.pass(500);
  assert.match(mesh.verdict(50_000), /^matched/);
});
