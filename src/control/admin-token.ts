/**
 * The administrator's token: a file that only the server's owner can read. Whoever reads it is that
 * owner, or root; it counts only from the server's own addresses (serve/access).
 */
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { ControlError } from "./control-error.ts";
import { newSecret, secretFits, secretHash } from "./secret.ts";

const PATTERN = /^tsa1\.[A-Za-z0-9_-]{43}$/;

export class AdminToken {
  readonly #hash: string;

  constructor(text: string) {
    this.#hash = secretHash(text);
  }

  /** Takes the same time for every wrong text. */
  matches(text: string): boolean {
    return secretFits(text, this.#hash);
  }
}

/** The token in `file`; made at the first start. Throws `control_failed` when the file holds something else. */
export function loadAdminToken(file: string): { token: AdminToken; created: boolean } {
  const created = createToken(file);
  // Somebody may have copied the directory without its modes.
  chmodSync(file, 0o600);
  const text = readFileSync(file, "utf8").trim();
  if (!PATTERN.test(text)) {
    throw new ControlError(
      "control_failed",
      `${file} holds no token; remove it to have a new one made at the next start`,
    );
  }
  return { token: new AdminToken(text), created };
}

function createToken(file: string): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(file, "wx", 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
  try {
    writeSync(descriptor, `tsa1.${newSecret()}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  return true;
}
