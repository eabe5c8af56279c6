/** What a lock file must be, so that `npm ci` works for everybody: without holes, and without a host. */
import type { SourceFile } from "./source-tree.ts";

interface LockFile {
  readonly packages: Readonly<
    Record<string, { optionalDependencies?: Readonly<Record<string, string>>; resolved?: string }>
  >;
}

/** Optional packages (another platform's binaries) that are named and not locked: `npm ci` refuses. */
export function lockHoles(file: SourceFile): string[] {
  const { packages } = JSON.parse(file.text) as LockFile;
  return Object.values(packages)
    .flatMap((owner) => Object.keys(owner.optionalDependencies ?? {}))
    .filter((name) => !Object.keys(packages).some((path) => path.endsWith(`node_modules/${name}`)))
    .map((name) => `${name} is not locked: run node scripts/complete-lock.ts`);
}

/** Download addresses: whoever installs has a registry of their own choice. */
export function lockedAddresses(file: SourceFile): string[] {
  const { packages } = JSON.parse(file.text) as LockFile;
  return Object.entries(packages)
    .filter(([, { resolved }]) => resolved?.startsWith("http") === true)
    .map(([path]) => `${path} is locked to a registry's host`);
}
