/**
 * A pipe whose reading end is polled. Node's own pipes to a child are socket pairs: each small
 * write fills a whole buffer of theirs (about 270 lines in all) and wakes the reader. This one
 * holds as much text as it has bytes, and is read when there is time.
 */
import { spawnSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** 64 KiB hold what 2,000 connections a second say in 17 ms, a mebibyte lasts for a quarter of a second. */
const PIPE_BYTES = 1024 * 1024;
/** Linux's F_SETPIPE_SZ. Node cannot ask for it; perl, in every Debian's base, can, and becomes the program. */
const ENLARGE = `fcntl(STDOUT, 1031, ${PIPE_BYTES}); exec { $ARGV[0] } @ARGV or die "$ARGV[0]: $!\\n"`;

/** The same command with a standard output of a mebibyte, where perl is there to enlarge it. */
export function withLargePipe(command: readonly string[]): readonly string[] {
  hasPerl ??= spawnSync("perl", ["-e", "1"]).status === 0;
  return hasPerl ? ["perl", "-e", ENLARGE, "--", ...command] : command;
}

let hasPerl: boolean | undefined;

export class PrivatePipe {
  readonly #readFd: number;
  #writeFd: number | undefined;

  /** Throws when the system has no room for it; nothing of it stays in the file system. */
  constructor() {
    const folder = mkdtempSync(join(tmpdir(), "tallystick-"));
    try {
      const path = join(folder, "events");
      const made = spawnSync("mkfifo", ["-m", "600", path], { encoding: "utf8" });
      if (made.status !== 0)
        throw new Error(`mkfifo failed: ${made.error?.message ?? made.stderr}`);
      this.#readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      this.#writeFd = openSync(path, constants.O_WRONLY);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** For the child's standard output; ours is closed by `handedOver`. */
  get writeFd(): number {
    return this.#writeFd ?? -1;
  }

  handedOver(): void {
    if (this.#writeFd !== undefined) closeSync(this.#writeFd);
    this.#writeFd = undefined;
  }

  /** Bytes read into `target`; 0 when there is nothing now. */
  read(target: Uint8Array): number {
    try {
      return readSync(this.#readFd, target, 0, target.length, null);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EAGAIN") return 0;
      throw error;
    }
  }

  close(): void {
    this.handedOver();
    closeSync(this.#readFd);
  }
}
