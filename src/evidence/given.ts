/** What is given to `tallystick verify`: the bytes of a file, or of standard input for `-`. */
import { open } from "node:fs/promises";
import { CommandError } from "../std/command-error.ts";
import { FILE_BYTES_MAX } from "./limits.ts";

/** Beside the exit code: 1 where the evidence fails, 2 where nothing could be checked. */
export type EvidenceErrorCode =
  | "evidence_fails"
  | "other_server"
  | "no_evidence"
  | "evidence_unreadable";

/** How the input is called where people read of it. */
export function givenName(file: string): string {
  return file === "-" ? "standard input" : file;
}

/** Throws `evidence_unreadable`; `no_evidence` for what is empty or larger than any file of evidence. */
export async function readGiven(file: string): Promise<Buffer> {
  const bytes = await readBounded(file);
  if (bytes.length > 0) return bytes;
  throw unusable("no_evidence", `there is nothing in it, ${givenName(file)}, export it again`);
}

/** Ends with exit code 2: of the evidence itself it says neither good nor bad. */
export function unusable(
  reason: EvidenceErrorCode,
  line: string,
  options: ErrorOptions = {},
): CommandError {
  return new CommandError("wrong_usage", line, { ...options, reason });
}

async function readBounded(file: string): Promise<Buffer> {
  try {
    if (file === "-") return await bounded(process.stdin, file);
    await using handle = await open(file, "r");
    return await bounded(handle.createReadStream(), file);
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    const { code = "unknown" } = cause as NodeJS.ErrnoException;
    const line = `cannot read, ${givenName(file)} (${code}), name another file`;
    throw unusable("evidence_unreadable", line, { cause });
  }
}

/** Not by the size that the file system tells: a pipe has none. */
async function bounded(input: AsyncIterable<unknown>, file: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of input as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes <= FILE_BYTES_MAX) continue;
    const bound = `${FILE_BYTES_MAX / 1024 ** 2} MiB`;
    throw unusable("no_evidence", `larger than ${bound}, ${givenName(file)}, no evidence file is`);
  }
  return Buffer.concat(chunks);
}
