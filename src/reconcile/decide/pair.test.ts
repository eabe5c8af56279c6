/** When the counters of two halves are compared, and with what else. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { begin, played } from "../../../test/simulate/told-halves.ts";

const UDP = 17;
const PORT = 40_000;

describe("a UDP session of which one end's second part outlives the whole", () => {
  const rows: [what: string, atLast: number, open: string[]][] = [
    ["is compared when that ends", 2_000, []],
    ["differs when that ends, if it does", 900_000, ["counters-differ -"]],
  ];
  for (const [what, atLast, open] of rows) {
    for (const divides of ["initiator", "responder"] as const) {
      it(`${what}: divided by the ${divides}`, async () => {
        const seen = await played((mesh) => {
          const [a, b] = [mesh.host("a"), mesh.host("b")];
          mesh.pass(30_000);
          const half = { from: a.ip, to: b.ip, port: PORT, protocol: UDP };
          const start = (isPart: boolean) => {
            const role = isPart === (divides === "initiator") ? "initiator" : "responder";
            return begin(mesh, role === "initiator" ? a : b, { ...half, role });
          };
          const [whole, first] = [start(false), start(true)];
          mesh.pass(35_000);
          first.close(5_000, 1_000);
          mesh.pass(10_000);
          const second = start(true);
          mesh.pass(5_000);
          second.update(5_000, 10);
          mesh.pass(40_000);
          whole.close(60_000, 3_000);
          mesh.pass(60_000);
          second.update(60_000, 20);
          mesh.pass(60_000);
          assert.deepEqual(mesh.open, []);
          second.close(125_000, atLast);
          mesh.pass(60_000);
        });
        const verdict = open.length === 0 ? "matched final" : "differs final";
        assert.equal(
          seen.verdict(PORT),
          [verdict, "excused/idle_split final"].toSorted().join(", "),
        );
        assert.deepEqual(seen.open, open);
      });
    }
  }
});
