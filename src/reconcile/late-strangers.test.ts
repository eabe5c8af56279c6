/** What is told so late that the other end's half is gone: who may be excused by that, and how often. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type SimHost, SimMesh } from "../../test/simulate/sim-mesh.ts";

const TCP = 6;
const OUTSIDE_IP = "192.0.2.7";
const SECONDS = 120;
const COUNTERS = {
  initiatorPackets: 5,
  initiatorBytes: 9,
  responderPackets: 5,
  responderBytes: 9,
};

type Lie = NonNullable<SimHost["lie"]>;

const fromOutside: Lie = (entry) =>
  entry.kind === "open" && "tuple" in entry
    ? { ...entry, tuple: { ...entry.tuple, initiatorIp: OUTSIDE_IP } }
    : entry;

const nothing: Lie = () => undefined;

/** Nodes that `a` talks to; `a` is out of reach for a while, and tells of it later. */
class Outage {
  readonly mesh = new SimMesh();
  readonly a = this.mesh.host("a");
  readonly b = this.mesh.host("b");
  readonly c = this.mesh.host("c");
  readonly late: number[] = [];

  constructor() {
    this.mesh.pass(30_000);
  }

  /** `how`: what `to` makes of it. */
  connect(to: SimHost, how: Lie | undefined): number {
    to.lie = how;
    const port = this.mesh.connect({ from: this.a, to });
    to.lie = undefined;
    return port;
  }

  /** What `a` begins meanwhile with `b` it tells of once it is back. */
  isAway(how: Lie): void {
    for (let second = 0; second < SECONDS; second++) {
      this.a.up = true;
      this.late.push(this.connect(this.b, how));
      this.a.up = false;
      this.mesh.pass(1_000);
    }
    this.mesh.pass(70_000);
    this.a.up = true;
    this.mesh.pass(300_000);
  }

  verdicts(): Set<string> {
    return new Set(
      this.late.flatMap((port) =>
        this.mesh
          .verdict(port)
          .split(", ")
          .map((words) => words.split(" ")[0] ?? ""),
      ),
    );
  }

  found(): Set<string> {
    return new Set(this.mesh.findings.map(({ finding }) => finding));
  }
}

describe("what a node tells late", () => {
  it("is excused where its peers know it under another address, however much it is", () => {
    const outage = new Outage();
    for (const peer of [outage.b, outage.c]) outage.connect(peer, fromOutside);
    outage.mesh.pass(60_000);
    outage.isAway(fromOutside);
    assert.deepEqual(outage.found(), new Set(["silent"]));
    assert.ok(outage.verdicts().has("excused/nat"));
    assert.ok(!outage.verdicts().has("missing"));
  });

  it("is missing at a peer that never knew it under another address, whatever one other says", () => {
    const outage = new Outage();
    outage.connect(outage.b, undefined);
    outage.connect(outage.c, fromOutside);
    outage.mesh.pass(60_000);
    outage.isAway(nothing);
    assert.deepEqual(outage.verdicts(), new Set(["missing"]));
  });

  it("excuses a peer that had no stranger instead only as far as its own losses would", () => {
    const outage = new Outage();
    outage.connect(outage.b, fromOutside);
    outage.mesh.pass(60_000);
    // What came at once is decided at once: the budget is that of the tick before.
    outage.isAway(nothing);
    outage.isAway(nothing);
    assert.deepEqual(outage.found(), new Set(["silent", "gap-abuse", "missing-half"]));
    const abuse = outage.mesh.findings.find(({ finding }) => finding === "gap-abuse");
    assert.equal(abuse?.node, outage.b.id);
    assert.deepEqual(Object.keys(abuse?.evidence["causes"] ?? {}), ["stranger"]);
  });
});

describe("a forwarder that tells late", () => {
  it("excuses the end behind it no more often than it may lose something itself", () => {
    const mesh = new SimMesh();
    const [a, router, behind] = [mesh.host("a"), mesh.host("router"), mesh.host("behind")];
    mesh.pass(30_000);
    router.up = false;
    const lateMs = 65_000;
    const sealed: (readonly [atMs: number, frame: Uint8Array])[] = [];
    const step = (): void => {
      sealed.push([mesh.nowMs + lateMs, router.seal(mesh.nowMs)]);
      const due = sealed.filter(([atMs]) => atMs <= mesh.nowMs);
      for (const [, frame] of sealed.splice(0, due.length)) mesh.take(frame);
      mesh.pass(500);
    };
    const ports: number[] = [];
    for (let time = 0; time < 600; time++) {
      const port = 20_000 + time;
      ports.push(port);
      const atMs = mesh.nowMs;
      const ends = { initiatorIp: a.ip, responderIp: router.ip };
      const tuple = { protocol: TCP, initiatorPort: port, responderPort: 443, ...ends };
      const reply = {
        sourceIp: behind.ip,
        sourcePort: 443,
        destinationIp: a.ip,
        destinationPort: port,
      };
      const open = { kind: "open", atMs, tuple, pickup: false } as const;
      for (const host of [a, router]) {
        const openSeq =
          host === a
            ? host.emit({ ...open, role: "initiator" })
            : host.emit({ ...open, role: "forwarder", reply });
        const ended = { atMs: atMs + 40, openSeq, ageMs: 40, state: "SF", assured: true } as const;
        host.emit({ kind: "close", ...ended, counters: COUNTERS, inferred: false });
      }
      step();
    }
    for (let time = 0; time < 400; time++) step();
    const excused = ports.filter((port) => mesh.verdict(port).includes("excused/nat"));
    const missing = ports.filter((port) => mesh.verdict(port).includes("missing"));
    assert.equal(excused.length + missing.length, ports.length);
    assert.ok(missing.length > 500, `${missing.length} of ${ports.length} are missing`);
    assert.ok(mesh.open.includes("gap-abuse router"));
  });
});

