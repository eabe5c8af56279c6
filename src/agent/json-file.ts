/** Small files that are replaced as a whole: after a crash the old content is there or the new, never a part. */
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { AgentError } from "./agent-error.ts";

/** Readable by the owner alone. With `durable` it survives a power cut once this returns. */
export function replaceFile(path: string, content: string | Uint8Array, durable = true): void {
  const temporary = `${path}.new`;
  const file = openSync(temporary, "w", 0o600);
  try {
    // Writes again what a nearly full disk took only a part of, where one write would be cut short.
    writeFileSync(file, content);
    if (durable) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  if (durable) syncDirectory(dirname(path));
}

/** The same, durable, without holding up the event loop: a disk under load takes long to sync. */
export async function replaceFileSoon(path: string, content: string): Promise<void> {
  const temporary = `${path}.soon`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncDirectorySoon(dirname(path));
}

/** `syncDirectory` without holding up the event loop. */
export async function syncDirectorySoon(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Makes names that were created, renamed or removed in a directory durable. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Durable absence. */
export function removeFile(path: string): void {
  rmSync(path, { force: true });
  syncDirectory(dirname(path));
}

/** The parsed content; undefined where there is no file. Throws `bad_state` for what is not JSON. */
export function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AgentError(
      "bad_state",
      `${path} is not JSON; restore it, or remove it to begin anew`,
      {
        cause,
      },
    );
  }
}

/**
 * The same for files that are written without waiting for the disk: after a power cut one may be empty
 * or cut short, and is as good as none.
 */
export function readJsonHint(path: string): unknown {
  try {
    return readJson(path);
  } catch (error) {
    if (error instanceof AgentError) return undefined;
    throw error;
  }
}

/** True for the error of a file or directory that is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
