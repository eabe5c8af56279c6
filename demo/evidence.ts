/** One finding of each kind as a file, checked by a program that knows nothing of the server. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Machines } from "./machines.ts";
import type { Found } from "./verify.ts";

const run = promisify(execFile);
const VERIFIER = fileURLToPath(new URL("../bin/tallystick-verify.ts", import.meta.url));

/** Sentences about files that do not hold; none is as it should be. */
export async function checkEvidence(
  machines: Machines,
  found: readonly Found[],
): Promise<string[]> {
  const firsts = [...Map.groupBy(found, ({ kind }) => kind).values()].flatMap((all) =>
    all.slice(0, 1),
  );
  const wrong: string[] = [];
  for (const { kind, id } of firsts) {
    const file = join(machines.directory, `${kind}.evidence.txt`);
    await machines.tallystick("findings", "--evidence", id, "-o", file);
    try {
      await run(process.execPath, [VERIFIER, file]);
    } catch (error) {
      const { stdout = "" } = error as { stdout?: string };
      wrong.push(
        `the evidence of ${kind} does not hold: ${/^FAILS.*$/m.exec(stdout)?.[0] ?? String(error)}`,
      );
    }
  }
  return wrong;
}
