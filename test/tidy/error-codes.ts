/** The error codes of the code and of docs/errors.md: every one in both, once. */
import { withoutComments, type SourceFile } from "./source-tree.ts";

/** A code and the file or document line that knows it. */
export interface CodePlace {
  readonly code: string;
  readonly place: string;
}

const union = /\btype\s+(\w*(?:Error|Refusal)Code)\s*=([^;]*);/g;
const extraOfClass = /\bclass\s+(\w+Error)\b[^}]*?\breadonly code:([^;]*);/g;

/**
 * The literals of every `type …ErrorCode = "a" | "b";` (a `…RefusalCode` too), of what an error class
 * adds to its union, and the keys of a table where the type is `keyof typeof table`.
 */
export function codesInSource(files: readonly SourceFile[]): CodePlace[] {
  return files.flatMap(({ path, text }) => {
    const code = withoutComments(text);
    return [...code.matchAll(union), ...code.matchAll(extraOfClass)].flatMap(
      ([, name, body = ""]) =>
        [...literals(body), ...tableKeys(code, body)].map((each) => ({
          code: each,
          place: `${path} ${name}`,
        })),
    );
  });
}

function literals(body: string): string[] {
  // `Thing["code"]` names a property, not a code.
  return [...body.matchAll(/(?<!\[)["']([^"']+)["']/g)].map(([, literal = ""]) => literal);
}

/** Relies on the formatter: the table's keys stand two spaces in, its end at the margin. */
function tableKeys(code: string, body: string): string[] {
  const [, table] = /keyof typeof (\w+)/.exec(body) ?? [];
  if (table === undefined) return [];
  const start = code.search(new RegExp(`const ${table}\\b[^=]*= \\{`));
  const rows = code.slice(start, code.indexOf("\n}", start));
  return [...rows.matchAll(/^ {2}(\w+):/gm)].map(([, key = ""]) => key);
}

/** The first cells of the manual's tables, where they are code spans. */
export function codesInManual(manual: SourceFile): CodePlace[] {
  return [...manual.text.matchAll(/^\|\s*`([^`|]+)`\s*\|/gm)].map((match) => ({
    code: match[1] ?? "",
    place: manual.path,
  }));
}

/** What is in one place only, and what the manual says twice. */
export function codeDifferences(
  source: readonly CodePlace[],
  manual: readonly CodePlace[],
): string[] {
  const inSource = new Set(source.map(({ code }) => code));
  const inManual = new Set(manual.map(({ code }) => code));
  const codes = manual.map(({ code }) => code);
  const missing = source.filter(({ code }) => !inManual.has(code));
  return [
    ...missing.map(({ code, place }) => `${code} (${place}) has no row in docs/errors.md`),
    ...[...inManual.difference(inSource)].map(
      (code) => `${code} in docs/errors.md is raised nowhere`,
    ),
    ...codes.filter((code, at) => codes.indexOf(code) < at).map((code) => `${code} has two rows`),
  ];
}
