/**
 * Holds what was found against what was done: precision and recall per class, time to detection,
 * and whatever was found without a cause. A class is an attack, or something harmless.
 */
import type { Attack } from "./attacks/attack.ts";
import { KIND } from "./finding-names.ts";
import type { Found, Outcome } from "./outcome.ts";
import type { Truth } from "./truth.ts";

/** Every deed is to be found within this time of when it could be known. */
export const FOUND_WITHIN_MS = 60_000;
/** The journal's time moves in ticks, and clocks differ: a cause may seem to come so much after its finding. */
const SLACK_MS = 15_000;

export interface ClassScore {
  readonly name: string;
  readonly isAttack: boolean;
  /** In principle it cannot be found. */
  readonly isHidden: boolean;
  readonly injected: number;
  /** The run ended before it could be known: counts neither way. */
  readonly undecided: number;
  readonly found: number;
  readonly inTime: number;
  /** 0…1; null without a deed. */
  readonly recall: number | null;
  /** After it could be known; null when none was found. */
  readonly delayMs: { readonly p50: number; readonly p99: number; readonly max: number } | null;
  /** Some that were not found, or late. */
  readonly missed: readonly string[];
}

export interface KindScore {
  readonly kind: string;
  readonly count: number;
  readonly withCause: number;
  /** 0…1. */
  readonly precision: number;
}

export interface Score {
  readonly classes: readonly ClassScore[];
  readonly kinds: readonly KindScore[];
  /** Findings by class of their cause, then by kind; without a cause under `none`. */
  readonly confusion: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly withoutCause: readonly Found[];
  /** Findings that accuse a node that did nothing. */
  readonly accusedHonest: readonly Found[];
  /** Doers whose deeds contradict more nodes than may conspire, and how many of them are accused. */
  readonly accusable: number;
  readonly accused: number;
  /** Why the run failed; none when it did not. */
  readonly failures: readonly string[];
}

/** Deeds of a class that a score shows when they were missed. */
const MISSED_SHOWN_MAX = 5;

export function scoreOf(outcome: Outcome, attacks: readonly Attack[]): Score {
  const causes = new Causes(outcome.truths);
  const firstFound = new Map<Truth, number>();
  const confusion: Record<string, Record<string, number>> = {};
  const withoutCause: Found[] = [];
  const accusedHonest: Found[] = [];
  const accused = new Set<string>();
  const byKind = new Map<string, { count: number; withCause: number }>();
  for (const found of outcome.found) {
    const truths = causes.of(found);
    for (const truth of truths) {
      if (!truth.finds.includes(found.kind)) continue;
      firstFound.set(truth, Math.min(firstFound.get(truth) ?? Infinity, found.atMs));
    }
    const [cause] = truths;
    if (cause === undefined) withoutCause.push(found);
    if (found.kind === KIND.accused) {
      if (cause === undefined) accusedHonest.push(found);
      else for (const node of found.nodes) accused.add(node);
    }
    const row = (confusion[cause?.cause ?? "none"] ??= {});
    row[found.kind] = (row[found.kind] ?? 0) + 1;
    const kind = byKind.get(found.kind) ?? { count: 0, withCause: 0 };
    kind.count++;
    if (cause !== undefined) kind.withCause++;
    byKind.set(found.kind, kind);
  }
  const liars = accusableOf(outcome);
  const classes = classesOf(outcome.truths, firstFound, attacks);
  return {
    classes,
    kinds: [...byKind].map(([kind, { count, withCause }]) => ({
      kind,
      count,
      withCause,
      precision: withCause / count,
    })),
    confusion,
    withoutCause,
    accusedHonest,
    accusable: liars.length,
    accused: liars.filter((liar) => accused.has(liar)).length,
    failures: failuresOf(outcome, classes, { withoutCause, accusedHonest }),
  };
}

/** Those who lied about more nodes than may conspire. */
function accusableOf({ truths, options }: Outcome): string[] {
  const witnesses = new Map<string, Set<string>>();
  for (const { doers, against, baseMs } of truths) {
    if (baseMs === null) continue;
    for (const doer of doers) {
      const known = witnesses.get(doer) ?? new Set();
      for (const witness of against) known.add(witness);
      witnesses.set(doer, known);
    }
  }
  return [...witnesses].flatMap(([doer, known]) => (known.size > options.colluders ? [doer] : []));
}

/** Finds the deeds that a finding may be about. */
class Causes {
  readonly #byHalf = new Map<string, Truth[]>();
  readonly #byNode = new Map<string, Truth[]>();
  readonly #doers = new Map<string, Truth>();

