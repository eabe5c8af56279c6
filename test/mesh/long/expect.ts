/** What is wrong with what the server tells: nothing, for an honest mesh. */
import type { Account } from "./chatter.ts";
import { kindOf, type Kind } from "./kinds.ts";
import type { Found, OddRow, Told } from "./told.ts";

/** Verdicts that may be said of each kind; `excused` always with a reason. */
const USUAL = ["matched", "excused", "unanswered"];
/** A lost first packet, or three, makes an attempt of what was meant to be more. */
const ALLOWED = {
  short: USUAL,
  long: USUAL,
  reuse: USUAL,
  reset: USUAL,
  refused: USUAL,
  silent: ["unanswered", "excused"],
  /** Its own host knows it by an address that names nobody. */
  boxed: [...USUAL, "external"],
  published: USUAL,
  inner: USUAL,
  exchange: USUAL,
  burst: USUAL,
  oneway: USUAL,
  paused: USUAL,
  innerudp: USUAL,
} as const satisfies Record<Kind, readonly string[]>;

/** Each connection has a row at least: kinds whose tuples come once. */
const ONE_ROW_EACH = ["long", "reset", "published", "boxed", "inner"] as const;

/** Findings that the incidents of the run must bring. */
const INCIDENTAL = ["rollback fay", "opted-out gus acknowledged"];
const LIAR = "leo";
const LIED_TO = ["ann", "ben"];
const BY_LIE = new Set(["missing-half", "counters-differ"]);

/** Sentences; empty when all is as it should be. */
export function wrongIn(told: Told, account: Account, withLiar: boolean): string[] {
  return [...verdicts(told, withLiar), ...counts(told, account), ...findings(told, withLiar)];
}

function verdicts(told: Told, withLiar: boolean): string[] {
  return told.tallies.flatMap(({ kind, verdict, excuse, count }) => {
    const isLie = withLiar && (verdict === "missing" || verdict === "differs");
    if (isLie) return [];
    const allowed: readonly string[] = ALLOWED[kind];
    if (!allowed.includes(verdict)) return [`${count} connections of kind ${kind} are ${verdict}`];
    if (verdict === "excused" && excuse === "") return [`${count} ${kind} are excused for nothing`];
    return [];
  });
}

/** What a narrow range of ports, or the kernel, gives twice is not counted: see ONE_ROW_EACH. */
function counts(told: Told, { made }: Account): string[] {
  return ONE_ROW_EACH.flatMap((kind) => {
    const rows = told.tallies.filter((tally) => tally.kind === kind);
    const count = rows.reduce((sum, tally) => sum + tally.count, 0);
    const wanted = made[kind] ?? 0;
    return count < wanted ? [`${wanted} of kind ${kind} were made, ${count} are told`] : [];
  });
}

function findings(told: Told, withLiar: boolean): string[] {
  const expected = [...INCIDENTAL, ...(withLiar ? [`accused ${LIAR}`] : [])];
  const left = new Set(expected);
  const unexplained = told.findings.filter((found) => {
    const isExpected = left.delete(nameOf(found));
    return !isExpected && !(withLiar && isAboutLie(found));
  });
  const alike = Map.groupBy(unexplained, ({ kind, about }) => `${kind} ${about}`.trim());
  const wrong = [...alike].map(
    ([what, all]) => `${all.length} findings ${what} that nothing explains: ${all[0]?.title}`,
  );
  return [...wrong, ...[...left].map((name) => `no finding ${name}`)];
}

function nameOf({ kind, node, state }: Found): string {
  return state === "acknowledged" ? `${kind} ${node} ${state}` : `${kind} ${node}`;
}

/** About a pair that the liar lied about; the evidence names both. */
function isAboutLie({ kind, evidence, title }: Found): boolean {
  const text = `${title} ${evidence}`;
  return BY_LIE.has(kind) && text.includes(LIAR) && LIED_TO.some((name) => text.includes(name));
}

/** One odd connection with both its halves, for a person. */
export function described({ row, halves }: OddRow): string {
  const what = kindOf(row.proto, row.responder_port) ?? "";
  const lines = halves.map((half) => `      ${JSON.stringify(half)}`);
  return [`  ${what} ${JSON.stringify(row)}`, ...lines].join("\n");
}
