/** The programs that the demo, the kernel tests and the bench run, and the Debian package of each. */
import { accessSync, constants } from "node:fs";
import { join } from "node:path";

/** What each program is for, as it is said when it is missing. */
export const systemTools = {
  conntrack: { debianPackage: "conntrack", purpose: "reads the kernel's connection events" },
  ip: { debianPackage: "iproute2", purpose: "makes the namespaces that stand for hosts" },
  nft: { debianPackage: "nftables", purpose: "turns connection tracking on in a namespace" },
  ss: { debianPackage: "iproute2", purpose: "reads sockets' exact byte counts" },
  ssh: { debianPackage: "openssh-client", purpose: "logs in from one host to another" },
  sshd: {
    debianPackage: "openssh-server",
    purpose: "answers those logins, in a namespace of ours only",
  },
  unshare: { debianPackage: "util-linux", purpose: "makes namespaces without root" },
} as const;

/** A program by its name. */
export type SystemTool = keyof typeof systemTools;

/** All of them: what the demo needs. */
export const everySystemTool = Object.keys(systemTools) as SystemTool[];

/** A user's PATH on Debian lacks these, and conntrack, nft and sshd live there. */
const systemFolders = ["/usr/sbin", "/sbin", "/usr/local/sbin"];

/** `path` with the system folders at its end: what a caller's own PATH names first still wins. */
export function withSystemFolders(path: string): string {
  const folders = path.split(":").filter((folder) => folder !== "");
  return [...folders, ...systemFolders.filter((folder) => !folders.includes(folder))].join(":");
}

/** The absolute path of a program on `path`, if it is there and may be run. */
export function findProgram(name: string, path: string): string | undefined {
  return path
    .split(":")
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** Each Debian package once, in the order of the programs. */
export function packagesOf(tools: readonly SystemTool[]): string[] {
  return [...new Set(tools.map((tool) => systemTools[tool].debianPackage))];
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
