import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SimMesh, type SimConnection, type SimHost } from "../../test/simulate/sim-mesh.ts";

/** Two nodes that have run for a while. */
function mesh(): { mesh: SimMesh; a: SimHost; b: SimHost } {
  const made = new SimMesh();
  const a = made.host("a");
  const b = made.host("b");
  made.pass(30_000);
  return { mesh: made, a, b };
}

describe("an honest connection", () => {
  const rows: [what: string, connection: Partial<SimConnection>, verdict: string][] = [
    ["tcp, closed", {}, "matched final"],
    ["tcp, reset", { state: "RST" }, "matched final"],
    ["tcp, refused", { state: "REJ" }, "unanswered final"],
    ["tcp, dropped", { state: "S0" }, "unanswered final"],
    ["udp, answered", { protocol: 17, state: "SF" }, "matched final"],
    ["udp, dropped by the responder", { protocol: 17, state: "S0" }, "unanswered final"],
    [
      "udp, seen by both and not answered",
      { protocol: 17, state: "S0", responderSees: true },
      "matched final",
    ],
    [
      "tcp with loss: less arrived than was sent",
      { bytes: 100_000, receivedBytes: 92_000 },
      "matched final",
    ],
    [
      "tcp with large segments: fewer headers at one end",
      { bytes: 1_000_000, receivedBytes: 1_040_000 },
      "matched final",
    ],
  ];
  for (const [what, connection, verdict] of rows) {
    it(`${what}: ${verdict}`, () => {
      const { mesh: m, a, b } = mesh();
      const port = m.connect({ from: a, to: b, ...connection });
      m.pass(60_000);
      assert.equal(m.verdict(port), verdict);
      assert.deepEqual(m.open, []);
    });
  }

  it("shows as matched in the batch after both opens", () => {
    const { mesh: m, a, b } = mesh();
    const port = m.connect({ from: a, to: b });
    m.pass(500);
    assert.match(m.verdict(port), /^matched/);
  });

  it("is named by the half at the lower address, whichever end began", () => {
    const { mesh: m, a, b } = mesh();
    const port = m.connect({ from: b, to: a });
    m.pass(1_000);
    assert.ok(m.rowKeys(port).every((key) => key.startsWith(a.id)));
  });

  it("keeps nothing in memory once it is over", () => {
    const { mesh: m, a, b } = mesh();
    for (let count = 0; count < 50; count++) m.connect({ from: a, to: b });
    m.pass(60_000);
    assert.equal(m.reconcile.liveCount, 0);
  });

  it("pairs though one clock is wrong by hours", () => {
    for (const offsetMs of [-7_200_000, 7_200_000]) {
      const m = new SimMesh();
      const a = m.host("a");
      const b = m.host("b", offsetMs);
      m.pass(30_000);
      const port = m.connect({ from: a, to: b });
      m.pass(60_000);
      assert.match(m.verdict(port), /^matched/, `offset ${offsetMs}`);
      assert.deepEqual(m.open, []);
    }
  });
});

describe("a port that is used again within seconds", () => {
  for (const whose of ["initiator", "responder"] as const) {
    it(`sets nobody against the wrong partner when a half was lost by the ${whose}`, () => {
      const { mesh: m, a, b } = mesh();
      const liar = whose === "initiator" ? a : b;
      const [fromMs, toMs] = [m.nowMs - 500, m.nowMs];
      liar.emit({ kind: "gap", atMs: toMs, cause: "overflow", count: 5, fromMs, toMs });
      liar.lie = () => undefined;
      const port = m.connect({ from: a, to: b });
      liar.lie = undefined;
      for (let times = 0; times < 3; times++) {
        m.pass(5_000);
        m.connect({ from: a, to: b, fromPort: port });
      }
      m.pass(60_000);
      const matched = Array.from({ length: 3 }, () => "matched final");
      assert.equal(m.verdict(port), ["excused/gap final", ...matched].join(", "));
      assert.deepEqual(m.findings, []);
      assert.equal(m.reconcile.liveCount, 0);
    });
  }

  it("takes no beginning for the partner of one that was picked up and has just ended", () => {
    const { mesh: m, a, b } = mesh();
    const ageMs = 10_000;
    // Of the first one a read nothing but the end, and b nothing at all.
    a.lie = (entry) =>
      entry.kind === "open" ? { ...entry, pickup: true, atMs: entry.atMs - ageMs } : entry;
    b.lie = () => undefined;
    const port = m.connect({ from: a, to: b, durationMs: ageMs });
    a.lie = undefined;
    b.lie = undefined;
    m.connect({ from: a, to: b, fromPort: port });
    m.pass(60_000);
    assert.deepEqual(m.findings, []);
    assert.equal(m.reconcile.liveCount, 0);
  });

  it("pairs what began apart, as slow readers say, once nothing nearer came", () => {
    const { mesh: m, a, b } = mesh();
    b.lie = () => undefined;
    const port = m.connect({ from: a, to: b });
    b.lie = undefined;
    m.pass(6_000);
    a.lie = () => undefined;
    m.connect({ from: a, to: b, fromPort: port });
    a.lie = undefined;
    m.pass(60_000);
    assert.equal(m.verdict(port), "matched final");
    assert.deepEqual(m.open, []);
    assert.equal(m.reconcile.liveCount, 0);
  });
});

