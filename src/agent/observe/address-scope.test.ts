import assert from "node:assert/strict";
import { test } from "node:test";
import { AddressScope } from "./address-scope.ts";
import type { Direction } from "./conntrack-line.ts";

const scope = new AddressScope([
  { name: "mesh", cidr: "100.64.0.0/10" },
  { name: "six", cidr: "fd00::/8" },
]);
scope.update({
  own: ["10.0.0.1", "100.64.0.1", "fd00::1"],
  unnamed: ["172.17.0.1"],
  inner: ["172.17.0.1/16"],
  broadcasts: ["10.0.0.255"],
});

function direction(sourceIp: string, destinationIp: string): Direction {
  const none = { sourcePort: 1, destinationPort: 2, packets: undefined, bytes: undefined };
  return { sourceIp, destinationIp, ...none };
}

/** Initiator, responder, who answers (the responder, unless translated), and the share. */
const cases: readonly [from: string, to: string, answers: string | undefined, share: string][] = [
  ["10.0.0.1", "10.0.0.2", undefined, "initiator"],
  ["10.0.0.2", "10.0.0.1", undefined, "responder"],
  ["10.0.0.2", "10.0.0.3", undefined, "forwarder"],
  ["100.64.0.9", "100.64.0.1", undefined, "responder mesh"],
  ["100.64.0.9", "100.64.0.8", undefined, "forwarder mesh"],
  ["fd00::1", "fd00::2", undefined, "initiator six"],
  ["10.0.0.1", "100.64.0.1", undefined, "nobody's"],
  ["127.0.0.1", "10.0.0.2", undefined, "nobody's"],
  ["10.0.0.1", "127.64.0.1", undefined, "nobody's"],
  ["10.0.0.1", "224.0.0.251", undefined, "nobody's"],
  ["10.0.0.1", "10.0.0.255", undefined, "nobody's"],
  ["0.0.0.0", "255.255.255.255", undefined, "nobody's"],
  ["169.254.1.1", "10.0.0.1", undefined, "nobody's"],
  ["fe80::1", "fe80::2", undefined, "nobody's"],
  ["::1", "::1", undefined, "nobody's"],
  // Containers: among themselves, with their host, out, and in through a published port.
  ["172.17.0.2", "172.17.0.3", undefined, "nobody's"],
  ["172.17.0.1", "172.17.0.2", undefined, "nobody's"],
  ["172.17.0.2", "10.0.0.2", undefined, "forwarder"],
  ["10.0.0.2", "10.0.0.1", "172.17.0.2", "responder"],
  // A service address in front of this node.
  ["10.0.0.2", "10.9.9.9", "10.0.0.1", "responder"],
  ["10.0.0.1", "10.9.9.9", "10.0.0.1", "nobody's"],
];

for (const [from, to, answers, expected] of cases) {
  const via = answers === undefined ? "" : `, answered by ${answers}`;
  test(`${from} → ${to}${via} is ${expected}`, () => {
    const share = scope.share(direction(from, to), direction(answers ?? to, from));
    const text = share === undefined ? "nobody's" : [share.role, share.network].join(" ").trim();
    assert.equal(text, expected);
  });
}

test("looks again before it takes a connection for somebody else's", () => {
  const fresh = new AddressScope([], () => {
    fresh.update({ own: ["10.0.0.1"], unnamed: [], inner: [], broadcasts: [] });
  });
  const share = fresh.share(direction("10.0.0.2", "10.0.0.1"), direction("10.0.0.1", "10.0.0.2"));
  assert.equal(share?.role, "responder");
});
