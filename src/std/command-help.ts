/** The help texts, made from the same tables that parse: they cannot fall behind. */
import {
  globalOptions,
  optionFlag,
  rangeText,
  valueName,
  type OptionSpec,
  type OptionTable,
} from "./command-options.ts";

/** What the exit codes of a command mean. */
export type ExitMeanings = readonly (readonly [code: number, meaning: string])[];

/** The part of a command that its help shows. */
export interface Describable {
  readonly name: string;
  readonly summary: string;
  readonly options: OptionTable;
  readonly positionals: readonly {
    readonly name: string;
    readonly summary: string;
    readonly optional?: true;
    readonly repeatable?: true;
  }[];
  readonly exitCodes: ExitMeanings;
}

/** Help lines stay inside the classic terminal; a longer first column pushes its text right. */
const leftColumnsMax = 30;

/** Every command with its summary. */
export function programHelp(program: {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly Describable[];
}): string {
  return [
    program.summary,
    "",
    `Usage: ${program.name} COMMAND [OPTIONS]`,
    "",
    "Commands:",
    ...aligned(program.commands.map((each) => [each.name, each.summary])),
    "",
    "Every command takes:",
    ...aligned(optionRows(globalOptions)),
    "",
    `${program.name} COMMAND --help tells more.`,
    "",
  ].join("\n");
}

/** One command: usage, arguments, options with their defaults and environment variables. */
export function commandHelp(programName: string, command: Describable): string {
  const { options, positionals, exitCodes } = command;
  return [
    `${command.summary[0]?.toUpperCase() ?? ""}${command.summary.slice(1)}.`,
    "",
    `Usage: ${[programName, command.name, ...usageWords(command)].join(" ")}`,
    ...section(
      "Arguments:",
      positionals.map(({ name, summary }) => [name, summary]),
    ),
    ...section("Options:", optionRows({ ...options, ...globalOptions })),
    ...section(
      "Exit codes:",
      exitCodes.map(([code, meaning]) => [String(code), meaning]),
    ),
    "",
  ].join("\n");
}

function section(heading: string, rows: (readonly [string, string])[]): string[] {
  return rows.length === 0 ? [] : ["", heading, ...aligned(rows)];
}

function usageWords({ options, positionals }: Describable): string[] {
  const required = Object.entries(options).filter(([, spec]) => spec.required === true);
  const optional = Object.keys(options).length > required.length;
  return [
    ...required.map(([name, spec]) => `${optionFlag(name)} ${valueName(spec)}`),
    ...(optional ? ["[OPTIONS]"] : []),
    ...positionals.map(({ name, optional: mayMiss, repeatable }) => {
      const word = repeatable === true ? `${name}...` : name;
      return mayMiss === true ? `[${word}]` : word;
    }),
  ];
}

function optionRows(options: OptionTable): [string, string][] {
  return Object.entries(options).map(([name, spec]) => {
    const short = spec.short === undefined ? "" : `-${spec.short}, `;
    const value = spec.type === "flag" ? "" : ` ${valueName(spec)}`;
    return [`${short}${optionFlag(name)}${value}`, [spec.summary, ...remarks(spec)].join("; ")];
  });
}

function remarks(spec: OptionSpec): string[] {
  return [
    ...(rangeText(spec) === "" ? [] : [rangeText(spec)]),
    ...(spec.choices === undefined ? [] : [`one of ${spec.choices.join(", ")}`]),
    ...(spec.repeatable === true ? ["repeatable"] : []),
    ...(spec.default === undefined || spec.default === "" ? [] : [`default ${spec.default}`]),
    ...(spec.env === undefined ? [] : [`or ${spec.env.join(" or ")}`]),
  ];
}

function aligned(rows: (readonly [left: string, right: string])[]): string[] {
  const widths = rows.map(([left]) => left.length).filter((width) => width <= leftColumnsMax);
  const width = Math.max(0, ...widths);
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
