/**
 * The options of one command: what each accepts, and reading them from the command line, the
 * environment or the default, in this order. Built on node:util's parseArgs for the splitting alone:
 * its messages name no remedy, so the checks are here.
 */
import { parseArgs } from "node:util";
import { CommandError } from "./command-error.ts";
import { parseDuration, parseTime } from "./duration.ts";

/**
 * One option. Its key in the table is camelCase, its spelling kebab-case: `allowHttp` is `--allow-http`.
 * `duration` gives milliseconds, `time` Unix milliseconds, `count` a whole number from 0.
 */
export interface OptionSpec {
  readonly type: "flag" | "text" | "duration" | "time" | "count";
  readonly summary: string;
  /** Stands for the value in the help: `DIR`. */
  readonly value?: string;
  /** One letter, without its dash. */
  readonly short?: string;
  readonly required?: true;
  /** May be given several times; its environment variable separates by commas. */
  readonly repeatable?: true;
  /** As a person would type it. */
  readonly default?: string;
  /** Environment variables, the first that is set counts. */
  readonly env?: readonly string[];
  readonly choices?: readonly string[];
  /** Of a count or duration, inclusive, as a person would type them. */
  readonly min?: string;
  readonly max?: string;
  /** Of a text, in UTF-16 units as everywhere. */
  readonly charsMax?: number;
}

/** The options of a command by camelCase name. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

/** The type of one option's value, with `undefined` only where it can be absent. */
export type OptionValue<Spec extends OptionSpec> = Spec extends { repeatable: true }
  ? readonly Single<Spec>[]
  : Spec extends { type: "flag" } | { required: true } | { default: string }
    ? Single<Spec>
    : Single<Spec> | undefined;

/** The values of a whole table. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: OptionValue<Table[Name]>;
};

type Single<Spec extends OptionSpec> = Spec extends { type: "flag" }
  ? boolean
  : Spec extends { type: "text"; choices: readonly (infer Choice)[] }
    ? Choice
    : Spec extends { type: "text" }
      ? string
      : number;

/** Understood by every command, and so in no command's table. */
export const globalOptions = {
  json: { type: "flag", summary: "one JSON object per line on stdout" },
  help: { type: "flag", summary: "show this text", short: "h" },
  version: { type: "flag", summary: "show the version" },
} as const satisfies OptionTable;

/** What to read, by which tables, and how to name the command in an error. */
export interface ArgumentsRequest {
  readonly words: readonly string[];
  readonly options: OptionTable;
  readonly positionals: readonly { name: string; optional?: true; repeatable?: true }[];
  readonly context: string;
  readonly terminal: { readonly env: NodeJS.ProcessEnv; readonly nowMs: number };
}

type Value = string | number | boolean | undefined | readonly (string | number | boolean)[];

/** Reads everything or throws `wrong_usage` with one line that says what to do. */
export function readArguments(request: ArgumentsRequest): {
  options: Record<string, Value>;
  positionals: string[];
  json: boolean;
} {
  const given = splitWords(request);
  const options = Object.entries(request.options).map(([name, spec]): [string, Value] => [
    name,
    readOption(name, spec, given.texts.get(name) ?? [], request),
  ]);
  checkPositionals(given.positionals, request);
  return {
    options: Object.fromEntries(options),
    positionals: given.positionals,
    json: given.texts.has("json"),
  };
}

