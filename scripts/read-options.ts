/** Options of a script of ours: `--help` prints its help, and what it does not know ends it with one line and exit code 2. */
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";

type Values<T extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: T }>
>["values"];

/** `name` is that of `npm run`. Returns unless the script is to end. */
export function readOptions<const T extends ParseArgsOptionsConfig>(
  { name, help }: { readonly name: string; readonly help: string },
  options: T,
): Values<T> {
  const values = parsed(name, { ...options, help: { type: "boolean", short: "h" } });
  if ((values as { readonly help?: boolean }).help !== true) return values;
  process.stdout.write(help);
  return process.exit(0);
}

/** Ends the script for options that it cannot be run with. */
export function refuseOptions(name: string, why: string): never {
  process.stderr.write(`${name}: ${why}\n`);
  return process.exit(2);
}

function parsed<const T extends ParseArgsOptionsConfig>(name: string, options: T): Values<T> {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    // It names the option, and hints at words that may begin with a dash.
    const [what = ""] = (error as Error).message.split(". To specify");
    const line = what.replaceAll(/\s*\n\s*/g, " ");
    return refuseOptions(name, `${line}; npm run ${name} -- --help lists them`);
  }
}
