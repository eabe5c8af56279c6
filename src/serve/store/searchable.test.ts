import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { DurableEnd } from "../../journal/durable-end.ts";
import { type Clock, systemClock } from "../../std/clock.ts";
import { Searchable } from "./searchable.ts";

/** Time in which a wait of a second is one of 10 ms. */
function hurriedClock(): Clock {
  const clock = systemClock();
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs() * 100,
    after: (ms, callback) => clock.after(ms / 100, callback),
  };
}

it("waits longer after each failure, and says at once that it cannot be used", async () => {
  const dir = mkdtempSync(join(tmpdir(), "tallystick-searchable-"));
  // Where the engine's folder should be.
  writeFileSync(join(dir, "store"), "");
  const lines: string[] = [];
  const three = Promise.withResolvers<void>();
  const searchable = new Searchable({
    dataDir: dir,
    serverId: "00".repeat(16),
    durableEnd: new DurableEnd(0),
    clock: hurriedClock(),
    journalFindings: () => Promise.resolve(),
    log: (line) => {
      lines.push(line);
      if (lines.length === 3) three.resolve();
    },
  });
  await searchable.start();
  assert.equal(await searchable.usable(600_000), false);
  await three.promise;
  await searchable.close();
  rmSync(dir, { recursive: true });
  const pauses = lines.map((line) => /trying again in (\d+) s/.exec(line)?.[1]);
  assert.deepEqual(pauses.slice(0, 3), ["1", "2", "4"]);
});
