/** A writer dies at each named point, in its first pass and in a later one, and is started again. */
import assert from "node:assert/strict";
import { appendFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CRASH_POINTS } from "../../src/std/crash-point.ts";
import { checkKept, live, withDirectory } from "./story.ts";

async function tearTail(dir: string): Promise<void> {
  const last = (await readdir(dir))
    .filter((name) => name.endsWith(".seg"))
    .sort()
    .at(-1);
  await appendFile(join(dir, last ?? ""), Buffer.alloc(100, 3));
}

for (const point of CRASH_POINTS.filter((name) => name.startsWith("journal: "))) {
  test(`killed at "${point}"`, () =>
    withDirectory(async (dir) => {
      const acked = new Set<number>();
      const tail = point.includes("tail");
      const passes = tail ? [1, 1] : [1, 3];
      for (const pass of passes) {
        if (tail) {
          for (const index of (await live({ dir, records: 20 })).ackedIndices) acked.add(index);
          await tearTail(dir);
        }
        const life = await live({ dir, records: 200, crashAt: `${point}#${pass}` });
        assert.equal(life.signal, "SIGKILL", "the writer passed the point");
        for (const index of life.ackedIndices) {
          assert.ok(!acked.has(index), `index ${index} was given twice`);
          acked.add(index);
        }
        await checkKept(dir, acked);
      }
      const last = await live({ dir, records: 20 });
      assert.equal(last.signal, null);
      for (const index of last.ackedIndices) acked.add(index);
      await checkKept(dir, acked);
    }));
}
