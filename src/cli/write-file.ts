/** What a command leaves in a file: never over another one, and never half. */
import { open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { CommandError } from "../std/command-error.ts";

/** Durable on return, for its owner alone. Resolves with the bytes written; what fails leaves no file. */
export async function writeNewFile(file: string, content: Readable): Promise<number> {
  const handle = await create(file);
  try {
    await handle.writeFile(content);
    await handle.sync();
    const { size } = await handle.stat();
    await handle.close();
    await syncDirectory(dirname(file));
    return size;
  } catch (cause) {
    await handle.close().catch(() => undefined);
    await rm(file, { force: true });
    throw new CommandError(
      "command_failed",
      `cannot write, ${file}, try again or name another file`,
      { cause },
    );
  }
}

async function create(file: string): Promise<Awaited<ReturnType<typeof open>>> {
  try {
    return await open(file, "wx", 0o600);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const what = code === "EEXIST" ? "there is a file already" : "cannot write";
    const todo = code === "EEXIST" ? "remove it or name another" : "name another file";
    throw new CommandError("command_failed", `${what}, ${file}, ${todo}`, { cause });
  }
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, "r");
  await directory.sync();
}
