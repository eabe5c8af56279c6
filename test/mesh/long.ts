/**
 * The mesh on a real kernel, for long: eleven hosts on a lossy routed switch, each odd in its own way,
 * under traffic of every kind. Nobody is accused, and every connection is matched or excused by name.
 * With `--liar` one host lies about two others: exactly that one is accused.
 *
 *   node test/mesh/long.ts [--minutes 10] [--liar] [--quick] [--seed 1] [--loss 5] [--rate 1] [--keep DIR]
 *
 * `--quick` is one minute of traffic, and does not wait for the last counters of what an incident
 * cut short, which are given up minutes later.
 */
import { parseArgs } from "node:util";
import { cannotRun } from "../lab/namespaces.ts";
import { longRun, type RunOptions } from "./long/run.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string" },
    liar: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    loss: { type: "string", default: "5" },
    rate: { type: "string", default: "1" },
    patience: { type: "string" },
    keep: { type: "string" },
  },
});

const usual = values.quick
  ? { minutes: 1, patienceMinutes: 3 }
  : { minutes: 10, patienceMinutes: 8 };
const options: RunOptions = {
  minutes: Number(values.minutes ?? usual.minutes),
  untilCounted: !values.quick,
  withLiar: values.liar,
  seed: Number(values.seed),
  lossPercent: Number(values.loss),
  rate: Number(values.rate),
  patienceMinutes: Number(values.patience ?? usual.patienceMinutes),
  ...(values.keep === undefined ? {} : { keep: values.keep }),
};
const startedMs = performance.now();
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const say = (line: string): void => {
  print(`${((performance.now() - startedMs) / 1000).toFixed(0).padStart(4)} s  ${line}`);
};

const problem = cannotRun();
if (problem !== false) {
  process.stderr.write(`cannot run here: ${problem}\n`);
  process.exit(2);
}
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort(signal));
const { report, wrong } = await longRun(options, say, stop.signal);
print(`\n${report}`);
for (const sentence of wrong) print(`NOT AS EXPECTED: ${sentence}`);
if (wrong.length === 0) say("All is as it should be");
process.exitCode = wrong.length === 0 ? 0 : 1;
