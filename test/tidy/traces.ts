/** Traces of one person's machine in files that everybody gets. */
import { lineAt, type SourceFile } from "./source-tree.ts";

/** Put together here, so that this file does not hold what it looks for. */
const machineFolders = ["work", "root"].join("|");
const machinePath = new RegExp(String.raw`(?<![\w.~:/-])/(?:${machineFolders})/`, "g");

/** Absolute paths that exist on somebody's machine only. */
export function machinePaths(file: SourceFile): string[] {
  return [...file.text.matchAll(machinePath)].map(
    (match) => `${file.path}:${lineAt(file.text, match.index)} names a path of one machine`,
  );
}
