/** `tallystick verify FILE`, which is `tallystick-verify FILE` too: needs no server and knows none. */
import { type FileHandle, open } from "node:fs/promises";
import { parseBase64url } from "../format/base64url.ts";
import { PUBLIC_KEY_BYTES } from "../format/identity.ts";
import { type Call, command } from "../std/command-line.ts";
import { CommandError } from "../std/command-error.ts";
import type { OptionTable } from "../std/command-options.ts";
import { printable } from "../std/printable.ts";
import type { Check, Outcome } from "./checks/check.ts";
import { FILE_BYTES_MAX } from "./limits.ts";
import { isSound, verifyEvidence } from "./verify.ts";

export const verifyCommand = command({
  name: "verify",
  summary: "check an evidence file, trusting neither server nor nodes",
  options: {
    serverKey: {
      type: "text",
      value: "KEY",
      summary: "the server's key as you know it, base64url: another one fails",
    },
  },
  positionals: [
    { name: "FILE", summary: "what `tallystick findings --evidence ID -o FILE` wrote" },
  ],
  async run(call) {
    const [file = ""] = call.positionals;
    const serverKey = keyOf(call.options.serverKey);
    const text = await read(file);
    const checks = verifyEvidence(text, serverKey === undefined ? {} : { serverKey });
    const sound = isSound(checks);
    // The exit code is the verdict, also for whoever reads the first lines only.
    call.terminal.settle(sound ? 0 : 1);
    print(call, checks);
    if (sound) return;
    throw new CommandError(
      "command_failed",
      `the evidence does not hold, ${file}, trust nothing in it`,
    );
  },
});

const WORD = { holds: "holds", fails: "FAILS", open: "open" } as const;
const COLOUR = { holds: "green", fails: "red", open: "yellow" } as const;

function print(
  call: Pick<Call<OptionTable>, "json" | "printJson" | "say" | "paint">,
  checks: readonly Check[],
): void {
  const counts = { holds: 0, fails: 0, open: 0 } satisfies Record<Outcome, number>;
  for (const check of checks) {
    counts[check.outcome]++;
    if (call.json) call.printJson(check);
    const word = call.paint(COLOUR[check.outcome], WORD[check.outcome]);
    call.say(`${word}  ${printable(`${check.subject}: ${check.detail}`)}`);
  }
  if (call.json) return call.printJson({ sound: counts.fails === 0, ...counts });
  const verdict =
    counts.fails === 0 ? "Nothing contradicts this evidence" : "This evidence contradicts itself";
  call.say(
    `\n${verdict}: ${counts.holds} hold, ${counts.fails} fail, ${counts.open} cannot be decided from the file alone.`,
  );
}

function keyOf(text: string | undefined): Buffer | undefined {
  if (text === undefined) return undefined;
  const key = parseBase64url(text, PUBLIC_KEY_BYTES);
  if (key !== undefined) return key;
  throw new CommandError(
    "wrong_usage",
    `--server-key is no key, ${text}, write its 43 characters of base64url`,
  );
}

async function read(file: string): Promise<string> {
  let bytes: Buffer;
  try {
    await using handle = await open(file, "r");
    bytes = await bounded(handle, file);
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new CommandError(
      "command_failed",
      `cannot read, ${file} (${code ?? "unknown"}), name another file`,
      { cause },
    );
  }
  // Bytes that are no UTF-8 would become one and the same character, and hide what changed.
  const text = bytes.toString("utf8");
  if (Buffer.from(text).equals(bytes)) return text;
  throw new CommandError("command_failed", `no text, ${file}, an evidence file is UTF-8`);
}

/** Not by the size that the file system tells: a pipe has none. */
async function bounded(handle: FileHandle, file: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of handle.createReadStream() as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes <= FILE_BYTES_MAX) continue;
    const bound = `${FILE_BYTES_MAX / 1024 ** 2} MiB`;
    throw new CommandError("command_failed", `larger than ${bound}, ${file}, no evidence file is`);
  }
  return Buffer.concat(chunks);
}
