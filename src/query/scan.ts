/**
 * A query's text to tokens. Words end at white space, parentheses and quotes; what stands before an
 * operator is a field's name if it looks like one, so `10.0.0.1:443` and `fd00::1` stay words.
 */
import { REGEX_CHARS_MAX } from "./limits.ts";
import { QueryError, type Span } from "./query-error.ts";
import type { Bound, FieldName, Operator, Value } from "./tree.ts";

export type Token =
  | { readonly kind: "open" | "close" | "minus" | "or" | "and" | "end"; readonly span: Span }
  | {
      readonly kind: "field";
      readonly field: FieldName;
      readonly operator: Operator;
      readonly span: Span;
    }
  | { readonly kind: "value"; readonly value: Value; readonly span: Span };

const SPACE = /\s/u;
const FIELD = /([A-Za-z_][\w.-]*)(>=|<=|[:><])/y;
/** Looks like a name, and is the beginning of an IPv6 address. */
const ADDRESS = /[0-9A-Fa-f]{1,4}:(?:[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:.]*(?:\/\d+)?(?=[\s()]|$)/y;
const WORDS = new Map<string, "or" | "and" | "minus">([
  ["OR", "or"],
  ["AND", "and"],
  ["NOT", "minus"],
]);

/** All tokens, an `end` last. Throws `QueryError`. */
export function scan(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (SPACE.test(text[at] ?? "")) {
      at++;
      continue;
    }
    const previous = tokens.at(-1);
    const isValue = previous?.kind === "field" && previous.span.to === at;
    const found = isValue ? valueAt(text, at) : tokenAt(text, at);
    tokens.push(found);
    at = found.span.to;
  }
  tokens.push({ kind: "end", span: { from: at, to: at } });
  return tokens;
}

function tokenAt(text: string, at: number): Token {
  const char = text[at];
  if (char === "(" || char === ")") {
    return { kind: char === "(" ? "open" : "close", span: { from: at, to: at + 1 } };
  }
  if (char === "-") return { kind: "minus", span: { from: at, to: at + 1 } };
  return fieldAt(text, at) ?? valueAt(text, at);
}

function fieldAt(text: string, at: number): Token | undefined {
  ADDRESS.lastIndex = at;
  if (ADDRESS.test(text)) return undefined;
  FIELD.lastIndex = at;
  const [all = "", name = "", operator = ""] = FIELD.exec(text) ?? [];
  if (all === "") return undefined;
  const span = { from: at, to: at + all.length };
  const field = { text: name, span: { from: at, to: at + name.length } };
  return { kind: "field", field, operator: operator as Operator, span };
}

/** Also `(`, which begins a list of values. */
function valueAt(text: string, at: number): Token {
  switch (text[at]) {
    case "(":
      return { kind: "open", span: { from: at, to: at + 1 } };
    case ")":
      return { kind: "close", span: { from: at, to: at + 1 } };
    case '"':
      return quotedAt(text, at);
    case "/":
      return regexAt(text, at);
    default:
      return wordAt(text, at);
  }
}

function quotedAt(text: string, at: number): Token {
  let value = "";
  for (let next = at + 1; next < text.length; next++) {
    const char = text[next] ?? "";
    if (char === '"')
      return valueToken({ is: "phrase", text: value, span: { from: at, to: next + 1 } });
    if (char === "\\" && /["\\]/.test(text[next + 1] ?? "")) next++;
    value += text[next] ?? "";
  }
  throw new QueryError("the quotation has no end", { from: at, to: text.length }, 'add a "');
}

/** `\/` is a slash; every other backslash belongs to the expression. */
function regexAt(text: string, at: number): Token {
  let value = "";
  for (let next = at + 1; next < text.length; next++) {
    const char = text[next] ?? "";
    const span = { from: at, to: next + 1 };
    if (char === "/") {
      if (value.length <= REGEX_CHARS_MAX) return valueToken({ is: "regex", text: value, span });
      const what = `a regular expression has at most ${REGEX_CHARS_MAX} characters`;
      throw new QueryError(what, span);
    }
    if (char !== "\\") {
      value += char;
      continue;
    }
    next++;
    value += text[next] === "/" ? "/" : `\\${text[next] ?? ""}`;
  }
  const what = "the regular expression has no end";
  throw new QueryError(
    what,
    { from: at, to: text.length },
    "add a /, or quote what begins with one",
  );
}

function wordAt(text: string, at: number): Token {
  let end = at;
  while (end < text.length && !/[\s()"]/u.test(text[end] ?? "")) end++;
  const span = { from: at, to: Math.max(end, at + 1) };
  const word = text.slice(at, end);
  const keyword = WORDS.get(word);
  if (keyword !== undefined) return { kind: keyword, span };
  const dots = word.indexOf("..");
  if (dots < 0) return valueToken({ is: "word", text: word, span });
  const from: Bound = { text: word.slice(0, dots), span: { from: at, to: at + dots } };
  const to: Bound = { text: word.slice(dots + 2), span: { from: at + dots + 2, to: end } };
  return valueToken({ is: "range", text: word, from, to, span });
}

function valueToken(value: Value): Token {
  return { kind: "value", value, span: value.span };
}
