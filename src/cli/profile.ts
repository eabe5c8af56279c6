/**
 * Whom the command line speaks for, where neither a token nor `--data` is given: what `login` left in
 * the user's own configuration, for its owner alone.
 */
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CommandError } from "../std/command-error.ts";

export interface Profile {
  readonly url: string;
  readonly token: string;
  /** As of `--ca`. */
  readonly ca?: string;
}

/** Undefined where there is none. Throws `CommandError` for one that cannot be read. */
export function readProfile(env: NodeJS.ProcessEnv): Profile | undefined {
  const file = profileFile(env);
  if (file === undefined) return undefined;
  try {
    const read = JSON.parse(readFileSync(file, "utf8")) as Partial<Profile> | null;
    if (typeof read?.url === "string" && typeof read.token === "string") {
      const { url, token, ca } = read;
      return { url, token, ...(typeof ca === "string" ? { ca } : {}) };
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
  }
  const line = `cannot read, ${file}, remove it and sign in with \`tallystick login\``;
  throw new CommandError("command_failed", line);
}

/** Whole or not at all. Returns where it is. */
export function writeProfile(env: NodeJS.ProcessEnv, profile: Profile): string {
  const file = profileFile(env);
  if (file === undefined) {
    throw new CommandError("command_failed", "no home directory, HOME, set it or XDG_CONFIG_HOME");
  }
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, `${JSON.stringify(profile)}\n`, { mode: 0o600 });
    chmodSync(draft, 0o600);
    renameSync(draft, file);
    return file;
  } catch (cause) {
    const line = `cannot write, ${file}, look at its directory's rights`;
    throw new CommandError("command_failed", line, { cause });
  }
}

export function removeProfile(env: NodeJS.ProcessEnv): void {
  const file = profileFile(env);
  if (file !== undefined) rmSync(file, { force: true });
}

function profileFile({ XDG_CONFIG_HOME: config, HOME: home }: NodeJS.ProcessEnv) {
  // What is no absolute path does not count, says the specification of these directories.
  if (config?.startsWith("/") === true) return join(config, "tallystick", "profile.json");
  if (home === undefined || home === "") return undefined;
  return join(home, ".config", "tallystick", "profile.json");
}
