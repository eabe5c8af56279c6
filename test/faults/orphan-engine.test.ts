/** The server dies while its store's process starts or serves: the orphan must end, or nobody can ever open the store again. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("../../src/store/engine-child.ts", import.meta.url));
/** Its own bound on leaving is 5 s. */
const GONE_MS_MAX = 20_000;

/** How long after its orders its supervisor dies; before and after it serves. */
const MOMENTS_MS = [0, 150, 300, 450, 600, 900];

for (const moment of MOMENTS_MS) {
  test(`an orphan of ${moment} ms ends by itself`, async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "tallystick-orphan-"));
    const child = spawn(process.execPath, [CHILD], {
      cwd: dataDir,
      stdio: ["pipe", "pipe", "ignore"],
    });
    const exit = once(child, "exit");
    const orders = { dataDir, memoryMaxBytes: 2 ** 30, password: "x", port: 0 };
    child.stdin.write(`${JSON.stringify(orders)}\n`);
    await pause(moment);
    child.stdout.destroy();
    child.stdin.destroy();
    const gone = await Promise.race([
      exit.then(() => true),
      pause(GONE_MS_MAX, false, { ref: false }),
    ]);
    child.kill("SIGKILL");
    await exit;
    rmSync(dataDir, { recursive: true, force: true });
    assert.ok(gone, "it hangs, and holds the lock of the store");
  });
}
