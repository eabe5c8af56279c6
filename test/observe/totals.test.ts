/** Totals on a real kernel: what an interface carried explains what the connections say, and no more. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runLoad } from "../../bench/connection-load.ts";
import type { Counters, TotalsEntry } from "../../src/format/entry.ts";
import { judgeTotals, type NodeBytes } from "../../src/reconcile/totals.ts";
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
    const bytes = sum(observer.of("account").map(({ counters }) => counters as Counters));
    const judged = judgeTotals(first, last, bytes);
    assert.ok(judged.kind === "possible", JSON.stringify(judged));
    const { receivedShare, sentShare } = judged;
    context.diagnostic(`explained: ${receivedShare} of what came, ${sentShare} of what went`);
    // The rest is link headers, which the tracker does not count, and the neighbours' own talk.
    for (const share of [receivedShare, sentShare])
      assert.ok((share ?? 0) > 0.7 && (share ?? 0) < 1);
    const invented = { ...bytes, receivedBytes: bytes.receivedBytes + 200_000 };
    assert.partialDeepStrictEqual(judgeTotals(first, last, invented), {
      kind: "exceeded",
      direction: "received",
      impossible: true,
    });
  },
);

/** From the initiator's side. */
function sum(counted: readonly Counters[]): NodeBytes {
  return {
    receivedBytes: counted.reduce((bytes, { responderBytes }) => bytes + responderBytes, 0),
    sentBytes: counted.reduce((bytes, { initiatorBytes }) => bytes + initiatorBytes, 0),
  };
}
