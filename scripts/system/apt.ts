/**
 * Installing Debian packages. The one we must be careful with is openssh-server: its package starts
 * a daemon and has it started at every boot, and a demo must not open a port on the machine it runs on.
 */
import { existsSync, globSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { Run } from "./run.ts";

/** Whether it worked, and if not, apt's last words. */
export type InstallResult = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** Where Debian's tools ask whether a service may start; a parameter, so that tests have their own. */
export const policyFile = "/usr/sbin/policy-rc.d";

/** Exit code by which the policy says "not allowed". */
const refusalCode = 101;

const aptWords = ["-q", "-y", "-o", "DPkg::Lock::Timeout=300", "--no-install-recommends"];

/** Installs the packages; fetches the package lists first where there are none, or where they proved stale. */
export function installPackages(packages: readonly string[], run: Run): InstallResult {
  if (globSync("/var/lib/apt/lists/*_Packages*").length === 0) updateLists(run);
  const install = (): InstallResult =>
    withoutStartingServices(run, () => {
      const { code, output } = run("apt-get", [...aptWords, "install", ...packages]);
      return code === 0 ? { ok: true } : { ok: false, why: lastLine(output) };
    });
  let result = install();
  if (!result.ok) {
    updateLists(run);
    result = install();
  }
  if (result.ok && packages.includes("openssh-server")) run("update-rc.d", ["ssh", "disable"]);
  return result;
}

/**
 * Runs `work` under a policy that refuses to start any service, and puts back what was there. An
 * interrupt in between waits: a policy left behind would keep the machine's own services down.
 */
export function withoutStartingServices<Result>(
  run: Run,
  work: () => Result,
  file = policyFile,
): Result {
  const aside = `${file}.before-tallystick`;
  // Left by a run that was killed.
  if (existsSync(aside)) renameSync(aside, file);
  const existed = existsSync(file);
  if (existed && run(file, ["ssh", "start"]).code === refusalCode) return work();
  process.on("SIGINT", wait);
  process.on("SIGTERM", wait);
  if (existed) renameSync(file, aside);
  try {
    writeFileSync(file, `#!/bin/sh\nexit ${refusalCode}\n`, { mode: 0o755 });
    return work();
  } finally {
    rmSync(file, { force: true });
    if (existed) renameSync(aside, file);
    process.off("SIGINT", wait);
    process.off("SIGTERM", wait);
  }
}

/** A list that cannot be fetched (a mirror of something else, say) need not matter: the install decides. */
function updateLists(run: Run): void {
  run("apt-get", ["-q", "-o", "DPkg::Lock::Timeout=300", "update"]);
}

/** A signal handler that lets the work end first. */
function wait(): void {}

function lastLine(output: string): string {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  return lines.findLast((line) => line.startsWith("E:")) ?? lines.at(-1) ?? "apt-get said nothing";
}
