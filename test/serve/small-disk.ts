/** A file system of a given size in a mount namespace of its own, which a process holds. Needs root. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export class SmallDisk implements AsyncDisposable {
  /** As it is called within. */
  readonly dir: string;
  readonly #holder: ChildProcess;

  private constructor(dir: string, holder: ChildProcess) {
    this.dir = dir;
    this.#holder = holder;
  }

  /** Why there can be none here; undefined: there can. */
  static missing(): string | undefined {
    if (process.getuid?.() !== 0) return "only root may mount";
    const tried = spawnSync("unshare", ["--mount", "true"]);
    return tried.status === 0 ? undefined : `unshare --mount: ${String(tried.stderr)}`;
  }

  static async mount(sizeBytes: number): Promise<SmallDisk> {
    const dir = mkdtempSync(join(tmpdir(), "tallystick-small-disk-"));
    const mount = `mount -t tmpfs -o mode=700,size=${sizeBytes} tmpfs "$0" && echo mounted && exec cat`;
    const holder = spawn("unshare", ["--mount", "sh", "-c", mount, dir], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(createInterface({ input: holder.stdout }), "line");
    return new SmallDisk(dir, holder);
  }

  /** Where a server is started on it, and where we see it. */
  get place(): { readonly launcher: readonly string[]; readonly shownDir: string } {
    const { pid } = this.#holder;
    return {
      launcher: ["nsenter", "--mount", "--target", String(pid)],
      shownDir: `/proc/${pid}/root${this.dir}`,
    };
  }

  /** The namespace, and all that is in it, ends with its last process. */
  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#holder, "exit");
    this.#holder.stdin?.end();
    await ended;
    rmSync(this.dir, { recursive: true, force: true });
  }
}
