/** Honest halves that a real kernel made, reduced to what matters: each was once called a fault. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SimMesh, type SimHost } from "../../test/simulate/sim-mesh.ts";
import { begin, played, tell } from "../../test/simulate/told-halves.ts";
import { TOLD_EVERY_MS } from "./limits.ts";

const UDP = 17;
const PORT = 7014;

interface Ended {
  readonly lastedMs: number;
  readonly packets: number;
  readonly bytes: number;
}

/** Two nodes of which `a` begins UDP sessions with `b`, each told as the ends' kernels saw it. */
class Ends {
  readonly mesh = new SimMesh();
  readonly a = this.mesh.host("a");
  readonly b = this.mesh.host("b");

  constructor() {
    this.mesh.pass(30_000);
  }

  /** One end records that a session begins now, and was answered; what it records at its end is up to the caller. */
  begin(host: SimHost, port: number): (ended: Ended) => void {
    const openedMs = this.mesh.nowMs;
    const role = host === this.a ? "initiator" : "responder";
    const ends = { initiatorIp: this.a.ip, responderIp: this.b.ip, responderPort: PORT };
    const tuple = { protocol: UDP, initiatorPort: port, ...ends };
    const openSeq = host.emit({ kind: "open", atMs: openedMs, role, tuple, pickup: false });
    const said = { openSeq, state: "SF" } as const;
    host.emit({ kind: "update", ...said, assured: false, atMs: openedMs, ageMs: 0 });
    return ({ lastedMs, packets, bytes }) => {
      const counters = {
        initiatorPackets: packets,
        initiatorBytes: bytes,
        responderPackets: packets,
        responderBytes: bytes,
      };
      const times = { atMs: openedMs + lastedMs, ageMs: lastedMs };
      const assured = packets > 2;
      host.emit({ kind: "close", ...said, ...times, assured, counters, inferred: false });
    };
  }
}

describe("a UDP session that only the responder's kernel divided", () => {
  const rows: [what: string, parts: number[], open: number][] = [
    ["is compared as a whole", [1006, 814, 1006], 0],
    ["differs when a part of it is not as it was", [1006, 814_000, 1006], 1],
  ];
  for (const [what, parts, open] of rows) {
    it(what, () => {
      const ends = new Ends();
      const { mesh, a, b } = ends;
      const endWhole = ends.begin(a, 44_221);
      for (const bytes of parts) {
        const endPart = ends.begin(b, 44_221);
        mesh.pass(6_000);
        endPart({ lastedMs: 0, packets: 1, bytes });
        mesh.pass(3_000);
      }
      mesh.pass(20_000);
      endWhole({ lastedMs: 18_007, packets: 3, bytes: 2826 });
      mesh.pass(60_000);
      assert.equal(mesh.open.length, open, mesh.open.join());
      mesh.pass(300_000);
      assert.equal(mesh.reconcile.liveCount, 0);
    });
  }
});

it("a part of a UDP session whose other end opts out meanwhile is told when the rest of it is over", () => {
  const ends = new Ends();
  const { mesh, a, b } = ends;
  const port = 44_222;
  ends.begin(a, port);
  const endFirst = ends.begin(b, port);
  mesh.pass(60_000);
  endFirst({ lastedMs: 2_000, packets: 8, bytes: 1_006 });
  mesh.pass(5_000);
  // It reads the second part before the other end opts out, and sends it afterwards.
  b.up = false;
  const endSecond = ends.begin(b, port);
  mesh.pass(10_000);
  a.emit({ kind: "opt_out", atMs: mesh.nowMs, origin: "flag" });
  mesh.pass(500);
  a.up = false;
  mesh.pass(10_000);
  b.up = true;
  mesh.pass(60_000);
  endSecond({ lastedMs: 2_000, packets: 8, bytes: 1_006 });
  mesh.pass(600_000);
  assert.deepEqual(mesh.open, ["opted-out a"]);
  assert.equal(mesh.verdict(port), "excused/idle_split final, matched unavailable");
});

describe("a UDP session that only the initiator's kernel divided", () => {
  for (const later of [300, 20]) {
    it(`takes its parts of ${later} bytes along when it is settled`, () => {
      const ends = new Ends();
      const { mesh, a, b } = ends;
      const endWhole = ends.begin(b, 20_004);
      for (const bytes of [986, later, later]) {
        const endPart = ends.begin(a, 20_004);
        mesh.pass(6_000);
        endPart({ lastedMs: 0, packets: 1, bytes });
        mesh.pass(3_000);
      }
      mesh.pass(5_000);
      endWhole({ lastedMs: 18_007, packets: 3, bytes: 986 + 2 * later });
      mesh.pass(60_000);
      assert.deepEqual(mesh.open, []);
      const part = "excused/idle_split final";
      assert.equal(mesh.verdict(20_004), `${part}, ${part}, matched final`);
    });
  }

  it("is not compared when a part may be among what was lost", () => {
    const ends = new Ends();
    const { mesh, a, b } = ends;
    const endWhole = ends.begin(a, 41_154);
    const [fromMs, toMs] = [mesh.nowMs - 500, mesh.nowMs + 1_000];
    mesh.pass(2_000);
    b.emit({ kind: "gap", atMs: toMs, cause: "restart", count: null, fromMs, toMs });
    mesh.pass(7_000);
    for (const bytes of [452, 563]) {
      const endPart = ends.begin(b, 41_154);
      mesh.pass(6_000);
      endPart({ lastedMs: 0, packets: 1, bytes });
      mesh.pass(3_000);
    }
    endWhole({ lastedMs: 20_000, packets: 5, bytes: 1910 });
    mesh.pass(60_000);
    assert.deepEqual(mesh.open, []);
  });
});

