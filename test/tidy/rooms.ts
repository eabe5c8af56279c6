/** The rooms of a stage: each knows only those before it, types included. */
import { importsOf, type SourceFile } from "./source-tree.ts";

/** A stage, and its folders and single files in their order. */
export interface Rooms {
  readonly stage: string;
  readonly order: readonly string[];
}

/** The comparison. A new folder in it, or a file beside the folders, is listed here first. */
export const reconcileRooms: Rooms = {
  stage: "src/reconcile",
  order: [
    // What every room is told: times and bounds, hours, and what a record of the journal is.
    "hours.ts",
    "limits.ts",
    "record.ts",
    // Records of halves, and how they are found.
    "half",
    // Which two are one connection.
    "match",
    // What is known of each node, and remembered of it and of the server's own stream.
    "node",
    // Verdicts and excuses, at a tick.
    "decide",
    // Conclusions, and who lies.
    "finding",
    // To the store and back.
    "row",
    // The composition: entries that are not about connections, and the comparison itself.
    "node-entries.ts",
    "reconcile.ts",
    // From the journal on.
    "derive",
  ],
};

/** Imports that point to a later room, and files in no room. A test may build all that it needs around its subject. */
export function wrongRooms(files: readonly SourceFile[], { stage, order }: Rooms): string[] {
  const own = files.filter(
    ({ path }) => path.startsWith(`${stage}/`) && !path.endsWith(".test.ts"),
  );
  const roomOf = (path: string): string => path.slice(stage.length + 1).split("/")[0] ?? "";
  const placeOf = (path: string): number => order.indexOf(roomOf(path));
  const unknown = own.flatMap(({ path }) =>
    placeOf(path) === -1
      ? [`${path} is in no room of ${stage}: list it in test/tidy/rooms.ts`]
      : [],
  );
  const wrong = own.flatMap(importsOf).flatMap(({ from, to }) => {
    if (!to.startsWith(`${stage}/`) || placeOf(to) <= placeOf(from)) return [];
    return [`${from} imports ${to}: ${roomOf(to)} comes after ${roomOf(from)}`];
  });
  return [...unknown, ...wrong];
}
