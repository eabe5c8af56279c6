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
  const liars = accusableOf(outcome);
  const causes = new Causes(outcome.truths);
  causes.mayAccuse([...liars, ...contradictedOf(outcome, causes)]);
  const doers = new Set(outcome.truths.flatMap((truth) => truth.doers));
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
      for (const node of found.nodes) accused.add(node);
      if (!found.nodes.some((node) => doers.has(node))) accusedHonest.push(found);
    }
    const row = (confusion[cause?.cause ?? "none"] ??= {});
    row[found.kind] = (row[found.kind] ?? 0) + 1;
    const kind = byKind.get(found.kind) ?? { count: 0, withCause: 0 };
    kind.count++;
    if (cause !== undefined) kind.withCause++;
    byKind.set(found.kind, kind);
  }
  const classes = classesOf(outcome.truths, firstFound, attacks);
  const spared = liars.filter((liar) => !accused.has(liar));
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
    accused: liars.length - spared.length,
    failures: [
      ...failuresOf(outcome, classes, { withoutCause, accusedHonest }),
      ...spared.map((liar) => notAccused(liar, outcome)),
      ...notMade(outcome, attacks).map((name) => `${name}: not done once`),
    ],
  };
}

/** Those who lied about more nodes than may conspire: they must be accused. */
function accusableOf({ truths, options }: Outcome): string[] {
  const witnesses = new Witnesses();
  for (const { doers, against, baseMs } of truths) {
    if (baseMs === null) continue;
    for (const doer of doers) witnesses.add(doer, against);
  }
  return witnesses.moreThan(options.colluders);
}

/**
 * Those whose deeds were found to contradict more nodes than may conspire: they may be accused. Who destroys what was
 * recorded does not know whom that contradicts, and what comes late contradicts for a while only.
 */
function contradictedOf({ found, options }: Outcome, causes: Causes): string[] {
  const witnesses = new Witnesses();
  for (const one of found.filter(({ between }) => between.length > 0)) {
    const doers = causes.of(one).flatMap((truth) => (truth.isAttack ? truth.doers : []));
    for (const doer of doers) {
      if (!one.between.includes(doer)) continue;
      witnesses.add(
        doer,
        one.between.filter((node) => node !== doer),
      );
    }
  }
  return witnesses.moreThan(options.colluders);
}

/** Whom each doer contradicts. */
class Witnesses {
  readonly #of = new Map<string, Set<string>>();

  add(doer: string, nodes: readonly string[]): void {
    this.#of.set(doer, new Set([...(this.#of.get(doer) ?? []), ...nodes]));
  }

  /** The doers that contradict more than so many. */
  moreThan(count: number): string[] {
    return [...this.#of].flatMap(([doer, nodes]) => (nodes.size > count ? [doer] : []));
  }
}

function notAccused(liar: string, { truths, options }: Outcome): string {
  const causes = new Set(
    truths.filter(({ doers }) => doers.includes(liar)).map(({ cause }) => cause),
  );
  return `${liar} (${[...causes].join(", ")}) lied about more than ${options.colluders} nodes and is not accused`;
}

/** Attacks that the run was to make and did not: nothing is known of whether they are found. */
function notMade({ truths, options }: Outcome, attacks: readonly Attack[]): string[] {
  const made = new Set(truths.filter(({ isAttack }) => isAttack).map(({ cause }) => cause));
  return attacks
    .filter(({ begin }) => begin !== undefined)
    .map(({ name }) => name)
    .filter((name) => !made.has(name) && (options.attacks?.includes(name) ?? true));
}

/** Finds the deeds that a finding may be about. */
class Causes {
  readonly #byHalf = new Map<string, Truth[]>();
  readonly #byNode = new Map<string, Truth[]>();
  readonly #doers = new Map<string, Truth>();
  readonly #liars = new Set<string>();

  constructor(truths: readonly Truth[]) {
    for (const truth of truths) {
      for (const half of truth.halves) put(this.#byHalf, half, truth);
      for (const node of truth.nodes) put(this.#byNode, node, truth);
      for (const doer of truth.doers) this.#doers.set(doer, truth);
    }
  }

  /** Of nobody else an accusation has a cause. */
  mayAccuse(liars: readonly string[]): void {
    for (const liar of liars) this.#liars.add(liar);
  }

  /** The best first: by connection, then by node, kind and time. */
  of(found: Found): Truth[] {
    if (found.kind === KIND.accused) {
      const liars = found.nodes.filter((node) => this.#liars.has(node));
      const deeds = liars.map((node) => this.#doers.get(node));
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