describe("a connection that lived while one end did not track", () => {
  const untracked: [what: string, blind: (m: SimMesh, b: SimHost) => void][] = [
    [
      "its agent was stopped and started",
      (m, b) => {
        b.emit({ kind: "stop", atMs: m.nowMs + 1_000, reason: "SIGTERM" });
        b.emit({ kind: "start", atMs: m.nowMs + 3_000, facts: {} });
      },
    ],
    [
      "its agent took the rule away",
      (m, b) => {
        const [fromMs, toMs] = [m.nowMs + 1_000, m.nowMs + 3_000];
        b.emit({ kind: "gap", atMs: toMs, cause: "pressure", count: null, fromMs, toMs });
      },
    ],
  ];
  for (const [what, blind] of untracked) {
    it(`has no counters to compare: ${what}`, () => {
      const { mesh: m, a, b } = mesh();
      blind(m, b);
      const long = { from: a, to: b, durationMs: 10_000 };
      const less = m.connect({ ...long, bytes: 90_000, receivedBytes: 10_000 });
      const same = m.connect({ ...long, bytes: 90_000 });
      m.pass(60_000);
      assert.equal(m.verdict(less), "matched unavailable");
      assert.equal(m.verdict(same), "matched final");
      assert.deepEqual(m.open, []);
    });
  }
});

describe("a tampered connection", () => {
  it("whose half was forgotten by the responder is missing, and accuses nobody alone", () => {
    const { mesh: m, a, b } = mesh();
    b.lie = (entry) => (entry.kind === "open" ? undefined : entry);
    const port = m.connect({ from: a, to: b });
    b.lie = undefined;
    const fine = m.connect({ from: a, to: b });
    m.pass(60_000);
    assert.equal(m.verdict(port), "missing final");
    assert.equal(m.verdict(fine), "matched final");
    assert.deepEqual(m.open, ["missing-half b"]);
    const causes = m.findings.map((found) => found.evidence["causes"]);
    assert.deepEqual(causes.flat().length, 2);
  });

  it("whose half was forgotten by the initiator is missing", () => {
    const { mesh: m, a, b } = mesh();
    a.lie = () => undefined;
    const port = m.connect({ from: a, to: b });
    m.pass(60_000);
    assert.equal(m.verdict(port), "missing final");
    assert.deepEqual(m.open, ["missing-half a"]);
  });

  it("with other byte counts differs", () => {
    const { mesh: m, a, b } = mesh();
    const more = m.connect({ from: a, to: b, bytes: 10_000, receivedBytes: 90_000 });
    const less = m.connect({ from: a, to: b, bytes: 90_000, receivedBytes: 10_000 });
    m.pass(60_000);
    assert.equal(m.verdict(more), "differs final");
    assert.equal(m.verdict(less), "differs final");
    assert.deepEqual(m.open, ["counters-differ -", "counters-differ -"]);
    assert.match(m.findings[0]?.title ?? "", /more arrived than was sent/);
  });
});

