/**
 * What the kernel lets us do here: make network namespaces, and track connections in them. Found by
 * trying it in a namespace that is gone when the try ends; nothing on the host is changed.
 */
import type { Run } from "./run.ts";

/** Something that works, or the reason why not, as it is printed to a person. */
export type Ability =
  | { readonly works: true; readonly how: string }
  | { readonly works: false; readonly why: string };

/** The abilities that the demo, the kernel tests and the bench stand on. */
export interface KernelAbilities {
  /** Network and mount namespaces, as root or in a user namespace of our own. */
  readonly namespaces: Ability;
  /** The conntrack table and its events, in such a namespace. */
  readonly connectionTracking: Ability;
}

/** The words that start a program in fresh namespaces: network and mounts, and for non-root a user too. */
export function unshareWords(isRoot: boolean): string[] {
  return ["--net", "--mount", ...(isRoot ? [] : ["--user", "--map-root-user"])];
}

/** Tries them. `unshare` and `conntrack` are the programs' paths, undefined where not installed. */
export function kernelAbilities(
  found: { readonly unshare?: string | undefined; readonly conntrack?: string | undefined },
  isRoot: boolean,
  run: Run,
): KernelAbilities {
  const namespaces = tryNamespaces(found.unshare, isRoot, run);
  if (!namespaces.works || found.unshare === undefined) {
    const why = "it is tried in a network namespace, and none can be made";
    return { namespaces, connectionTracking: { works: false, why } };
  }
  return {
    namespaces,
    connectionTracking: tryTracking(found.unshare, found.conntrack, isRoot, run),
  };
}

function tryNamespaces(unshare: string | undefined, isRoot: boolean, run: Run): Ability {
  if (unshare === undefined) return { works: false, why: "unshare is not installed" };
  const { code, output } = run(unshare, [...unshareWords(isRoot), "true"]);
  if (code === 0) return { works: true, how: isRoot ? "as root" : "in a user namespace" };
  const remedy = isRoot
    ? "this container lacks CAP_SYS_ADMIN: start it with it, or use a virtual machine"
    : "run it as root, or allow user namespaces: sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000";
  return { works: false, why: `${firstLine(output)}; ${remedy}` };
}

function tryTracking(
  unshare: string,
  conntrack: string | undefined,
  isRoot: boolean,
  run: Run,
): Ability {
  if (conntrack === undefined) return { works: false, why: "conntrack is not installed" };
  const { code, output } = run(unshare, [...unshareWords(isRoot), conntrack, "-C"]);
  if (code === 0) return { works: true, how: "nf_conntrack answers in a namespace" };
  const remedy = "load it as root: modprobe nf_conntrack nf_conntrack_netlink";
  return { works: false, why: `${firstLine(output)}; ${remedy}` };
}

function firstLine(output: string): string {
  return output.split("\n").find((line) => line.trim() !== "") ?? "no message";
}
