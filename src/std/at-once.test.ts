import assert from "node:assert/strict";
import { it } from "node:test";
import { AtOnce } from "./at-once.ts";

it("runs so many at once, the others in their order, whatever becomes of each", async () => {
  const atOnce = new AtOnce(2);
  const begun: number[] = [];
  const ends: PromiseWithResolvers<number>[] = [];
  const all = [0, 1, 2, 3, 4].map((n) => {
    const end = Promise.withResolvers<number>();
    ends.push(end);
    return atOnce.run(() => {
      begun.push(n);
      return end.promise;
    });
  });
  const seen: number[][] = [];
  assert.equal(atOnce.waiting, 3);
  for (const [n, end] of ends.entries()) {
    await new Promise((resolve) => setImmediate(resolve));
    seen.push([...begun]);
    if (n === 1) end.reject(new Error("one fails"));
    else end.resolve(n);
    await all[n]?.catch(() => undefined);
  }
  assert.deepEqual(seen, [
    [0, 1],
    [0, 1, 2],
    [0, 1, 2, 3],
    [0, 1, 2, 3, 4],
    [0, 1, 2, 3, 4],
  ]);
  assert.equal(atOnce.waiting, 0);
  await assert.rejects(all[1] ?? Promise.resolve(), /one fails/);
  assert.equal(await atOnce.run(async () => "free again"), "free again");
});
