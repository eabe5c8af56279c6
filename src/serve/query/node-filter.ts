/** A list of a node that does not exist would be empty, and look like good news. */
import type { ControlNode } from "../../control/node-table.ts";
import { ServeError } from "../serve-error.ts";

/** So many are named; the rest is counted: a line on a terminal, whatever the size of the mesh. */
const NAMES_MAX = 10;

/** Throws `bad_filter` for a name that no node has, or had until it was revoked. */
export function checkNodeFilter(name: string | undefined, nodes: readonly ControlNode[]): void {
  if (name === undefined || nodes.some((node) => node.name === name)) return;
  throw new ServeError("bad_filter", `unknown node ${name}; ${knownNames(nodes)}`);
}

function knownNames(nodes: readonly ControlNode[]): string {
  const names = [...new Set(nodes.map((node) => node.name))];
  if (names.length === 0) return "none is enrolled yet";
  const rest = names.length - NAMES_MAX;
  const more = rest > 0 ? ` and ${rest} more` : "";
  return `known: ${names.slice(0, NAMES_MAX).join(", ")}${more}`;
}
