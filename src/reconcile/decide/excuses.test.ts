/** Halves that came through somebody who translates addresses: whom they are about, and what excuses them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SimHost, SimMesh } from "../../../test/simulate/sim-mesh.ts";
import { begin, played, tell } from "../../../test/simulate/told-halves.ts";

const [INNER_PORT, OTHER_PORT, OUTER_PORT] = [40_000, 50_000, 60_000];

describe("a translated tuple that is used again by another node behind the router", () => {
  for (const againMs of [7_000, 15_000]) {
    it(`${againMs} ms later says nothing of the first one, though the router is heard late`, async () => {
      const seen = await played((mesh) => {
        const [first, second] = [mesh.host("first"), mesh.host("second")];
        const [router, end] = [mesh.host("router"), mesh.host("end")];
        const as = { ip: router.ip, port: OUTER_PORT };
        const outer = { from: router.ip, to: end.ip, port: OUTER_PORT };
        mesh.pass(30_000);
        const inner = { from: first.ip, to: end.ip, port: INNER_PORT };
        // It lingers: the pair is there until it was counted at both ends.
        const lingering = begin(mesh, first, { ...inner, role: "initiator" });
        tell(mesh, router, { ...inner, role: "forwarder", as });
        tell(mesh, end, { ...outer, role: "responder" });
        mesh.pass(againMs);
        router.up = false;
        const other = { from: second.ip, to: end.ip, port: OTHER_PORT, bytes: 50_000 };
        tell(mesh, second, { ...other, role: "initiator" });
        tell(mesh, router, { ...other, role: "forwarder", as });
        tell(mesh, end, { ...outer, role: "responder", bytes: 50_000 });
        mesh.pass(30_000);
        assert.deepEqual(mesh.open, []);
        lingering.close(40_000, 1_000);
        router.up = true;
        mesh.pass(40_000);
      });
      // Beside the router's own record.
      assert.match(seen.verdict(INNER_PORT), /matched final$/);
      assert.match(seen.verdict(OTHER_PORT), /matched final$/);
      assert.deepEqual(seen.open, []);
    });
  }
});

describe("a node behind a translator that is no node and changes ports", () => {
  const rows: [what: string, isMet: boolean, verdict: string, open: string[]][] = [
    ["that nobody met yet is excused", false, "excused/nat final", []],
    ["lacks its half once it was met", true, "missing final", ["missing-half end"]],
  ];
  for (const [what, isMet, verdict, open] of rows) {
    it(what, async () => {
      const seen = await played((mesh) => {
        const [inner, end] = [mesh.host("inner"), mesh.host("end")];
        mesh.pass(30_000);
        if (isMet) mesh.connect({ from: inner, to: end, fromPort: OTHER_PORT });
        mesh.pass(10_000);
        const [to, port] = [end.ip, OUTER_PORT];
        tell(mesh, inner, { role: "initiator", from: inner.ip, to, port: INNER_PORT });
        tell(mesh, end, { role: "responder", from: "192.0.2.1", to, port });
        mesh.pass(90_000);
      });
      assert.equal(seen.verdict(INNER_PORT), verdict);
      assert.equal(seen.verdict(OUTER_PORT), isMet ? "external final" : verdict);
      assert.deepEqual(seen.open, open);
    });
  }
});

describe("a router that lost its own record of a connection, and says so", () => {
  const late: [what: string, lateOf: (inner: SimHost, end: SimHost) => SimHost | undefined][] = [
    ["both ends are heard at once", () => undefined],
    ["the initiator is heard late", (inner) => inner],
    ["the responder is heard late", (_inner, end) => end],
  ];
  for (const [what, lateOf] of late) {
    it(`excuses both ends: ${what}`, async () => {
      const seen = await played((mesh) => {
        const [inner, router, end] = [mesh.host("inner"), mesh.host("router"), mesh.host("end")];
        mesh.pass(30_000);
        forward(mesh, { inner, router, end });
        mesh.pass(10_000);
        const [fromMs, toMs] = [mesh.nowMs - 500, mesh.nowMs];
        router.emit({ kind: "gap", atMs: toMs, cause: "overflow", count: 1, fromMs, toMs });
        const [to, host] = [end.ip, lateOf(inner, end)];
        tell(mesh, inner, { role: "initiator", from: inner.ip, to, port: INNER_PORT });
        tell(mesh, end, { role: "responder", from: router.ip, to, port: OUTER_PORT });
        if (host !== undefined) host.up = false;
        mesh.pass(30_000);
        if (host !== undefined) host.up = true;
        mesh.pass(40_000);
      });
      assert.equal(seen.verdict(INNER_PORT), "excused/nat final");
      assert.equal(seen.verdict(OUTER_PORT), "excused/gap final");
      assert.deepEqual(seen.open, []);
    });
  }
});

/** A connection of which the router has its record: it is known to forward. */
function forward(
  mesh: SimMesh,
  {
    inner,
    router,
    end,
  }: { readonly inner: SimHost; readonly router: SimHost; readonly end: SimHost },
): void {
  const half = { from: inner.ip, to: end.ip, port: OTHER_PORT };
  const as = { ip: router.ip, port: OTHER_PORT };
  tell(mesh, inner, { ...half, role: "initiator" });
  tell(mesh, router, { ...half, role: "forwarder", as });
  tell(mesh, end, { ...half, role: "responder", from: router.ip });
}
