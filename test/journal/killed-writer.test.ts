/** A writer under load is killed from outside, again and again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Journal } from "../../src/journal/journal.ts";
import { checkKept, live, withDirectory } from "./story.ts";

test("killed 20 times under load: nothing acknowledged is lost, nothing is there twice", () =>
  withDirectory(async (dir) => {
    const acked = new Set<number>();
    for (let life = 0; life < 20; life++) {
      const killAfterMs = (life * 53) % 100;
      const { ackedIndices } = await live({ dir, records: 1_000_000, killAfterMs });
      for (const index of ackedIndices) {
        assert.ok(!acked.has(index), `index ${index} was given twice`);
        acked.add(index);
      }
      await checkKept(dir, acked);
    }
    assert.ok(acked.size > 100, `only ${acked.size} records were acknowledged`);
  }));

test("a second writer is refused while one lives, and told which process that is", () =>
  withDirectory(async (dir) => {
    await using journal = await Journal.open({ dir });
    assert.equal(journal.durableEnd.index, 0);
    await assert.rejects(Journal.open({ dir }), {
      code: "journal_in_use",
      message: new RegExp(`process ${process.pid} writes to the journal`),
    });
  }));
