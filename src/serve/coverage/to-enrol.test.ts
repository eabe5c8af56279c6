import assert from "node:assert/strict";
import { it } from "node:test";
import { toEnrol } from "./to-enrol.ts";

const claims = new Map([
  ["default", new Set(["10.0.0.1", "fd00::1"])],
  ["lab", new Set(["10.0.0.2"])],
]);
const isOwn = (address: string): boolean => address === "10.0.0.9";
const peer = (address: string, network = "default") => ({ network, address });

it("leaves out the server, and whoever is a node by now in the same network", () => {
  const peers = [
    peer("10.0.0.9"),
    peer("10.0.0.1"),
    peer("10.0.0.1", "lab"),
    peer("fd00::1"),
    peer("10.0.0.2"),
    peer("10.0.0.2", "lab"),
  ];
  assert.deepEqual(toEnrol(peers, { claims, isOwn }), [peer("10.0.0.1", "lab"), peer("10.0.0.2")]);
});

it("names ten, however many come before them who are known", () => {
  const peers = Array.from({ length: 30 }, (_, n) => peer(`10.0.1.${n}`));
  const taken = new Map([["default", new Set(peers.slice(0, 15).map(({ address }) => address))]]);
  assert.deepEqual(toEnrol(peers, { claims: taken, isOwn }), peers.slice(15, 25));
});
