/**
 * The range that goes into the store, as a file beside the journal that is replaced as a whole: a
 * line of JSON that says what it is, and then the blocks' bytes one after the other, compressed.
 */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import { readFile, replaceFile } from "../../std/durable-file.ts";
import { nodeDisk } from "../../std/node-disk.ts";
import type { ReadyBlock } from "../../store/row-blocks.ts";
import { SCHEMA_VERSION } from "../../store/schema.ts";
import type { Intent, IntentFile } from "./derive.ts";

const LINE_END = 10;
/** It is read once, by the next start after a crash; to be written it has to be fast. */
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

interface Head extends Omit<Intent, "blocks"> {
  /** The tables that the blocks are for. */
  readonly schema: number;
  readonly blocks: readonly (Omit<ReadyBlock, "bytes"> & { readonly sizeBytes: number })[];
}

export function intentFile(path: string): IntentFile {
  const disk = nodeDisk();
  return {
    async read() {
      const content = await readFile(disk, path);
      return content === undefined ? undefined : decodeIntent(content);
    },
    async write(intent) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await replaceFile(disk, path, await encodeIntent(intent));
    },
  };
}

export async function encodeIntent({ blocks, ...intent }: Intent): Promise<Buffer> {
  const head: Head = {
    ...intent,
    schema: SCHEMA_VERSION,
    blocks: blocks.map(({ bytes, ...block }) => ({ ...block, sizeBytes: bytes.length })),
  };
  const bytes = Buffer.concat(blocks.map((block) => block.bytes));
  const compressed = await promisify(zstdCompress)(bytes, LEVEL);
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), compressed]);
}

/** A file that is no intent, or one for other tables, stands for none: its range is then made anew. */
export async function decodeIntent(content: Buffer): Promise<Intent | undefined> {
  try {
    const headEnd = content.indexOf(LINE_END);
    const head = JSON.parse(content.toString("utf8", 0, headEnd)) as Head;
    const { schema, blocks, ...intent } = head;
    if (schema !== SCHEMA_VERSION) return undefined;
    const bytes = await promisify(zstdDecompress)(content.subarray(headEnd + 1));
    let at = 0;
    const taken = blocks.map(({ sizeBytes, ...block }) => {
      at += sizeBytes;
      return { ...block, bytes: bytes.subarray(at - sizeBytes, at) };
    });
    return at === bytes.length ? { ...intent, blocks: taken } : undefined;
  } catch {
    return undefined;
  }
}