describe("a container that its host masquerades", () => {
  const CONTAINER = "172.17.0.2";
  const rows: [what: string, lateMs: number][] = [
    ["told by the end first", -10],
    ["told by both at once", 0],
    ["told by the host first", 10],
    ["whose first SYN was lost behind the host", 3_010],
  ];
  for (const [what, lateMs] of rows) {
    it(`${what}: its host's half is that of the initiator`, () => {
      const mesh = new SimMesh();
      const host = mesh.host("host");
      const end = mesh.host("end");
      mesh.pass(30_000);
      const begun = mesh.nowMs;
      const record = (node: SimHost): void => {
        const isHost = node === host;
        const atMs = begun + (isHost ? 0 : lateMs);
        const [initiatorPort, responderPort] = [45_372, 7007];
        const initiatorIp = isHost ? CONTAINER : host.ip;
        const tuple = {
          protocol: 6,
          initiatorIp,
          initiatorPort,
          responderIp: end.ip,
          responderPort,
        };
        const reply = {
          sourceIp: end.ip,
          sourcePort: responderPort,
          destinationIp: host.ip,
          destinationPort: initiatorPort,
        };
        const role = isHost ? "forwarder" : "responder";
        const translated = isHost ? { reply } : {};
        const open = { kind: "open", atMs, role, tuple, pickup: false, ...translated } as const;
        const openSeq = node.emit(open);
        const counters = {
          initiatorPackets: 6,
          initiatorBytes: 324,
          responderPackets: 4,
          responderBytes: 729,
        };
        const ended = { openSeq, atMs: atMs + 16, ageMs: 16, state: "SF", assured: true } as const;
        node.emit({ kind: "close", ...ended, counters, inferred: false });
      };
      if (lateMs < 0) record(end);
      if (lateMs < 0) mesh.pass(500);
      record(host);
      if (lateMs > 0) mesh.pass(Math.max(500, lateMs));
      if (lateMs >= 0) record(end);
      mesh.pass(300_000);
      assert.deepEqual(mesh.open, []);
      assert.match(mesh.verdict(45_372), /^matched final$/);
      assert.equal(mesh.reconcile.liveCount, 0);
    });
  }
});

describe("a port that is used again behind a router", () => {
  it("sets no connection against what the router forwarded of the one before", () => {
    const mesh = new SimMesh();
    const [inner, router, end] = [mesh.host("inner"), mesh.host("router"), mesh.host("end")];
    mesh.pass(30_000);
    const ports = { initiatorPort: 60_711, responderPort: PORT };
    const talk = (bytes: number): void => {
      const atMs = mesh.nowMs;
      const counters = {
        initiatorPackets: 3,
        initiatorBytes: bytes,
        responderPackets: 3,
        responderBytes: bytes,
      };
      for (const host of [inner, router, end]) {
        const initiatorIp = host === end ? router.ip : inner.ip;
        const tuple = { protocol: UDP, initiatorIp, responderIp: end.ip, ...ports };
        const reply = {
          sourceIp: end.ip,
          sourcePort: PORT,
          destinationIp: router.ip,
          destinationPort: ports.initiatorPort,
        };
        const open = { kind: "open", atMs, tuple, pickup: false } as const;
        const openSeq =
          host === router
            ? host.emit({ ...open, role: "forwarder", reply })
            : host.emit({ ...open, role: host === inner ? "initiator" : "responder" });
        const said = { openSeq, atMs, ageMs: 0, state: "SF", assured: true } as const;
        host.emit({ kind: "close", ...said, counters, inferred: false });
      }
    };
    talk(1413);
    mesh.pass(197_000);
    talk(1017);
    mesh.pass(60_000);
    assert.deepEqual(mesh.open, []);
  });
});

describe("what an agent counted just before it was restarted", () => {
  it("is not compared, though its own half ended before the stop", () => {
    const ends = new Ends();
    const { mesh, a, b } = ends;
    const endThere = ends.begin(b, 39_021);
    const endHere = ends.begin(a, 39_021);
    a.emit({ kind: "stop", atMs: mesh.nowMs + 20, reason: "SIGTERM" });
    mesh.pass(1_000);
    a.emit({ kind: "start", atMs: mesh.nowMs - 200, facts: {} });
    mesh.pass(5_000);
    endHere({ lastedMs: 0, packets: 2, bytes: 577 });
    endThere({ lastedMs: 1_000, packets: 3, bytes: 778 });
    mesh.pass(60_000);
    assert.deepEqual(mesh.open, []);
    assert.equal(mesh.verdict(39_021), "matched unavailable");
  });
});

