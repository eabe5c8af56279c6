import assert from "node:assert/strict";
import { it } from "node:test";
import { RestartPause } from "./restart-pause.ts";

const lives: [title: string, livedMs: number[], pausesS: number[]][] = [
  ["grows while it fails at once", [0, 0, 0, 0, 0, 0, 0], [1, 2, 4, 8, 16, 30, 30]],
  ["begins anew after a minute that went well", [0, 0, 60_000, 0, 0], [1, 2, 1, 2, 4]],
  ["goes on after less", [0, 0, 59_999, 0], [1, 2, 4, 8]],
];
for (const [title, livedMs, pausesS] of lives) {
  it(title, () => {
    const pause = new RestartPause();
    let nowMs = 1_000_000;
    const pauses = livedMs.map((each) => {
      pause.started(nowMs);
      nowMs += each;
      const pauseMs = pause.failed(nowMs);
      nowMs += pauseMs;
      return pauseMs / 1_000;
    });
    assert.deepEqual(pauses, pausesS);
  });
}
