/** How files, numbers and exported things are named and described. Each check returns what is wrong. */
import { lineAt, withoutComments, type SourceFile } from "./source-tree.ts";

const vague = /(?:^|-)(?:utils?|helpers?|common|shared|managers?|misc)(?:-|$)/;
const kebabCase = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test|\.d|\.config)?\.[a-z]+$/;

/** Barrels, names that say nothing, and anything but kebab-case. */
export function badFileNames(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const parts = path.split("/");
    const file = parts.at(-1) ?? "";
    if (/^index\.tsx?$/.test(file)) return [`${path}: a barrel; import the file itself`];
    const names = parts.map((part) => part.replace(/\..*$/, ""));
    if (names.some((name) => vague.test(name))) return [`${path}: name it by what is in it`];
    return kebabCase.test(file) ? [] : [`${path}: kebab-case, please`];
  });
}

const exported =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|class|const|let|interface|type) (\w+)/gm;

/**
 * Exported names without a doc comment that ends on the line above. The next line of an overload is
 * exempt, and so is the error class of a stage, whose codes are described instead.
 */
export function undocumentedExports(file: SourceFile): string[] {
  const lines = file.text.split("\n");
  const seen = new Set<string>();
  return [...file.text.matchAll(exported)].flatMap((match) => {
    const name = match[1] ?? "";
    const line = lineAt(file.text, match.index);
    const before = lines[line - 2]?.trimEnd() ?? "";
    const isCoded = /\w+Error$/.test(name) && seen.has(`${name}Code`);
    if (seen.has(name) || before.endsWith("*/") || isCoded) {
      seen.add(name);
      return [];
    }
    return [`${file.path}:${line} ${name}: say in a doc comment what it is`];
  });
}

const measured = /timeout|interval|ttl|size|delay|limit/i;
const numberDeclared =
  /\b([A-Za-z_]\w*)(?:\?)?:\s*number\b|\b(?:const|let|readonly|static)\s+#?([A-Za-z_]\w*)\s*=\s*\d/g;
const units = new Set(
  "us ns ms s seconds minutes hours days bytes bits kib mib max min count entries lines chars rows columns batches events halves percent ratio factor per".split(
    " ",
  ),
);

/** Numbers that measure something and do not say in what. */
export function numbersWithoutUnit(file: SourceFile): string[] {
  const text = withoutComments(file.text);
  return [...text.matchAll(numberDeclared)].flatMap((match) => {
    const name = match[1] ?? match[2] ?? "";
    const words = name
      .replaceAll(/([a-z\d])([A-Z])/g, "$1 $2")
      .toLowerCase()
      .split(/[ _]+/);
    const isClear = !words.some((word) => measured.test(word)) || words.some((w) => units.has(w));
    return isClear ? [] : [`${file.path}:${lineAt(text, match.index)} ${name}: in which unit?`];
  });
}