describe("a stranger that passes for the other end of a connection that ended long after it", () => {
  const rows: readonly (readonly [what: string, network: string | undefined, by: "v" | "l"])[] = [
    ["of another network", "other", "v"],
    ["that somebody else recorded in another network", "other", "l"],
    ["that somebody else recorded under its address", undefined, "l"],
  ];
  for (const [what, network, by] of rows) {
    it(`is none ${what}`, () => {
      const mesh = new SimMesh();
      const [a, v, l] = [mesh.host("a"), mesh.host("v"), mesh.host("l")];
      mesh.pass(30_000);
      const recorder = by === "v" ? v : l;
      const begun = [0, 1, 2].map((time) => {
        const atMs = mesh.nowMs;
        const ports = { initiatorPort: 50_000 + time, responderPort: 80 };
        const tuple = { protocol: TCP, initiatorIp: a.ip, responderIp: v.ip, ...ports };
        const open = { kind: "open", atMs, tuple, pickup: false } as const;
        const openSeq = a.emit({ ...open, role: "initiator" });
        const seen = { ...open, tuple: { ...tuple, initiatorIp: OUTSIDE_IP } };
        const where = network === undefined ? {} : { network };
        const strange = recorder.emit({ ...seen, role: "responder", ...where });
        const ended = { atMs: atMs + 40, ageMs: 40, state: "SF", assured: true } as const;
        const close = { kind: "close", counters: COUNTERS, inferred: false } as const;
        recorder.emit({ ...close, ...ended, openSeq: strange });
        mesh.pass(1_000);
        return { openSeq, atMs };
      });
      mesh.pass(200_000);
      for (const { openSeq, atMs } of begun) {
        const ended = { atMs: mesh.nowMs, ageMs: mesh.nowMs - atMs, state: "SF" } as const;
        const close = { kind: "close", counters: COUNTERS, inferred: false } as const;
        a.emit({ ...close, ...ended, assured: true, openSeq });
      }
      mesh.pass(400_000);
      assert.deepEqual(mesh.open, Array(3).fill("missing-half v"));
    });
  }
});

/** `a` calls `b` through a router, which is `r` to `b`; ends are out of reach, and then send all that they have sealed. */
class Translated {
  readonly mesh = new SimMesh();
  readonly a = this.mesh.host("a");
  readonly r = this.mesh.host("r");
  readonly b = this.mesh.host("b");
  readonly port = 42_469;

  constructor() {
    // Clocks are known by pairs.
    for (const from of [this.a, this.r]) this.mesh.connect({ from, to: this.b });
    this.mesh.pass(240_000);
  }

  connect(): void {
    const { mesh, a, r, b, port } = this;
    const ends = { initiatorIp: a.ip, responderIp: b.ip };
    const tuple = { protocol: TCP, initiatorPort: port, responderPort: 5_432, ...ends };
    const reply = {
      sourceIp: b.ip,
      sourcePort: 5_432,
      destinationIp: r.ip,
      destinationPort: port,
    };
    const atMs = mesh.nowMs;
    const open = { kind: "open", atMs, tuple, pickup: false } as const;
    const opened = [
      [a, a.emit({ ...open, role: "initiator" })],
      [r, r.emit({ ...open, role: "forwarder", reply })],
      [b, b.emit({ ...open, role: "responder", tuple: { ...tuple, initiatorIp: r.ip } })],
    ] as const;
    for (const [host, openSeq] of opened) {
      const ended = { atMs: atMs + 40, openSeq, ageMs: 40, state: "SF", assured: true } as const;
      host.emit({ kind: "close", ...ended, counters: COUNTERS, inferred: false });
    }
  }

  /** `awayMs`: for how long, of each. */
  run(awayMs: ReadonlyMap<SimHost, number>): void {
    const { mesh } = this;
    const sealed = new Map<SimHost, Uint8Array[]>();
    for (const host of awayMs.keys()) {
      host.up = false;
      sealed.set(host, []);
    }
    const fromMs = mesh.nowMs;
    this.connect();
    while (sealed.size > 0) {
      for (const [host, frames] of sealed) {
        frames.push(host.seal(mesh.nowMs));
        if (mesh.nowMs - fromMs < (awayMs.get(host) ?? 0)) continue;
        for (const frame of frames) mesh.take(frame);
        sealed.delete(host);
        host.up = true;
      }
      mesh.pass(500);
    }
    mesh.pass(400_000);
  }
}

describe("what a translator forwarded", () => {
  it("joins ends that were both out of reach, and tell of it one after the other", () => {
    const way = new Translated();
    const { mesh, a, b, port } = way;
    const awayMs = new Map<SimHost, number>();
    awayMs.set(b, 330_000);
    awayMs.set(a, 430_000);
    way.run(awayMs);
    assert.deepEqual(mesh.open, []);
    assert.deepEqual(mesh.verdict(port).split(", "), ["excused/router final", "matched final"]);
  });

  it("is not kept for longer than an hour: an end that tells of it later is excused", () => {
    const way = new Translated();
    const { mesh, a, b, port } = way;
    const awayMs = new Map<SimHost, number>();
    for (const end of [a, b]) awayMs.set(end, 3_700_000);
    way.run(awayMs);
    assert.deepEqual(mesh.open, []);
    assert.match(mesh.verdict(port), /excused.nat final, excused.router final/);
  });
});
