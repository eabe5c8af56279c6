/**
 * Programs with commands. A program is a table of commands, a command a table of options; from it
 * come the parsing, the help, and the answer to wrong usage. Exit codes: 0 done, 1 failed, 2 wrong
 * usage. A failure is one line on stderr: `program: what, which, what to do`.
 */
import { inspect } from "node:util";
import { commandHelp, type ExitMeanings, programHelp } from "./command-help.ts";
import { readArguments, type OptionTable, type OptionValues } from "./command-options.ts";
import { CommandError, type OutputErrorCode } from "./command-error.ts";
import { painter, type Paint } from "./colour.ts";
import { printable, printableJson } from "./printable.ts";
import { formatTable, type Cell, type Heading } from "./table.ts";

/** A word after the command: at most the last one may be repeatable, and optional ones come last. */
export interface Positional {
  readonly name: string;
  readonly summary: string;
  readonly optional?: true;
  readonly repeatable?: true;
}

/** 0 done, 1 failed, 2 wrong usage. */
export type ExitCode = 0 | 1 | 2;

/** What a program is told from outside; tests hand in their own. */
export interface Terminal {
  readonly env: NodeJS.ProcessEnv;
  readonly nowMs: number;
  readonly isTerminal: boolean;
  /** Width of stdout; absent for a pipe. */
  readonly columnsMax: number | undefined;
  out(text: string): void;
  err(text: string): void;
  /** The command's exit code is certain: from here on, a reader who closes before the end does not change it. */
  settle(code: ExitCode): void;
}

/** What a command's `run` gets: its options, checked and typed, and the ways to answer. */
export interface Call<Options extends OptionTable> {
  readonly options: OptionValues<Options>;
  readonly positionals: readonly string[];
  /** `--json` was given: stdout carries one JSON object a line and nothing else. */
  readonly json: boolean;
  readonly terminal: Terminal;
  readonly paint: Paint;
  /** Human text; silent under `--json`. */
  readonly say: (text: string) => void;
  /** One object on one line; hidden characters escaped. */
  readonly printJson: (value: unknown) => void;
  /** A table for the terminal's width. */
  readonly printTable: (headings: readonly Heading[], rows: readonly (readonly Cell[])[]) => void;
}

/** One command. `name` may be several words (`keys create`); `aliases` are other spellings of all of them. */
export interface CommandSpec<Options extends OptionTable> {
  readonly name: string;
  readonly summary: string;
  readonly aliases?: readonly string[];
  readonly options: Options;
  readonly positionals?: readonly Positional[];
  /** For the help of a command whose exit codes say more than those of all. */
  readonly exitCodes?: ExitMeanings;
  run(call: Call<Options>): Promise<void>;
  /** Under `--json`, what a failure is on stdout beside its line on stderr. */
  failure?(error: CommandError): object | undefined;
}

/** A command whose option types are checked and put away, so that a program can list it beside others. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly aliases: readonly string[];
  readonly options: OptionTable;
  readonly positionals: readonly Positional[];
  readonly exitCodes: ExitMeanings;
  start(words: readonly string[], terminal: Terminal, context: string): Promise<void>;
}

/** What `--help` and `--version` of the whole program say. */
export interface Program {
  readonly name: string;
  readonly summary: string;
  readonly version: string;
  readonly commands: readonly Command[];
}

/** Makes a `Command`; the option table's literal types reach `run`. */
export function command<const Options extends OptionTable>(spec: CommandSpec<Options>): Command {
  const { name, summary, options, aliases = [], positionals = [], exitCodes = [] } = spec;
  return {
    name,
    summary,
    aliases,
    options,
    positionals,
    exitCodes,
    async start(words, terminal, context) {
      try {
        const values = readArguments({ words, options, positionals, context, terminal });
        await spec.run({
          options: values.options as OptionValues<Options>,
          positionals: values.positionals,
          json: values.json,
          ...answers(terminal, values.json),
        });
      } catch (error) {
        const asksJson = optionsPart(words).includes("--json");
        const told = asksJson && error instanceof CommandError ? spec.failure?.(error) : undefined;
        if (told !== undefined) terminal.out(`${printableJson(told)}\n`);
        throw error;
      }
    },
  };
}

/** Runs the command that `words` name (argv without node and script). Resolves to the exit code. */
export async function runProgram(
  program: Program,
  words: readonly string[],
  terminal: Terminal,
): Promise<ExitCode> {
  try {
    await dispatch(program, words, terminal);
    return 0;
  } catch (error) {
    terminal.err(`${program.name}: ${oneLine(error)}\n`);
    const below = error instanceof CommandError ? error.below : [];
    for (const line of below) terminal.err(`  ${printable(line)}\n`);
    return error instanceof CommandError && error.code === "wrong_usage" ? 2 : 1;
  }
}

/**
 * `runProgram` on this process, with its own arguments unless others are given. Sets the exit code
 * and leaves the event loop to empty by itself.
 */