describe("an absent half", () => {
  it("is not missing while its node is unreachable, and matches when it comes late", () => {
    const { mesh: m, a, b } = mesh();
    const port = m.connect({ from: a, to: b });
    const late = b.pending;
    assert.equal(late, 3);
    b.up = false;
    m.pass(300_000);
    assert.equal(m.verdict(port), "pending pending");
    assert.deepEqual(m.open, ["silent b"]);
    b.up = true;
    m.pass(1_000);
    assert.equal(m.verdict(port), "matched final");
    assert.deepEqual(m.open, []);
  });

  it("is excused by a declared gap, as often as the gap lost entries", () => {
    const { mesh: m, a, b } = mesh();
    const t = m.nowMs;
    b.lie = () => undefined;
    const ports = [1, 2, 3].map(() => m.connect({ from: a, to: b }));
    b.emit({ kind: "gap", atMs: t, cause: "overflow", count: 2, fromMs: t - 500, toMs: t + 500 });
    m.pass(60_000);
    const verdicts = ports.map((port) => m.verdict(port)).toSorted();
    assert.deepEqual(verdicts, ["excused/gap final", "excused/gap final", "missing final"]);
    assert.deepEqual(m.open, ["missing-half b"]);
  });

  it("is excused while its node was stopped, and only then", () => {
    const { mesh: m, a, b } = mesh();
    b.emit({ kind: "stop", atMs: m.nowMs, reason: "SIGTERM" });
    m.pass(1_000);
    b.up = false;
    m.pass(20_000);
    const during = m.connect({ from: a, to: b });
    m.pass(20_000);
    b.up = true;
    b.lie = () => undefined;
    b.emit({ kind: "start", atMs: m.nowMs, facts: {} });
    m.pass(20_000);
    const after = m.connect({ from: a, to: b });
    m.pass(60_000);
    assert.equal(m.verdict(during), "excused/offline final");
    assert.equal(m.verdict(after), "missing final");
  });

  it("is not excused by an opt-out that is over, though that is heard of late", () => {
    const { mesh: m, a, b } = mesh();
    b.emit({ kind: "opt_out", atMs: m.nowMs, origin: "flag" });
    m.pass(1_000);
    b.up = false;
    m.pass(60_000);
    b.emit({ kind: "resume", atMs: m.nowMs });
    m.pass(20_000);
    b.up = true;
    const port = m.connect({ from: a, to: b });
    b.up = false;
    m.pass(30_000);
    b.up = true;
    m.pass(60_000);
    assert.equal(m.verdict(port), "matched final");
    assert.deepEqual(m.open, []);
  });

  it("is excused after an opt-out, which is itself a finding until a resume", () => {
    const { mesh: m, a, b } = mesh();
    b.emit({ kind: "opt_out", atMs: m.nowMs, origin: "flag" });
    m.pass(1_000);
    b.up = false;
    m.pass(10_000);
    const port = m.connect({ from: a, to: b });
    m.pass(120_000);
    assert.equal(m.verdict(port), "pending pending");
    m.pass(600_000);
    assert.equal(m.verdict(port), "excused/opted_out final");
    assert.deepEqual(m.open, ["opted-out b"]);
    b.up = true;
    b.emit({ kind: "resume", atMs: m.nowMs });
    m.pass(1_000);
    assert.deepEqual(m.open, []);
  });

  it("is excused before its node's agent began", () => {
    const { mesh: m, a } = mesh();
    const late = m.host("late");
    late.up = false;
    const port = m.connect({ from: a, to: late });
    m.pass(20_000);
    late.seal(m.nowMs);
    const { hosts } = m;
    assert.equal(hosts.length, 3);
    assert.match(m.verdict(port), /^(external|pending)/);
  });
});

