import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tuple } from "./entry.ts";
import { halfId, mirrored, tupleKey } from "./half.ts";
import { domainHash } from "./identity.ts";

const nodeId = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");

test("a half's id is a cut hash of node, epoch and the open's number", () => {
  const cases: readonly (readonly [epoch: number, openSeq: number, position: string])[] = [
    [0, 0, "000000000000000000000000"],
    [1, 2, "000000010000000000000002"],
    [0xffff_ffff, 1, "ffffffff0000000000000001"],
    [0, Number.MAX_SAFE_INTEGER, "00000000001fffffffffffff"],
  ];
  const ids = cases.map(([epoch, openSeq, position]) => {
    const id = halfId(nodeId, epoch, openSeq);
    const whole = domainHash("tallystick/half/v1\n", nodeId, Buffer.from(position, "hex"));
    assert.equal(id.toString("hex"), whole.toString("hex").slice(0, 32));
    return id.toString("hex");
  });
  assert.equal(new Set(ids).size, cases.length);
});

const tuple: Tuple = {
  protocol: 6,
  initiatorIp: "10.0.0.1",
  initiatorPort: 40_000,
  responderIp: "2001:db8::1",
  responderPort: 443,
};

test("the key of a tuple tells every part of it apart", () => {
  assert.equal(tupleKey(tuple), "6 10.0.0.1 40000 2001:db8::1 443");
  const others: readonly Tuple[] = [
    { ...tuple, protocol: 17 },
    { ...tuple, initiatorIp: "10.0.0.2" },
    { ...tuple, initiatorPort: 4 },
    { ...tuple, responderIp: "2001:db8::2" },
    { ...tuple, responderPort: 80 },
    mirrored(tuple),
  ];
  assert.equal(new Set([tuple, ...others].map(tupleKey)).size, others.length + 1);
});

test("mirroring twice gives the tuple back", () => {
  assert.equal(tupleKey(mirrored(tuple)), "6 2001:db8::1 443 10.0.0.1 40000");
  assert.deepEqual(mirrored(mirrored(tuple)), tuple);
});
