/** The intent as a small file beside the journal, replaced as a whole. */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { readFile, replaceFile } from "../std/durable-file.ts";
import { nodeDisk } from "../std/node-disk.ts";
import type { IntentFile, Range } from "./derive.ts";

export function intentFile(path: string): IntentFile {
  const disk = nodeDisk();
  return {
    async read() {
      const content = await readFile(disk, path);
      return content === undefined ? undefined : parseRange(content.toString("utf8"));
    },
    async write(range) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await replaceFile(disk, path, JSON.stringify(range));
    },
  };
}

/** A file that is no intent stands for none: its range is then made anew, under other tokens. */
function parseRange(text: string): Range | undefined {
  try {
    const { from, to } = JSON.parse(text) as Partial<Range>;
    return Number.isSafeInteger(from) && Number.isSafeInteger(to)
      ? ({ from, to } as Range)
      : undefined;
  } catch {
    return undefined;
  }
}
