/**
 * The chaos lab: a simulated mesh, an adversary, and a score. Exit 1 when an honest node is accused,
 * a finding has no cause, a deed of a class that can be found was not found in time, a liar with enough
 * witnesses is not accused, or an attack was not done once; 2 when it cannot be run so.
 */
import { readOptions, refuseOptions } from "../../scripts/read-options.ts";
import { TOO_FEW_CALM } from "./attacks/adversary.ts";
import { ATTACKS } from "./attacks/registry.ts";
import { runLab } from "./lab.ts";
import { DIFFICULTIES } from "./mesh/difficulty.ts";
import { FULL, type LabOptions, SHORT } from "./options.ts";
import type { Outcome } from "./outcome.ts";
import { reportOf } from "./report.ts";
import { scoreOf } from "./score.ts";

const NAMES = ATTACKS.map(({ name }) => name);

const HELP = `A simulated mesh with an adversary in it: what was done, and how precisely and how fast it was found.

Usage: npm run chaos -- [OPTIONS]

  --seed 1,2,3       one run each; default 1
  --short            ${SHORT.nodes} nodes, ${SHORT.connections} connections, ${SHORT.doersEach} doer of each attack: seconds
  --nodes N          default ${FULL.nodes}
  --connections N    default ${FULL.connections}: ten to twenty minutes
  --seconds S        of traffic, by the clock of the mesh; default ${FULL.trafficMs / 1_000}
  --attacks A,B      default all, none for an honest mesh; of ${NAMES.join(", ")}
  --doers N          groups of attackers for each attack; default ${FULL.doersEach}
  --colluders F      as many conspire; default ${FULL.colluders}
  --without D,E      difficulties that are left out; of ${DIFFICULTIES.join(", ")}
  --json             one JSON object a seed
  -h, --help         show this text

Exit code 0: what can be found was found and nobody honest is accused; 1: not so; 2: it cannot be run so.
`;

const values = readOptions(
  { name: "chaos", help: HELP },
  {
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
);

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
  return refuseOptions("chaos", why);
}

/** The generator knows who stays calm only when it has made the mesh. Any other error is a fault of the lab. */
function refuseTooFew(error: unknown, { nodes }: LabOptions): never {
  if ((error as Error).message !== TOO_FEW_CALM) throw error;
  return refuse(
    `${nodes} nodes are too few for so many attackers; give more --nodes, or fewer --attacks, --doers or --colluders`,
  );
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
  const outcome: Outcome = await runLab(options, ({ share, findings }) => {
    const line = `seed ${seed}: ${Math.round(share * 100)} %, ${findings} findings`;
    if (process.stderr.isTTY) process.stderr.write(`\r${line} `);
    else if (share * PROGRESS_LINES >= tenths + 1) {
      tenths++;
      process.stderr.write(`${line}\n`);
    }
  }).catch((error: unknown) => refuseTooFew(error, options));
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
