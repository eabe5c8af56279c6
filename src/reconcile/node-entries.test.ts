import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SimMesh, type SimHost } from "../../test/simulate/sim-mesh.ts";

function mesh(): { mesh: SimMesh; a: SimHost; b: SimHost } {
  const made = new SimMesh();
  const a = made.host("a");
  const b = made.host("b");
  made.pass(10_000);
  return { mesh: made, a, b };
}

/** The node gives up so many numbers; returns them. */
function skip(host: SimHost, count: number): [first: number, last: number] {
  const first = host.nextSeq;
  host.nextSeq += count;
  return [first, first + count - 1];
}

function declare(m: SimMesh, host: SimHost, [first, last]: readonly [number, number]): void {
  const [fromMs, toMs] = [m.nowMs - 1, m.nowMs];
  const seqs: [number, number] = [first, last];
  const count = last - first + 1;
  host.emit({ kind: "gap", atMs: toMs, cause: "spool", count, fromMs, toMs, seqs });
}

describe("a hole in the numbers", () => {
  it("that several gaps explain together is no finding", () => {
    const { mesh: m, b } = mesh();
    const [first, last] = skip(b, 100);
    declare(m, b, [first + 40, last]);
    declare(m, b, [first, first + 39]);
    m.pass(120_000);
    assert.deepEqual(m.open, []);
  });

  it("of which gaps explain a part is a finding, resolved when they explain the rest", () => {
    const { mesh: m, b } = mesh();
    const [first, last] = skip(b, 100);
    declare(m, b, [first, first + 39]);
    m.pass(120_000);
    assert.deepEqual(m.open, ["undeclared-hole b"]);
    declare(m, b, [first + 40, last]);
    m.pass(1_000);
    assert.deepEqual(m.open, []);
  });

  it("is waited for while the node works off what it had spooled", () => {
    const { mesh: m, b } = mesh();
    const skipped = skip(b, 100);
    const beganMs = m.nowMs;
    // Ten minutes of backlog come at half the speed of time, each batch long after it was closed.
    for (b.up = false; m.nowMs < beganMs + 600_000; m.pass(500)) {
      m.take(b.seal(beganMs - 600_000 + (m.nowMs - beganMs) / 2));
    }
    assert.deepEqual(m.open, []);
    declare(m, b, skipped);
    b.up = true;
    m.pass(120_000);
    assert.deepEqual(m.open, []);
  });
});

describe("silence that lasted over a restart of the server", () => {
  it("is resolved when the node comes back", () => {
    const { mesh: m, b } = mesh();
    b.up = false;
    m.pass(100_000);
    assert.deepEqual(m.open, ["silent b"]);
    m.nowMs += 600_000;
    m.pass(1_000);
    b.up = true;
    m.pass(1_000);
    assert.deepEqual(m.open, []);
  });

  it("is resolved when the node is revoked", () => {
    const { mesh: m, b } = mesh();
    b.up = false;
    m.pass(100_000);
    const { epoch, batchNo } = b;
    m.server.emit({
      kind: "revoked",
      atMs: m.nowMs,
      node: b.id,
      epoch,
      lastBatch: Math.max(0, batchNo - 1),
    });
    m.pass(1_000);
    assert.deepEqual(m.open, []);
  });
});

describe("an address", () => {
  it("that one node lists twice is claimed once", () => {
    const { mesh: m, a } = mesh();
    a.emit({ kind: "addresses", atMs: m.nowMs, networks: { default: [a.ip, a.ip] } });
    m.pass(1_000);
    assert.deepEqual(m.open, []);
  });
});
