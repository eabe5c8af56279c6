/** Lines in the form of `wg show all transfer` and `wg show all allowed-ips`, written by hand after wg(8). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeLine, decodeLine } from "../../format/entry-line.ts";
import { PEERS_MAX } from "../../format/limits.ts";
import { parsePeers, readPeers } from "./wireguard-peers.ts";

const key = (fill: number): string => Buffer.alloc(32, fill).toString("base64");

const TRANSFER = `wg0\t${key(1)}\t1024\t2048
wg0\t${key(2)}\t0\t148
office\t${key(1)}\t9007199254740991\t0
`;
const ALLOWED = `wg0\t${key(1)}\t10.0.0.2/32 2001:DB8::2/128 10.0.9.0/24 10.0.0.3/32
wg0\t${key(2)}\t(none)
office\t${key(1)}\t0.0.0.0/0 ::/0
`;

test("what each peer carried, and the single addresses that are its own", () => {
  assert.deepEqual(parsePeers(TRANSFER, ALLOWED), [
    {
      interface: "wg0",
      publicKey: key(1),
      addresses: ["10.0.0.2", "2001:db8::2"],
      receivedBytes: 1024,
      sentBytes: 2048,
    },
    { interface: "wg0", publicKey: key(2), addresses: [], receivedBytes: 0, sentBytes: 148 },
    {
      interface: "office",
      publicKey: key(1),
      addresses: [],
      receivedBytes: Number.MAX_SAFE_INTEGER,
      sentBytes: 0,
    },
  ]);
});

test("what comes of it can be sent", () => {
  const entry = {
    kind: "totals",
    atMs: 1,
    interfaces: [],
    peers: parsePeers(TRANSFER, ALLOWED),
  } as const;
  const position = { seq: 0, previousAtMs: 0 };
  assert.deepEqual(decodeLine(encodeLine(entry, position), position), entry);
});

test("of too many, those that carried the most", () => {
  const lines = Array.from(
    { length: PEERS_MAX + 50 },
    (_, index) => `wg0\t${key(index)}\t${index}\t1`,
  );
  const peers = parsePeers(lines.join("\n"), "");
  assert.equal(peers.length, PEERS_MAX);
  assert.equal(Math.min(...peers.map(({ receivedBytes }) => receivedBytes)), 50);
});

test("lines that are no peer's are passed over", () => {
  assert.deepEqual(parsePeers(`wg0\n\nwg0\t${key(1)}\tmany\t1\nwg0\t${key(1)}\t1`, "wg0"), []);
});

test("both lists are asked for, and nothing else", async () => {
  const asked: string[] = [];
  await readPeers((what) => {
    asked.push(what);
    return Promise.resolve(what === "transfer" ? TRANSFER : ALLOWED);
  });
  assert.deepEqual(asked, ["transfer", "allowed-ips"]);
});
