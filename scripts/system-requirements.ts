/**
 * What Tallystick's demo, tests and bench need from the system, beyond `npm ci`. As root on Debian
 * it installs what is missing and says so; else it names what is missing and the command to run.
 *
 *   node scripts/system-requirements.ts [--required]
 *
 * With `--required` anything missing is exit code 1; without, the tests that need it skip and say why.
 */
import { mkdirSync } from "node:fs";
import { installPackages } from "./system/apt.ts";
import { kernelAbilities, type KernelAbilities } from "./system/kernel.ts";
import { runProgram, type Run } from "./system/run.ts";
import {
  everySystemTool,
  findProgram,
  packagesOf,
  systemTools,
  withSystemFolders,
  type SystemTool,
} from "./system/tools.ts";

/** The state of the system after all that could be done for it. */
export interface SystemReport {
  readonly isRoot: boolean;
  readonly found: Readonly<Partial<Record<SystemTool, string>>>;
  readonly missing: readonly SystemTool[];
  readonly kernel: KernelAbilities;
  /** What was done and what is left to do, a line each, for a person; empty when all was there. */
  readonly lines: readonly string[];
}

/** For tests: another machine. */
export interface SystemSeams {
  readonly run?: Run;
  readonly isRoot?: boolean;
  readonly find?: (name: string) => string | undefined;
  readonly say?: (line: string) => void;
}

/**
 * Sees to it that the programs are there. Adds the system folders to this process's PATH, so that
 * what it starts finds them by name. Prints to stderr as it goes; never throws for what is missing.
 */
export function ensureSystem(
  tools: readonly SystemTool[] = everySystemTool,
  seams: SystemSeams = {},
): SystemReport {
  process.env["PATH"] = withSystemFolders(process.env["PATH"] ?? "");
  const run = seams.run ?? runProgram;
  const isRoot = seams.isRoot ?? process.getuid?.() === 0;
  const find = seams.find ?? ((name: string) => findProgram(name, process.env["PATH"] ?? ""));
  const lines: string[] = [];
  const say = (line: string): void => {
    lines.push(line);
    (seams.say ?? console.error)(line);
  };
  install(
    tools.filter((tool) => find(tool) === undefined),
    { run, isRoot, find, say },
  );
  const found = Object.fromEntries(
    tools.flatMap((tool) => {
      const path = find(tool);
      return path === undefined ? [] : [[tool, path]];
    }),
  );
  // Debian makes this folder when its service starts; ours is started by hand.
  if (isRoot && "sshd" in found && seams.run === undefined)
    mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const kernel = kernelAbilities(
    { unshare: find("unshare"), conntrack: find("conntrack") },
    isRoot,
    run,
  );
  const missing = tools.filter((tool) => !(tool in found));
  if (!kernel.namespaces.works) say(`network namespaces: ${kernel.namespaces.why}`);
  else if (!kernel.connectionTracking.works)
    say(`connection tracking: ${kernel.connectionTracking.why}`);
  return { isRoot, found, missing, kernel, lines };
}

/** Why tests on a real kernel cannot run here, for node:test's `skip`; false when they can. */
export function kernelSkip(report: SystemReport): string | false {
  if (report.missing.length > 0) return `not installed: ${packagesOf(report.missing).join(" ")}`;
  const { namespaces, connectionTracking } = report.kernel;
  if (!namespaces.works) return `no network namespaces: ${namespaces.why}`;
  return connectionTracking.works ? false : `no connection tracking: ${connectionTracking.why}`;
}

function install(missing: readonly SystemTool[], seams: Required<SystemSeams>): void {
  if (missing.length === 0) return;
  const { run, isRoot, find, say } = seams;
  const packages = packagesOf(missing).join(" ");
  const why = missing.map((tool) => `${tool}: ${systemTools[tool].purpose}`).join("; ");
  if (find("apt-get") === undefined) {
    say(
      `missing: ${missing.join(", ")} (${why}); install them: on Debian the packages ${packages}`,
    );
    return;
  }
  if (!isRoot) {
    say(
      `missing: ${missing.join(", ")} (${why}); run: sudo apt-get install --no-install-recommends ${packages}`,
    );
    return;
  }
  say(`installing ${packages} with apt-get (${why})`);
  const result = installPackages(packagesOf(missing), run);
  if (!result.ok) say(`apt-get could not install ${packages}: ${result.why}`);
}

if (import.meta.main) {
  const report = ensureSystem();
  const skip = kernelSkip(report);
  const { namespaces } = report.kernel;
  if (skip === false && namespaces.works) {
    console.log(
      `system: all programs are there; kernel: namespaces ${namespaces.how}, connection tracking`,
    );
  } else if (skip !== false) {
    console.log(`system: tests on a real kernel cannot run: ${skip}`);
    if (process.argv.includes("--required")) process.exitCode = 1;
  }
}