  constructor(truths: readonly Truth[]) {
    for (const truth of truths) {
      for (const half of truth.halves) put(this.#byHalf, half, truth);
      for (const node of truth.nodes) put(this.#byNode, node, truth);
      for (const doer of truth.doers) this.#doers.set(doer, truth);
    }
  }

  /** The best first: by connection, then by node, kind and time. */
  of(found: Found): Truth[] {
    if (found.kind === KIND.accused) {
      const deeds = found.nodes.map((node) => this.#doers.get(node));
      return deeds.filter((deed) => deed !== undefined);
    }
    const ofHalf = this.#byHalf.get(found.connection) ?? [];
    const exact = ofHalf.filter((truth) => speaksOf(truth, found.kind));
    if (exact.length > 0) return exact;
    const isOfConnection = found.kind === KIND.missing || found.kind === KIND.differs;
    const ofNode = found.nodes.flatMap((node) => this.#byNode.get(node) ?? []);
    if (isOfConnection && found.connection === "") return ofNode.filter(isAmong(found));
    return ofNode.filter(
      (truth) =>
        (truth.halves.length === 0 || !isOfConnection) &&
        speaksOf(truth, found.kind) &&
        truth.fromMs - SLACK_MS <= found.atMs &&
        found.atMs <= truth.toMs,
    );
  }
}

/** Of one pair of nodes more may be found than is told one by one: then the pair is named. */
function isAmong({ kind, nodes }: Found): (truth: Truth) => boolean {
  return (truth) => {
    const isOfPair = truth.against.some((node) => nodes.includes(node));
    return speaksOf(truth, kind) && (truth.halves.length === 0 || isOfPair);
  };
}

function speaksOf(truth: Truth, kind: string): boolean {
  return truth.finds.includes(kind) || truth.may.includes(kind);
}

function put(map: Map<string, Truth[]>, key: string, truth: Truth): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [truth]);
  else list.push(truth);
}

function classesOf(
  truths: readonly Truth[],
  firstFound: ReadonlyMap<Truth, number>,
  attacks: readonly Attack[],
): ClassScore[] {
  const names = [...attacks.map(({ name }) => name), ...truths.map(({ cause }) => cause)];
  return [...new Set(names)].flatMap((name) => {
    const own = truths.filter(({ cause }) => cause === name);
    if (own.length === 0) return [];
    return [classOf(name, own, firstFound)];
  });
}

function classOf(
  name: string,
  own: readonly Truth[],
  firstFound: ReadonlyMap<Truth, number>,
): ClassScore {
  const isAttack = own.some((truth) => truth.isAttack);
  const isHidden = isAttack && own.every((truth) => truth.finds.length === 0);
  const decided = own.filter((truth) => truth.baseMs !== null && truth.finds.length > 0);
  const delaysMs: number[] = [];
  const missed: string[] = [];
  let inTime = 0;
  for (const truth of decided) {
    const atMs = firstFound.get(truth);
    const delayMs = atMs === undefined ? undefined : atMs - (truth.baseMs ?? 0);
    if (delayMs !== undefined) delaysMs.push(delayMs);
    if (delayMs !== undefined && delayMs <= FOUND_WITHIN_MS) inTime++;
    else if (missed.length < MISSED_SHOWN_MAX) {
      missed.push(`${truth.told}: ${delayMs === undefined ? "not found" : `${delayMs} ms late`}`);
    }
  }
  return {
    name,
    isAttack,
    isHidden,
    injected: own.length,
    undecided: isAttack ? own.filter((truth) => truth.baseMs === null).length : 0,
    found: delaysMs.length,
    inTime,
    recall: decided.length === 0 ? null : delaysMs.length / decided.length,
    delayMs: quantiles(delaysMs),
    missed,
  };
}

function quantiles(values: readonly number[]): ClassScore["delayMs"] {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { p50: at(0.5) ?? 0, p99: at(0.99) ?? 0, max: sorted.at(-1) ?? 0 };
}

function failuresOf(
  outcome: Outcome,
  classes: readonly ClassScore[],
  wrong: { withoutCause: readonly Found[]; accusedHonest: readonly Found[] },
): string[] {
  const failures: string[] = [];
  for (const found of wrong.accusedHonest)
    failures.push(`an honest node is accused: ${found.title}`);
  if (wrong.withoutCause.length > 0) {
    failures.push(`${wrong.withoutCause.length} findings have no cause`);
  }
  for (const one of classes) {
    const decided = one.injected - one.undecided;
    if (!one.isAttack || one.isHidden || one.inTime === decided) continue;
    failures.push(`${one.name}: ${one.inTime} of ${decided} found in time`);
  }
  for (const [code, count] of Object.entries(outcome.honestRefusals)) {
    failures.push(`${count} batches of honest nodes were refused: ${code}`);
  }
  return failures;
}
