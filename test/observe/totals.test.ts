/** Totals on a real kernel: what an interface carried explains what the connections say, and no more. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runLoad } from "../../bench/connection-load.ts";
import type { Counters, TotalsEntry } from "../../src/format/entry.ts";
import { allowedBytes } from "../../src/reconcile/node/totals.ts";
import { enlargeEventBuffer } from "../lab/event-buffer.ts";
import { cannotRun, Mesh } from "../lab/namespaces.ts";
import { until } from "../lab/until.ts";
import { Observer, run } from "./observer-process.ts";

const skip = cannotRun();

test(
  "the interface carried what the connections say, and they explain most of it",
  { skip },
  async (context) => {
    await using mesh = await Mesh.open({ prefix: `tsto-${process.pid}`, hosts: ["a", "b"] });
    const [a, b] = [mesh.host("a"), mesh.host("b")];
    const buffer = enlargeEventBuffer();
    context.after(() => buffer[Symbol.dispose]());
    const observer = await Observer.start(a);
    await using _ = observer;
    buffer[Symbol.dispose]();
    await runLoad({ from: a.namespace, to: b.namespace, address: b.ip, rate: 200, seconds: 2 });
    await until("the final counters of all", async () => {
      run(a, "conntrack", "-L");
      await observer.settled();
      return observer.of("account").length === 400;
    });
    await observer.stop();

    const [first, last] = observer.of("totals") as unknown as readonly TotalsEntry[];
    assert.ok(first !== undefined && last !== undefined);
    assert.deepEqual(
      last.interfaces.map(({ name, claimed }) => [name, claimed]),
      [["mesh0", true]],
    );
    const counted = observer.of("account").map(({ counters }) => counters as Counters);
    const connections = {
      receivedBytes: sum(counted, ({ responderBytes }) => responderBytes),
      sentBytes: sum(counted, ({ initiatorBytes }) => initiatorBytes),
    };
    for (const direction of ["receivedBytes", "sentBytes"] as const) {
      const carriedBytes = carried(first, last, direction);
      const share = connections[direction] / carriedBytes;
      context.diagnostic(`${direction}: connections explain ${share} of ${carriedBytes}`);
      // The rest is link headers, which the tracker does not count, and the neighbours' own talk.
      assert.ok(share > 0.7 && share < 1);
    }
    const carriedBytes = carried(first, last, "receivedBytes");
    assert.ok(connections.receivedBytes + 200_000 > carriedBytes + allowedBytes(carriedBytes));
  },
);

function carried(
  first: TotalsEntry,
  last: TotalsEntry,
  direction: "receivedBytes" | "sentBytes",
): number {
  const at = ({ interfaces }: TotalsEntry) => sum(interfaces, (one) => one[direction]);
  return at(last) - at(first);
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}
