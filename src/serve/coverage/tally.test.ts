import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type GroupRow, type Span, Tally } from "./tally.ts";

type Kind = readonly [
  connections: number,
  verdict: string,
  more?: { excuse?: string; lone?: boolean },
];

function tally(rows: readonly (readonly [GroupRow["part"], name: string, ...Kind])[]): Tally {
  const counted = new Tally();
  for (const [part, name, connections, verdict, more = {}] of rows) {
    const { excuse = "", lone = verdict !== "matched" && verdict !== "differs" } = more;
    const two_halves = lone ? 0 : 1;
    counted.addGroup({ part, name, verdict, excuse, two_halves, connections });
  }
  return counted;
}

const short = ({ connections, both_ends, share, between_nodes }: Span["networks"][number]) => [
  connections,
  both_ends,
  share,
  between_nodes.connections,
  between_nodes.share,
];

describe("a tally", () => {
  it("counts both ends, and names the reasons of the rest, most frequent first", () => {
    const { networks, nodes, unmonitored_peers, ...all } = tally([
      ["network", "default", 88, "matched"],
      ["network", "default", 2, "differs"],
      ["network", "default", 2, "excused", { excuse: "by_hand", lone: false }],
      ["network", "default", 3, "pending"],
      ["network", "default", 4, "excused", { excuse: "offline" }],
      ["network", "default", 1, "missing"],
      ["network", "default", 100, "external"],
    ]).span([]);
    assert.deepEqual(all, {
      connections: 200,
      both_ends: 92,
      share: 0.46,
      between_nodes: { connections: 100, share: 0.92 },
      one_end_by_reason: { external: 100, offline: 4, pending: 3, missing: 1 },
    });
    const order = ["external", "offline", "pending", "missing"];
    assert.deepEqual(Object.keys(all.one_end_by_reason), order);
    assert.deepEqual([networks.length, nodes.length, unmonitored_peers.length], [1, 0, 0]);
  });

  it("has no share of nothing", () => {
    const { share, between_nodes, nodes } = new Tally().span(["idle"]);
    assert.deepEqual([share, between_nodes.share], [null, null]);
    assert.deepEqual(nodes.map(short), [[0, 0, null, 0, null]]);
  });

  it("has no share between nodes where all is external", () => {
    const span = tally([["network", "default", 5, "external"]]).span([]);
    assert.deepEqual([span.share, span.between_nodes.share], [0, null]);
  });

  it("adds what a node began and what it answered, and knows those without any", () => {
    const { nodes, connections } = tally([
      ["network", "default", 9, "matched"],
      ["initiator", "b", 4, "matched"],
      ["responder", "b", 5, "matched"],
      ["responder", "b", 1, "excused", { excuse: "gap" }],
      ["initiator", "", 7, "external"],
    ]).span(["c", "a"]);
    assert.equal(connections, 9);
    assert.deepEqual(
      nodes.map((node) => [node.name, ...short(node)]),
      [
        ["a", 0, 0, null, 0, null],
        ["b", 10, 9, 0.9, 10, 0.9],
        ["c", 0, 0, null, 0, null],
      ],
    );
  });

  it("keeps networks apart", () => {
    const { networks } = tally([
      ["network", "lab", 2, "matched"],
      ["network", "default", 1, "missing"],
    ]).span([]);
    assert.deepEqual(
      networks.map(({ name, share }) => [name, share]),
      [
        ["default", 0],
        ["lab", 1],
      ],
    );
  });

  it("ranks peers without an agent by their connections in all hours", () => {
    const counted = new Tally();
    for (const [hour, times] of [1, 2].entries()) {
      for (let n = 0; n < 12; n++) {
        const address = `192.0.2.${n}`;
        const connections = n === 3 ? 100 * times : n;
        counted.addPeer({ network: "default", address, connections, nodes: hour + 2 });
      }
    }
    const { unmonitored_peers: peers } = counted.span([]);
    assert.equal(peers.length, 12);
    assert.deepEqual(peers[0], {
      network: "default",
      address: "192.0.2.3",
      connections: 300,
      nodes: 3,
    });
    assert.deepEqual([peers[1]?.address, peers[1]?.connections], ["192.0.2.11", 22]);
  });
});