describe("a node's own admissions", () => {
  it("of a lost spool excuse nothing and are a finding", () => {
    const { mesh: m, a, b } = mesh();
    const t = m.nowMs;
    b.lie = () => undefined;
    const port = m.connect({ from: a, to: b });
    b.lie = undefined;
    b.emit({ kind: "gap", atMs: t, cause: "lost", count: null, fromMs: t - 500, toMs: t + 500 });
    m.pass(60_000);
    assert.equal(m.verdict(port), "missing final");
    assert.deepEqual(m.open, ["lost-spool b", "missing-half b"]);
  });

  it("of a short restart are no finding, of a long one are", () => {
    for (const [ms, expected] of [
      [5_000, []],
      [60_000, ["long-restart b"]],
    ] as const) {
      const { mesh: m, b } = mesh();
      const fromMs = m.nowMs;
      b.up = false;
      m.pass(ms);
      b.up = true;
      const toMs = m.nowMs;
      b.emit({ kind: "gap", atMs: toMs, cause: "restart", count: null, fromMs, toMs });
      m.pass(5_000);
      assert.deepEqual(m.open, expected);
    }
  });

  it("that name skipped numbers explain the hole; an unexplained one is a finding", () => {
    for (const declared of [true, false]) {
      const { mesh: m, b } = mesh();
      const first = b.nextSeq;
      b.nextSeq += 10;
      if (declared) {
        const gap = { cause: "restart", count: 10, fromMs: m.nowMs, toMs: m.nowMs } as const;
        b.emit({ kind: "gap", atMs: m.nowMs, ...gap, seqs: [first, first + 9] });
      }
      m.pass(120_000);
      assert.deepEqual(m.open, declared ? [] : ["undeclared-hole b"]);
    }
  });

  it("of a rollback or a clone are findings of their own", () => {
    for (const [cause, expected] of [
      ["state", "rollback b"],
      ["clone", "clone b"],
      ["server", "server-rollback b"],
    ] as const) {
      const { mesh: m, b } = mesh();
      b.epoch++;
      b.batchNo = 0;
      b.emit({
        kind: "rollback",
        atMs: m.nowMs,
        cause,
        oldEpoch: 0,
        oldBatch: 3,
        oldHead: "0".repeat(64),
        machineId: "m",
        bootId: "b",
      });
      m.pass(1_000);
      assert.deepEqual(m.open, [expected]);
    }
  });
});

describe("an address", () => {
  it("that two nodes claim names neither, and its connections are excused", () => {
    const { mesh: m, a, b } = mesh();
    const thief = m.host("thief");
    thief.emit({ kind: "addresses", atMs: m.nowMs, networks: { default: [b.ip] } });
    m.pass(1_000);
    b.lie = () => undefined;
    const port = m.connect({ from: a, to: b });
    m.pass(60_000);
    assert.equal(m.verdict(port), "excused/ambiguous_address final");
    assert.deepEqual(m.open, ["contested-address -"]);
  });

  it("that no node claims is external", () => {
    const { mesh: m, a } = mesh();
    const outside = Object.assign(Object.create(null) as SimHost, { ip: "192.0.2.7", up: false });
    const port = m.connect({ from: a, to: outside });
    m.pass(90_000);
    assert.equal(m.verdict(port), "external final");
    assert.deepEqual(m.open, []);
  });
});

describe("silence", () => {
  it("is found after 90 s, accuses nobody, and is resolved when the chain goes on", () => {
    const { mesh: m, b } = mesh();
    b.up = false;
    m.pass(80_000);
    assert.deepEqual(m.open, []);
    m.pass(20_000);
    assert.deepEqual(m.open, ["silent b"]);
    assert.equal(m.findings.at(-1)?.severity, "low");
    b.up = true;
    m.pass(1_000);
    assert.deepEqual(m.open, []);
  });

  it("after a stop is no finding", () => {
    const { mesh: m, b } = mesh();
    b.emit({ kind: "stop", atMs: m.nowMs, reason: "SIGTERM" });
    m.pass(1_000);
    b.up = false;
    m.pass(200_000);
    assert.deepEqual(m.open, []);
  });

  it("of everyone while the server was away is no finding", () => {
    const { mesh: m } = mesh();
    m.nowMs += 3_600_000;
    m.pass(30_000);
    assert.deepEqual(m.open, []);
  });
});

describe("the state of a node that people see", () => {
  it("is blind while it reports without proof of what its kernel did", () => {
    const { mesh: m, b } = mesh();
    const shown = () => m.reconcile.streamFor(b.id).shownState;
    assert.equal(shown(), "active");
    const seenTo = m.nowMs;
    for (let batch = 0; batch < 10; batch++) {
      m.nowMs += 10_000;
      m.take(b.seal(m.nowMs, { completeToMs: seenTo }));
    }
    assert.equal(shown(), "blind");
    m.pass(1_000);
    assert.equal(shown(), "active");
  });
});
