import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Lane } from "./engine-lanes.ts";

const forever = new AbortController().signal;

/** Work that ends when told. */
function gate(): { open: () => void; work: () => Promise<void>; started: Promise<void> } {
  const end = Promise.withResolvers<void>();
  const start = Promise.withResolvers<void>();
  const work = async (): Promise<void> => {
    start.resolve();
    await end.promise;
  };
  return { open: end.resolve, work, started: start.promise };
}

describe("a lane", () => {
  it("lets as many run at once as it is wide, and the next when one ends", async () => {
    const lane = new Lane("guest");
    const gates = [gate(), gate(), gate()] as const;
    const order: number[] = [];
    const all = gates.map(async ({ work }, at) => {
      await lane.run(forever, work);
      order.push(at);
    });
    await Promise.all([gates[0].started, gates[1].started]);
    gates[1].open();
    await gates[2].started;
    gates[2].open();
    await all[2];
    gates[0].open();
    await Promise.all(all);
    assert.deepEqual(order, [1, 2, 0]);
  });

  it("gives the place on when work fails", async () => {
    const lane = new Lane("control");
    const fails = lane.run(forever, async () => {
      await Promise.reject(new Error("no"));
    });
    await assert.rejects(fails, /no/);
    assert.equal(await lane.run(forever, async () => Promise.resolve(7)), 7);
  });

  it("does not start work whose caller has left while it waited", async () => {
    const lane = new Lane("control");
    const first = gate();
    const running = lane.run(forever, first.work);
    const leaving = new AbortController();
    const waiting = lane.run(leaving.signal, () => Promise.reject(new Error("started")));
    const last = lane.run(forever, async () => Promise.resolve("next"));
    leaving.abort(new Error("left"));
    first.open();
    await running;
    await assert.rejects(waiting, /left/);
    assert.equal(await last, "next");
  });

  it("refuses when a thousand wait already", async () => {
    const lane = new Lane("control");
    const first = gate();
    const running = lane.run(forever, first.work);
    const waiting = Array.from({ length: 1_000 }, async () => lane.run(forever, async () => {}));
    await assert.rejects(
      lane.run(forever, async () => {}),
      /Too many/,
    );
    first.open();
    await Promise.all([running, ...waiting]);
  });
});