/** The spelling of a table's key on the command line. */
export function optionFlag(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Stands for the option's value in help and errors. */
export function valueName(spec: OptionSpec): string {
  return spec.value ?? spec.type.toUpperCase();
}

/** What a count or duration may be; empty where that is anything. */
export function rangeText({ min, max }: OptionSpec): string {
  if (min === undefined) return max === undefined ? "" : `${max} at most`;
  return max === undefined ? `${min} or more` : `${min} to ${max}`;
}

function splitWords(request: ArgumentsRequest): {
  texts: Map<string, string[]>;
  positionals: string[];
} {
  const table: OptionTable = { ...request.options, ...globalOptions };
  const names = new Map(Object.keys(table).map((name) => [optionFlag(name).slice(2), name]));
  const { tokens } = parseArgs({
    args: [...request.words],
    options: parserOptions(table),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const texts = new Map<string, string[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const name = names.get(token.name);
    const spec = name === undefined ? undefined : table[name];
    if (name === undefined || spec === undefined) {
      throw wrong(request, `unknown option, ${token.rawName}`, "see the options of");
    }
    texts.set(name, [...(texts.get(name) ?? []), tokenText(token, spec, request)]);
  }
  return { texts, positionals };
}

function parserOptions(
  table: OptionTable,
): Record<string, { type: "boolean" | "string"; short?: string }> {
  return Object.fromEntries(
    Object.entries(table).map(([name, spec]) => [
      optionFlag(name).slice(2),
      {
        type: spec.type === "flag" ? "boolean" : "string",
        ...(spec.short === undefined ? {} : { short: spec.short }),
      },
    ]),
  );
}

function tokenText(
  token: { rawName: string; value?: string | undefined; inlineValue?: boolean | undefined },
  spec: OptionSpec,
  request: ArgumentsRequest,
): string {
  if (spec.type === "flag") {
    if (token.value === undefined) return "1";
    throw wrong(request, `unexpected value, ${token.rawName}=${token.value}`, "it takes none, see");
  }
  // `--node --json` is far more often a forgotten value than a value that starts with a dash.
  const forgotten =
    token.value === undefined || (token.inlineValue !== true && /^-./.test(token.value));
  if (forgotten) {
    const how = `give ${token.rawName}=${valueName(spec)}, see`;
    throw wrong(request, `missing value, ${token.rawName}`, how);
  }
  return token.value ?? "";
}

function readOption(
  name: string,
  spec: OptionSpec,
  typed: readonly string[],
  request: ArgumentsRequest,
): Value {
  const texts = typed.length > 0 ? typed : fallbackTexts(spec, request.terminal.env);
  const values = texts.map((text) => readValue(name, spec, text, request));
  if (spec.required === true && values.length === 0) {
    const or = spec.env === undefined ? "" : ` or ${spec.env.join(" or ")}`;
    throw wrong(request, `missing option, ${optionFlag(name)}`, `give it${or}, see`);
  }
  if (spec.repeatable === true) return values;
  if (typed.length > 1 && spec.type !== "flag") {
    throw wrong(request, `given ${typed.length} times, ${optionFlag(name)}`, "give it once, see");
  }
  return values[0] ?? (spec.type === "flag" ? false : undefined);
}

function fallbackTexts(spec: OptionSpec, env: NodeJS.ProcessEnv): readonly string[] {
  for (const variable of spec.env ?? []) {
    const text = env[variable];
    if (text === undefined || text === "") continue;
    return spec.repeatable === true ? text.split(",").map((part) => part.trim()) : [text];
  }
  return spec.default === undefined ? [] : [spec.default];
}

function readValue(
  name: string,
  spec: OptionSpec,
  text: string,
  request: ArgumentsRequest,
): string | number | boolean {
  const flag = optionFlag(name);
  if (spec.choices !== undefined && !spec.choices.includes(text)) {
    const choices = spec.choices.join(", ");
    throw wrong(request, `${flag} is none of its choices, ${text}`, choices, ", see");
  }
  const value = readers[spec.type](text, request.terminal.nowMs);
  if (value === undefined) {
    throw wrong(request, `${flag} is no ${spec.type}, ${text}`, hints[spec.type], ", see");
  }
  if (!isWithin(value, spec)) {
    throw wrong(request, `${flag} is out of range, ${text}`, `write ${rangeText(spec)}`, ", see");
  }
  checkText(flag, spec, text, request);
  return value;
}

function isWithin(value: string | number | boolean, { type, min, max }: OptionSpec): boolean {
  if (typeof value !== "number") return true;
  const bound = (text: string | undefined, otherwise: number): number =>
    text === undefined ? otherwise : Number(readers[type](text, 0));
  return value >= bound(min, -Infinity) && value <= bound(max, Infinity);
}

/** Nothing but space is a forgotten value as well: an unset variable of a script, mostly. */
function checkText(flag: string, spec: OptionSpec, text: string, request: ArgumentsRequest): void {
  if (spec.type !== "text" || text === spec.default) return;
  if (text.trim() === "") {
    throw wrong(request, `the value is empty, ${flag}`, `give ${flag}=${valueName(spec)}, see`);
  }
  const { length } = text;
  if (length <= (spec.charsMax ?? length)) return;
  const what = `${flag} is too long, ${length} characters`;
  throw wrong(request, what, `write ${spec.charsMax} at most`, ", see");
}

const readers = {
  flag: (text) => !["0", "false", "no"].includes(text.toLowerCase()),
  text: (text) => text,
  duration: (text) => parseDuration(text),
  time: (text, nowMs) => parseTime(text, nowMs),
  count: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined),
} satisfies {
  [Type in OptionSpec["type"]]: (t: string, nowMs: number) => string | number | boolean | undefined;
};

const hints = {
  flag: "",
  text: "",
  duration: "write it like 500ms, 30s, 15m, 24h or 7d",
  time: "write it like 1h (ago), 2026-03-01 or 2026-03-01T08:30Z",
  count: "write a whole number",
} satisfies { [Type in OptionSpec["type"]]: string };

function checkPositionals(given: readonly string[], request: ArgumentsRequest): void {
  const { positionals } = request;
  const empty = given.findIndex((text) => text.trim() === "");
  if (empty >= 0)
    throw wrong(request, `empty argument, ${positionals[empty]?.name ?? empty + 1}`, "see");
  const missing = positionals.slice(given.length).find((each) => each.optional !== true);
  if (missing !== undefined) throw wrong(request, `missing argument, ${missing.name}`, "see");
  const extra = given[positionals.length];
  if (extra !== undefined && positionals.at(-1)?.repeatable !== true) {
    throw wrong(request, `unexpected argument, ${extra}`, "see");
  }
}

function wrong(request: ArgumentsRequest, what: string, todo: string, see = ""): CommandError {
  return new CommandError("wrong_usage", `${what}, ${todo}${see} ${request.context} --help`);
}
