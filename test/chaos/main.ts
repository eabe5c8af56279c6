/**
 * The chaos lab: a simulated mesh, an adversary, and a score. Exit 1 when an honest node is accused,
 * a finding has no cause, a deed of a class that can be found was not found in time, a liar with enough
 * witnesses is not accused, or an attack was not done once.
 *
 *   npm run chaos [-- --seed 1,2,3] [--short] [--nodes N] [--connections N] [--seconds S]
 *                 [--attacks a,b | --attacks none] [--doers N] [--colluders F] [--without DIFFICULTY,…] [--json]
 */
import { parseArgs } from "node:util";
import { ATTACKS } from "./attacks/registry.ts";
import { runLab } from "./lab.ts";
import { DIFFICULTIES } from "./mesh/difficulty.ts";
import { FULL, type LabOptions, SHORT } from "./options.ts";
import { reportOf } from "./report.ts";
import { scoreOf } from "./score.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    short: { type: "boolean", default: false },
    nodes: { type: "string" },
    connections: { type: "string" },
    seconds: { type: "string" },
    attacks: { type: "string" },
    doers: { type: "string" },
    colluders: { type: "string" },
    without: { type: "string", default: "" },
    json: { type: "boolean", default: false },
  },
});

const NAMES = ATTACKS.map(({ name }) => name);

/** The names in a list of an option; `none` is an empty one. Ends the program for a name that does not exist. */
function chosen<T extends string>(what: string, list: string, known: readonly T[]): T[] {
  const names = list.split(",").filter((name) => name !== "" && name !== "none");
  for (const name of names) {
    if ((known as readonly string[]).includes(name)) continue;
    refuse(`there is no ${what} ${name}; known are ${known.join(", ")}`);
  }
  return names as T[];
}

/** A natural number of an option. Ends the program for anything else. */
function natural(name: string, text: string | undefined, standard: number): number {
  const value = text === undefined ? standard : Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  return refuse(`--${name} is ${text}, expected a number above 0`);
}

function refuse(why: string): never {
  process.stderr.write(`chaos: ${why}\n`);
  process.exit(2);
}

function optionsFor(seed: number): LabOptions {
  const base = values.short ? SHORT : FULL;
  return {
    ...base,
    seed,
    nodes: natural("nodes", values.nodes, base.nodes),
    connections: natural("connections", values.connections, base.connections),
    trafficMs: 1_000 * natural("seconds", values.seconds, base.trafficMs / 1_000),
    doersEach: natural("doers", values.doers, base.doersEach),
    colluders: natural("colluders", values.colluders, base.colluders),
    attacks: values.attacks === undefined ? undefined : chosen("attack", values.attacks, NAMES),
    without: chosen("difficulty", values.without, DIFFICULTIES),
  };
}

/** Findings without a cause that `--json` lists; all are counted in the confusion. */
const UNCAUSED_TOLD_MAX = 200;
/** Where nobody watches a line change, a new one at every tenth. */
const PROGRESS_LINES = 10;

let failed = false;
for (const seed of values.seed.split(",").map((text) => natural("seed", text, 1))) {
  const options = optionsFor(seed);
  let tenths = 0;
  const outcome = await runLab(options, ({ share, findings }) => {
    const line = `seed ${seed}: ${Math.round(share * 100)} %, ${findings} findings`;
    if (process.stderr.isTTY) process.stderr.write(`\r${line} `);
    else if (share * PROGRESS_LINES >= tenths + 1) {
      tenths++;
      process.stderr.write(`${line}\n`);
    }
  });
  if (process.stderr.isTTY) process.stderr.write("\r");
  const score = scoreOf(outcome, ATTACKS);
  failed ||= score.failures.length > 0;
  const { found: _found, truths: _truths, ...figures } = outcome;
  const told = { ...score, withoutCause: score.withoutCause.slice(0, UNCAUSED_TOLD_MAX) };
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ ...figures, ...told })}\n`
      : `${reportOf(outcome, score, ATTACKS)}\n`,
  );
}
process.exitCode = failed ? 1 : 0;
