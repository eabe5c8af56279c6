/** The process of a server's store: the engine is the server's only child. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Undefined while there is none. */
export function storePidOf(serverPid: number): number | undefined {
  try {
    const task = `/proc/${serverPid}/task`;
    const children = readdirSync(task).flatMap((id) =>
      readFileSync(join(task, id, "children"), "utf8")
        .trim()
        .split(" "),
    );
    const pid = Number(children.find((text) => text !== ""));
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
