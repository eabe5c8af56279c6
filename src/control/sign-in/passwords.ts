/**
 * Passwords: argon2id in PHC form. A hash takes 19 MiB and tens of milliseconds of a thread that the
 * journal's disk needs too, so that two run at once, some wait, and more are sent away.
 */
import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { AtOnce } from "../../std/at-once.ts";
import { ControlError } from "../control-error.ts";
import { HASHES_AT_ONCE_MAX, HASHES_WAITING_MAX } from "../limits.ts";
import { PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN } from "../../api/limits.ts";

export interface Argon2Cost {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** OWASP's choice for interactive sign-in. */
const COST: Argon2Cost = { memoryKiB: 19 * 1024, passes: 2, parallelism: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([\w+/]+)\$([\w+/]+)$/;

/** The derivation itself; tests count it. */
export type Derive = (password: string, salt: Buffer, cost: Argon2Cost) => Promise<Buffer>;

export class Passwords {
  readonly #derive: Derive;
  /** What there is to compare with for who does not exist: the same work, never the same result. */
  readonly #nobodys: string;
  readonly #hashes = new AtOnce(HASHES_AT_ONCE_MAX);

  constructor(derive: Derive = deriveArgon2) {
    this.#derive = derive;
    this.#nobodys = phcOf(COST, randomBytes(SALT_BYTES), randomBytes(HASH_BYTES));
  }

  /** In PHC form. Throws `control_busy`. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const hash = await this.#inTurn(() => this.#derive(password.normalize("NFKC"), salt, COST));
    return phcOf(COST, salt, hash);
  }

  /** As long for no hash at all as for one. Throws `control_busy`. */
  async fits(password: string, stored: string | undefined): Promise<boolean> {
    const { cost, salt, hash } = partsOf(stored ?? this.#nobodys);
    const derived = await this.#inTurn(() => {
      return this.#derive(password.normalize("NFKC"), salt, cost);
    });
    return timingSafeEqual(derived, hash) && stored !== undefined;
  }

  /** Of who is signed in and gives it once more. Throws `wrong_password`, `control_busy`. */
  async check(password: string, stored: string | undefined): Promise<void> {
    if (await this.fits(password, stored)) return;
    throw new ControlError("wrong_password", "the password is not yours");
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#hashes.waiting >= HASHES_WAITING_MAX) {
      throw new ControlError("control_busy", `${HASHES_WAITING_MAX} sign-ins wait; try again`);
    }
    return this.#hashes.run(work);
  }
}

/** Length, and not the name: what guessers try first. No rules of composition. Throws `bad_password`. */
export function checkPassword(password: string, userName: string): void {
  const { length } = password;
  if (length < PASSWORD_CHARS_MIN || length > PASSWORD_CHARS_MAX) {
    throw new ControlError(
      "bad_password",
      `a password has ${PASSWORD_CHARS_MIN} to ${PASSWORD_CHARS_MAX} characters`,
    );
  }
  const rest = password.toLowerCase().replaceAll(userName.toLowerCase(), "");
  if (rest.length < PASSWORD_CHARS_MIN / 2) {
    throw new ControlError("bad_password", "the password is little more than the user's name");
  }
}

function deriveArgon2(password: string, salt: Buffer, cost: Argon2Cost): Promise<Buffer> {
  const { memoryKiB: memory, passes, parallelism } = cost;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const parameters = { message: password, nonce: salt, memory, passes, parallelism };
  argon2("argon2id", { ...parameters, tagLength: HASH_BYTES }, (error, hash) => {
    if (error === null) resolve(hash);
    else reject(error);
  });
  return promise;
}

function phcOf({ memoryKiB, passes, parallelism }: Argon2Cost, salt: Buffer, hash: Buffer): string {
  const cost = `m=${memoryKiB},t=${passes},p=${parallelism}`;
  return `$argon2id$v=19$${cost}$${unpadded(salt)}$${unpadded(hash)}`;
}

function partsOf(phc: string): { cost: Argon2Cost; salt: Buffer; hash: Buffer } {
  const [, memory, passes, parallelism, salt, hash] = PHC.exec(phc) ?? [];
  if (hash === undefined) throw new Error("a stored password is not in PHC form");
  return {
    cost: {
      memoryKiB: Number(memory),
      passes: Number(passes),
      parallelism: Number(parallelism),
    },
    salt: Buffer.from(salt ?? "", "base64"),
    hash: Buffer.from(hash, "base64"),
  };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("=", "");
}
