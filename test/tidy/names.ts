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
 * Exported names that nothing describes. A doc comment on the line above does, and so do: the head of the file
 * for the thing that the file is named after, described members for a type, a comment at the
 * end of the line for a constant, the codes for the error class of a stage, the first of several overloads.
 */
export function undocumentedExports(file: SourceFile): string[] {
  const lines = file.text.split("\n");
  const described = new Set<string>();
  return [...file.text.matchAll(exported)].flatMap((match) => {
    const name = match[1] ?? "";
    const line = lineAt(file.text, match.index);
    const isDescribed =
      described.has(name) ||
      lines[line - 2]?.trimEnd().endsWith("*/") === true ||
      / \/\/ \S/.test(lines[line - 1] ?? "") ||
      (name.endsWith("Error") && described.has(`${name}Code`)) ||
      (file.text.startsWith("/**") && isNamesake(file.path, name)) ||
      hasDescribedMembers(lines, line);
    if (isDescribed) described.add(name);
    return isDescribed ? [] : [`${file.path}:${line} ${name}: say in a doc comment what it is`];
  });
}

function isNamesake(path: string, name: string): boolean {
  const file = path.replace(/^.*\//, "").replace(/\..*$/, "");
  return file.replaceAll("-", "") === name.toLowerCase();
}

/** Of an interface or an object type; relies on the formatter, which ends it at the margin. */
function hasDescribedMembers(lines: readonly string[], line: number): boolean {
  if (!/^export (?:interface|type) .*\{$/.test(lines[line - 1] ?? "")) return false;
  const rest = lines.slice(line);
  const members = rest.slice(
    0,
    rest.findIndex((each) => each.startsWith("}")),
  );
  return members.some((member) => member.trimStart().startsWith("/**"));
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
