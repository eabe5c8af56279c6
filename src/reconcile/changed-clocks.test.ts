import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SimMesh, type SimHost } from "../../test/simulate/sim-mesh.ts";
import { BOOT_AT_MS } from "../../test/simulate/sim-node.ts";

/** Two nodes that have run for a while. */
function mesh(): { mesh: SimMesh; a: SimHost; b: SimHost } {
  const made = new SimMesh();
  const a = made.host("a");
  const b = made.host("b");
  made.pass(30_000);
  return { mesh: made, a, b };
}

/** The machine starts anew, its clock off by so much more. */
function reboot(m: SimMesh, host: SimHost, byMs: number): void {
  const atMs = m.nowMs + host.offsetMs;
  host.emit({ kind: "stop", atMs, reason: "reboot" });
  m.pass(1_000);
  host.up = false;
  m.pass(20_000);
  host.up = true;
  host.offsetMs += byMs;
  host.bootAtMs = m.nowMs + host.offsetMs - 1_000;
  host.emit({ kind: "start", atMs: m.nowMs + host.offsetMs, facts: { bootId: "another" } });
}

describe("a node whose clock does not go on as it was", () => {
  const HOUR_MS = 3_600_000;

  for (const byMs of [-HOUR_MS, HOUR_MS]) {
    it(`is held to be complete by its new clock alone, off by ${byMs} ms after a boot`, () => {
      const { mesh: m, a, b } = mesh();
      reboot(m, b, byMs);
      m.pass(20_000);
      const port = m.connect({ from: a, to: b });
      // What it recorded waits in its spool for two minutes.
      b.up = false;
      m.pass(60_000);
      assert.match(m.verdict(port), /^pending/);
      b.up = true;
      m.pass(120_000);
      assert.equal(m.verdict(port), "matched final");
      assert.deepEqual(m.open, []);
    });

    it(`has its losses excused by the clock of then, though it was set by ${byMs} ms since`, () => {
      const { mesh: m, a, b } = mesh();
      const [fromMs, toMs] = [m.nowMs - 500, m.nowMs];
      b.emit({ kind: "gap", atMs: toMs, cause: "overflow", count: 5, fromMs, toMs });
      b.lie = () => undefined;
      const port = m.connect({ from: a, to: b });
      b.lie = undefined;
      // The half that is there comes a while later.
      a.up = false;
      m.pass(30_000);
      b.bootAtMs = 1_700_000_000_000 + byMs;
      b.offsetMs += byMs;
      m.pass(30_000);
      a.up = true;
      m.pass(60_000);
      assert.equal(m.verdict(port), "excused/gap final");
      assert.deepEqual(m.open, ["clock-step b"]);
    });

    it(`was away until it came back, though its clock is off by ${byMs} ms since`, () => {
      const { mesh: m, a, b } = mesh();
      b.emit({ kind: "stop", atMs: m.nowMs + b.offsetMs, reason: "reboot" });
      m.pass(1_000);
      b.up = false;
      m.pass(10_000);
      const port = m.connect({ from: a, to: b });
      // The half that is there comes after it is back.
      a.up = false;
      m.pass(10_000);
      b.up = true;
      b.offsetMs += byMs;
      b.bootAtMs = m.nowMs + b.offsetMs - 1_000;
      b.emit({ kind: "start", atMs: m.nowMs + b.offsetMs, facts: { bootId: "another" } });
      m.pass(20_000);
      a.up = true;
      m.pass(60_000);
      assert.equal(m.verdict(port), "excused/offline final");
      assert.deepEqual(m.open, []);
    });
  }

  it("is away by its stop after its clock was set back, though it claims to be complete by the clock as it was before", () => {
    const { mesh: m, a, b } = mesh();
    b.bootAtMs = BOOT_AT_MS;
    m.pass(30_000);
    const formerMs = m.nowMs;
    b.offsetMs -= 600_000;
    b.bootAtMs -= 600_000;
    // What an agent is complete to never goes back.
    const seal = b.seal.bind(b);
    b.seal = (closedAtMs, change) =>
      seal(closedAtMs, { ...change, completeToMs: Math.max(formerMs, closedAtMs) });
    m.pass(30_000);
    b.emit({ kind: "stop", atMs: m.nowMs + b.offsetMs, reason: "SIGTERM" });
    m.pass(500);
    b.up = false;
    m.pass(10_000);
    const port = m.connect({ from: a, to: b });
    m.pass(20_000);
    b.up = true;
    b.emit({ kind: "start", atMs: m.nowMs + b.offsetMs, facts: {} });
    m.pass(900_000);
    assert.equal(m.verdict(port), "excused/offline final");
    assert.deepEqual(m.open, ["clock-step b"]);
  });
});
