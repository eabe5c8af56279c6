/**
 * Fills the holes that `npm install` leaves in package-lock.json where the registry does not carry
 * the native packages of other platforms. `npm ci` refuses a lock file with holes, on every platform;
 * an entry with version and platform is enough for it to skip the package where it does not fit. Run after
 * adding or updating a dependency: node scripts/complete-lock.ts
 */
import { readFileSync, writeFileSync } from "node:fs";

interface LockEntry {
  readonly version?: string;
  readonly dev?: true;
  readonly optional?: true;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface LockFile {
  packages: Record<string, LockEntry>;
}

const file = "package-lock.json";
const lock = JSON.parse(readFileSync(file, "utf8")) as LockFile;
const added: Record<string, LockEntry> = {};
for (const owner of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`;
    if (path in lock.packages) continue;
    added[path] = {
      version,
      ...(owner.dev === true ? { dev: true } : {}),
      optional: true,
      ...platformOf(name),
    };
  }
}
lock.packages = Object.fromEntries(
  Object.entries({ ...lock.packages, ...added }).sort(([a], [b]) => (a < b ? -1 : 1)),
);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${file}: ${Object.keys(added).length} entries added`);

/** Native packages are named by their platform: `binding-linux-arm64-musl`, `darwin-x64`. */
function platformOf(name: string): Pick<LockEntry, "os" | "cpu" | "libc"> {
  const found = /(aix|android|darwin|freebsd|linux|openharmony|win32)-([a-z0-9]+)-?(\w+)?$/.exec(
    name,
  );
  if (found === null) throw new Error(`the platform of ${name} is not in its name; add it by hand`);
  const [, os = "", cpu = "", abi = ""] = found;
  const libc = abi.startsWith("gnu") ? ["glibc"] : abi.startsWith("musl") ? ["musl"] : undefined;
  return { os: [os], cpu: [cpu], ...(os === "linux" && libc !== undefined ? { libc } : {}) };
}
