/** The project's own files, read once; and small readings of TypeScript that need no compiler. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** One file: its path from the project's root, with slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** One import or re-export, with the target as a path from the root, or a bare package name. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

const root = join(import.meta.dirname, "../..");
const notOurs = new Set(["node_modules", ".git", "dist", "results"]);

/** The files that match a glob, sorted by path. */
export function filesMatching(...globs: string[]): SourceFile[] {
  const paths = globSync(globs, { cwd: root, exclude: (name) => notOurs.has(name) });
  return paths.sort().map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

/** One file of the project by its path. */
export function fileAt(path: string): SourceFile {
  return { path, text: readFileSync(join(root, path), "utf8") };
}

const importPattern =
  /^\s*(?:import|export)\b(?:[^"';]*?\bfrom)?\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;

/** Static, type-only and dynamic imports alike: a type is knowledge too. */
export function importsOf(file: SourceFile): Import[] {
  return [...withoutComments(file.text).matchAll(importPattern)].map((match) => {
    const target = match[1] ?? match[2] ?? "";
    const to = target.startsWith(".") ? normalize(join(dirname(file.path), target)) : target;
    return { from: file.path, to };
  });
}

/** Blanks comments but keeps lines; a `//` inside a string goes too, which no check here minds. */
export function withoutComments(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, " "))
    .replaceAll(/(^|\s)\/\/[^\n]*/g, "$1");
}

/** The line number, from 1, of an index into a text. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
