/** A score for people: tables that fit a terminal. */
import { formatTable } from "../../src/std/table.ts";
import type { Attack } from "./attacks/attack.ts";
import type { Outcome } from "./outcome.ts";
import type { Score } from "./score.ts";

const UNCAUSED_SHOWN_MAX = 8;

export function reportOf(outcome: Outcome, score: Score, attacks: readonly Attack[]): string {
  return [
    headline(outcome),
    "\nWhat was done, and whether it was found\n\n",
    classTable(score),
    "\nWhat was found, and whether it had a cause\n\n",
    kindTable(score),
    "\nFindings by the class of their cause\n\n",
    confusionTable(score),
    `\n${score.accused} of ${score.accusable} nodes accused that lied about more than ${outcome.options.colluders}; ${score.accusedHonest.length} honest ones\n`,
    "\nFinal verdicts\n\n",
    formatTable(["verdict", "connections"], verdictRows(outcome)),
    hiddenClasses(attacks),
    examples(score),
    score.failures.length === 0
      ? "\npassed\n"
      : `\nFAILED\n${score.failures.map((why) => `  ${why}\n`).join("")}`,
  ].join("");
}

function headline(outcome: Outcome): string {
  const { options, connections, entries, totalMs, rssMaxMb, journalBytes } = outcome;
  const simulatedS = Math.round((options.trafficMs + options.drainMs) / 1_000);
  const rate = (ms: number): string => `${Math.round(connections / (ms / 1_000))}/s`;
  return (
    `seed ${options.seed}: ${options.nodes} nodes, ${connections} connections, ${entries} entries, ${simulatedS} s of simulated time\n` +
    `${(totalMs / 1_000).toFixed(1)} s in all (${rate(totalMs)}); connections per core second: ` +
    `${rate(outcome.generatorCpuMs)} made, ${rate(outcome.admissionCpuMs)} admitted, ${rate(outcome.comparerCpuMs)} compared; ` +
    `${rssMaxMb} MB at most; ${(journalBytes / 1_048_576).toFixed(0)} MB of batches\n`
  );
}

function classTable(score: Score): string {
  return formatTable(
    ["class", "injected", "undecided", "found", "in time", "recall", "p50 s", "p99 s", "max s"],
    score.classes.map((one) => [
      one.isAttack ? one.name : `(${one.name})`,
      one.injected,
      one.isHidden ? undefined : one.undecided,
      one.found,
      one.inTime,
      one.isHidden ? "hidden" : one.recall === null ? "" : percent(one.recall),
      seconds(one.delayMs?.p50),
      seconds(one.delayMs?.p99),
      seconds(one.delayMs?.max),
    ]),
  );
}

function kindTable(score: Score): string {
  return formatTable(
    ["finding", "count", "with a cause", "precision"],
    score.kinds.map((one) => [one.kind, one.count, one.withCause, percent(one.precision)]),
  );
}

function confusionTable({ confusion, kinds }: Score): string {
  const columns = kinds.map(({ kind }) => kind);
  return formatTable(
    ["cause", ...columns],
    Object.entries(confusion).map(([cause, row]) => [
      cause,
      ...columns.map((kind) => row[kind] ?? 0),
    ]),
  );
}

function verdictRows({ verdicts }: Outcome): [string, number][] {
  return Object.entries(verdicts).sort(([, a], [, b]) => b - a);
}

function hiddenClasses(attacks: readonly Attack[]): string {
  const rows = attacks.flatMap(({ name, detection }) =>
    "never" in detection ? [[name, detection.never]] : [],
  );
  if (rows.length === 0) return "";
  return `\nWhat cannot be found in principle\n\n${formatTable(["class", "why"], rows)}`;
}

function examples(score: Score): string {
  const missed = score.classes
    .filter(({ isAttack }) => isAttack)
    .flatMap((one) => one.missed.map((told) => `  ${one.name}: ${told}\n`));
  const uncaused = score.withoutCause
    .slice(0, UNCAUSED_SHOWN_MAX)
    .map(({ kind, title }) => `  ${kind}: ${title}\n`);
  return [
    missed.length === 0 ? "" : `\nNot found in time, for example\n\n${missed.join("")}`,
    uncaused.length === 0 ? "" : `\nWithout a cause, for example\n\n${uncaused.join("")}`,
  ].join("");
}

function percent(share: number): string {
  return `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;
}

function seconds(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : (ms / 1_000).toFixed(1);
}
