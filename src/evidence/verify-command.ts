/** `tallystick verify FILE`, which is `tallystick-verify FILE` too: needs no server and knows none. */
import { parseBase64url } from "../format/base64url.ts";
import { PUBLIC_KEY_BYTES } from "../format/identity.ts";
import { type Call, command } from "../std/command-line.ts";
import { CommandError } from "../std/command-error.ts";
import type { OptionTable } from "../std/command-options.ts";
import { printable } from "../std/printable.ts";
import type { Check, Outcome } from "./checks/check.ts";
import { type EvidenceErrorCode, givenName, readGiven, unusable } from "./given.ts";
import { type Verdict, verdictOf, verifyBytes } from "./verify.ts";

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
    {
      name: "FILE",
      summary: "what `tallystick findings --evidence ID -o FILE` wrote, `-` for stdin",
    },
  ],
  exitCodes: [
    [0, "nothing contradicts the evidence"],
    [1, "a check fails, or the answer cannot be written"],
    [2, "nothing was checked: FILE cannot be read or is no evidence, or wrong usage"],
  ],
  async run(call) {
    const [file = ""] = call.positionals;
    const checks = check(await readGiven(file), file, keyOf(call.options.serverKey));
    const verdict = verdictOf(checks);
    // The exit code is the verdict, also for whoever reads the first lines only.
    call.terminal.settle(verdict === "sound" ? 0 : 1);
    print(call, checks, verdict);
    if (verdict === "sound") return;
    const reason = CODES[verdict];
    throw new CommandError("command_failed", LINES[reason](givenName(file)), { reason });
  },
  /** What fails has its line among the checks. */
  failure: (error) => {
    if (error.code === "command_failed") return undefined;
    return { sound: null, code: error.reason ?? error.code, error: error.message };
  },
});

function check(bytes: Buffer, file: string, serverKey: Buffer | undefined): readonly Check[] {
  const checks = verifyBytes(bytes, serverKey === undefined ? {} : { serverKey });
  if (checks !== undefined) return checks;
  throw unusable(
    "no_evidence",
    `no evidence file, ${givenName(file)}, name what tallystick findings --evidence ID -o FILE wrote`,
  );
}

const WORD = { holds: "holds", fails: "FAILS", open: "open" } as const;
const COLOUR = { holds: "green", fails: "red", open: "yellow" } as const;

const VERDICT = {
  sound: "Nothing contradicts this evidence",
  changed: "This evidence is damaged or was changed",
  contradicts: "This evidence contradicts itself",
  "other server": "This evidence is signed by another server than the one that was named",
} as const satisfies Record<Verdict, string>;

const CODES = {
  changed: "evidence_fails",
  contradicts: "evidence_fails",
  "other server": "other_server",
} as const satisfies Record<Exclude<Verdict, "sound">, EvidenceErrorCode>;

const LINES = {
  evidence_fails: (name: string) => `the evidence does not hold, ${name}, trust nothing in it`,
  other_server: (name: string) =>
    `another server signed it, ${name}, compare --server-key with the key in tallystick status`,
} as const;

function print(
  call: Pick<Call<OptionTable>, "json" | "printJson" | "say" | "paint">,
  checks: readonly Check[],
  verdict: Verdict,
): void {
  const counts = { holds: 0, fails: 0, open: 0 } satisfies Record<Outcome, number>;
  for (const each of checks) {
    counts[each.outcome]++;
    if (call.json) call.printJson(each);
    const word = call.paint(COLOUR[each.outcome], WORD[each.outcome]);
    call.say(`${word}  ${printable(`${each.subject}: ${each.detail}`)}`);
  }
  if (call.json) {
    const code = verdict === "sound" ? {} : { code: CODES[verdict] };
    return call.printJson({ sound: verdict === "sound", ...counts, ...code });
  }
  call.say(
    `\n${VERDICT[verdict]}: ${counts.holds} hold, ${counts.fails} fail, ${counts.open} cannot be decided from the file alone.`,
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
