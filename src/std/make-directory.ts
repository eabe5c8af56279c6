/** Directories for code that may not wait for a promise; node-disk.ts has the durable kind. */
import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/**
 * Makes a directory, 0700, and those above it that are missing.
 * One by one: Node's `recursive` never ends below a directory that takes none, such as /proc.
 */
export function makeDirectory(path: string): void {
  const target = resolve(path);
  if (isDirectory(target)) return;
  makeDirectory(dirname(target));
  try {
    mkdirSync(target, { mode: 0o700 });
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (!isDirectory(target)) throw error;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
