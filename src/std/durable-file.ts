/** Small files that are replaced as a whole: after a crash the old content is there or the new, never a part. */
import { dirname } from "node:path";
import { isMissing, type Disk, type DiskFile } from "./disk.ts";

/**
 * Durable on return. When it rejects, the old or the new content is there. One writer per path.
 *
 *   1. a file left by a former crash is removed   crash: old content
 *   2. `PATH.new` is written and synced           crash: old content, and a `PATH.new` for step 1
 *   3. it is renamed over `PATH`                  crash: old or new content
 *   4. the directory is synced                    crash: new content
 */
export async function replaceFile(
  disk: Disk,
  path: string,
  content: string | Uint8Array,
): Promise<void> {
  const temporary = `${path}.new`;
  await disk.remove(temporary);
  const file = await disk.open(temporary, "create");
  try {
    await file.append([typeof content === "string" ? Buffer.from(content) : content]);
    await file.syncData();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, path);
  await disk.syncDirectory(dirname(path));
}

/** The whole content; undefined where there is no file. */
export async function readFile(disk: Disk, path: string): Promise<Buffer | undefined> {
  let file: DiskFile;
  try {
    file = await disk.open(path, "read");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    const content = Buffer.alloc(await file.sizeBytes());
    return content.subarray(0, await file.pread(content, 0));
  } finally {
    await file.close();
  }
}