describe("a node that opted out", () => {
  it("abuses nothing, however much it is talked to afterwards", () => {
    const ends = new Ends();
    const { mesh, a, b } = ends;
    for (let count = 0; count < 60; count++) mesh.connect({ from: a, to: b });
    mesh.pass(10_000);
    b.emit({ kind: "stop", atMs: mesh.nowMs, reason: "SIGTERM" });
    mesh.pass(500);
    b.emit({ kind: "opt_out", atMs: mesh.nowMs, origin: "flag" });
    mesh.pass(500);
    b.up = false;
    b.lie = () => undefined;
    const ports: number[] = [];
    for (let count = 0; count < 600; count++) {
      mesh.pass(1_000);
      ports.push(mesh.connect({ from: a, to: b }));
    }
    // It may be back, and its first batch on the way.
    mesh.pass(660_000);
    assert.deepEqual(mesh.open, ["opted-out b"]);
    const said = new Set(ports.slice(10).map((port) => mesh.verdict(port)));
    assert.deepEqual([...said], ["excused/opted_out final"]);
  });
});

it("two containers of one address that call from one port at once are each known by their own host, for good", async () => {
  const port = 58_916;
  const seen = await played((mesh) => {
    const [one, two, to] = [mesh.host("one"), mesh.host("two"), mesh.host("to")];
    mesh.pass(30_000);
    for (const host of [one, two]) {
      const inside = { from: "172.17.0.2", to: to.ip, port };
      tell(mesh, host, { ...inside, role: "forwarder", as: { ip: host.ip, port } });
      tell(mesh, to, { role: "responder", from: host.ip, to: to.ip, port });
    }
    mesh.pass(700_000);
  });
  assert.deepEqual(seen.open, []);
  assert.equal(seen.verdict(port), "matched final, matched final");
});

describe("what its node can say nothing more of", () => {
  it("is told soon when the node opted out", () => {
    const ends = new Ends();
    const { mesh, a, b } = ends;
    const endHere = ends.begin(a, 50_001);
    ends.begin(b, 50_001);
    ends.begin(b, 50_002);
    mesh.pass(500);
    b.emit({ kind: "opt_out", atMs: mesh.nowMs, origin: "flag" });
    mesh.pass(500);
    b.up = false;
    endHere({ lastedMs: 0, packets: 1, bytes: 100 });
    mesh.pass(30_000);
    assert.equal(mesh.verdict(50_002), "excused/one_way unavailable");
    // Until then the other end may tell of another part of it.
    mesh.pass(TOLD_EVERY_MS);
    assert.equal(mesh.verdict(50_001), "matched unavailable");
  });

  it("is told soon when the node began a new epoch", () => {
    const ends = new Ends();
    const { mesh, b } = ends;
    ends.begin(b, 50_003);
    mesh.pass(1_000);
    b.epoch++;
    b.batchNo = 0;
    b.emit({ kind: "start", atMs: mesh.nowMs, facts: {} });
    mesh.pass(30_000);
    assert.equal(mesh.verdict(50_003), "excused/one_way unavailable");
  });
});

describe("a connection that ended while the agent of one end was stopped", () => {
  const rows: [what: string, isOne: boolean, verdicts: string, open: string[]][] = [
    [
      "is one with the next of its tuple for that end's kernel",
      true,
      "excused/offline final, matched unavailable",
      [],
    ],
    ["excuses no other of its tuple", false, "matched final, missing final", ["missing-half a"]],
  ];
  for (const [what, isOne, verdicts, open] of rows) {
    it(what, async () => {
      const seen = await played((mesh) => {
        const [a, b] = [mesh.host("a"), mesh.host("b")];
        mesh.pass(30_000);
        const ends = { from: a.ip, to: b.ip, port: 41_000 };
        const whole = begin(mesh, a, { ...ends, role: "initiator" });
        const first = begin(mesh, b, { ...ends, role: "responder" });
        mesh.pass(2_000);
        a.emit({ kind: "stop", atMs: mesh.nowMs, reason: "SIGTERM" });
        mesh.pass(1_000);
        a.up = false;
        first.close(2_500, 700);
        mesh.pass(10_000);
        a.up = true;
        a.emit({ kind: "start", atMs: mesh.nowMs, facts: {} });
        if (!isOne) whole.close(13_000, 700);
        mesh.pass(20_000);
        const next = begin(mesh, b, { ...ends, role: "responder" });
        mesh.pass(1_000);
        next.close(900, 500);
        if (isOne) whole.end(34_000);
        mesh.pass(120_000);
        if (isOne) whole.account(154_000, 1_200);
        mesh.pass(180_000);
      });
      assert.equal(seen.verdict(41_000), verdicts);
      assert.deepEqual(seen.open, open);
    });
  }
});