export async function main(
  program: Program,
  words: readonly string[] = process.argv.slice(2),
): Promise<void> {
  process.exitCode = await runProgram(program, words, processTerminal(program.name));
}

function processTerminal(programName: string): Terminal {
  let isSettled = false;
  process.stdout.on("error", ({ code = "unknown" }: NodeJS.ErrnoException) => {
    if (code !== "EPIPE") return outputFailed(programName, code);
    // A reader that has seen enough (`| head`) is no failure of ours, and nobody reads what would follow.
    if (!isSettled) process.exit();
  });
  // There is nobody left to tell, and a server or an agent has more to do than to tell.
  process.stderr.on("error", () => undefined);
  // Absent on a pipe, whatever its type says.
  const isTerminal = process.stdout.isTTY;
  return {
    env: process.env,
    nowMs: Date.now(),
    isTerminal,
    columnsMax: isTerminal ? process.stdout.columns : undefined,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    settle: (code) => {
      isSettled = true;
      process.exitCode = code;
    },
  };
}

function outputFailed(programName: string, reason: string): void {
  const code: OutputErrorCode = "output_failed";
  const line = `cannot write the answer, stdout (${reason}), make room or send it elsewhere`;
  process.stderr.write(`${programName}: ${line} (${code})\n`);
  process.exit(1);
}

async function dispatch(
  program: Program,
  words: readonly string[],
  terminal: Terminal,
): Promise<void> {
  const asks = (...names: string[]): boolean => optionsPart(words).some((w) => names.includes(w));
  const found = find(program.commands, words);
  if (found === undefined) {
    const first = words.find((word) => word !== "--json") ?? "";
    // Help for what does not exist would say that it does.
    if (first !== "help" && !first.startsWith("-")) throw unknownCommand(program, words);
    if (asks("--version")) return terminal.out(versionLine(program));
    if (asks("--help", "-h") || first === "help") return terminal.out(programHelp(program));
    throw unknownCommand(program, words);
  }
  if (asks("--help", "-h")) return terminal.out(commandHelp(program.name, found.command));
  if (asks("--version")) return terminal.out(versionLine(program));
  const context = `${program.name} ${found.command.name}`;
  return found.command.start(found.rest, terminal, context);
}

function versionLine({ name, version }: Program): string {
  return `${name} ${version}\n`;
}

/** The command with the most matching words; `--json` may stand before it. */
function find(
  commands: readonly Command[],
  words: readonly string[],
): { command: Command; rest: string[] } | undefined {
  const start = words.findIndex((word) => word !== "--json");
  if (start < 0) return undefined;
  const spellings = commands.flatMap((each) =>
    [each.name, ...each.aliases].map((name) => ({ command: each, parts: name.split(" ") })),
  );
  const best = spellings
    .filter(({ parts }) => parts.every((part, index) => words[start + index] === part))
    .sort((a, b) => b.parts.length - a.parts.length)[0];
  if (best === undefined) return undefined;
  const rest = [...words.slice(0, start), ...words.slice(start + best.parts.length)];
  return { command: best.command, rest };
}

function optionsPart(words: readonly string[]): readonly string[] {
  const end = words.indexOf("--");
  return end < 0 ? words : words.slice(0, end);
}

function unknownCommand(program: Program, words: readonly string[]): CommandError {
  const given = words.filter((word) => !word.startsWith("-")).slice(0, 2);
  const what = given.length === 0 ? "no command given" : `unknown command, ${given.join(" ")}`;
  return new CommandError("wrong_usage", `${what}, see ${program.name} --help`);
}

function answers(
  terminal: Terminal,
  json: boolean,
): Pick<Call<OptionTable>, "terminal" | "paint" | "say" | "printJson" | "printTable"> {
  const paint = painter(terminal.isTerminal, terminal.env);
  const { columnsMax } = terminal;
  return {
    terminal,
    paint,
    say: (text) => (json ? undefined : terminal.out(`${text}\n`)),
    printJson: (value) => terminal.out(`${printableJson(value)}\n`),
    printTable: (headings, rows) =>
      terminal.out(formatTable(headings, rows, { columnsMax, paint })),
  };
}

/** Causes are part of the answer ("cannot connect: ECONNREFUSED") unless it names them, stacks are not. */
function oneLine(error: unknown): string {
  const texts: string[] = [];
  for (let each = error; each !== undefined && texts.length < 4; each = causeOf(each)) {
    const text = each instanceof Error ? each.message || each.name : inspect(each);
    const names = [text, ...(isCoded(each) ? [`(${each.code})`] : [])];
    if (!texts.some((earlier) => names.some((name) => earlier.includes(name)))) texts.push(text);
  }
  const reason = error instanceof CommandError ? error.reason : undefined;
  const line = printable(texts.join(": ").replaceAll(/\s*\n\s*/g, " "));
  return reason === undefined ? line : `${line} (${reason})`;
}

function isCoded(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
