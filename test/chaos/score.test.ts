import assert from "node:assert/strict";
import { test } from "node:test";
import { ATTACKS } from "./attacks/registry.ts";
import { KIND } from "./finding-names.ts";
import { SHORT } from "./options.ts";
import type { Found, Outcome } from "./outcome.ts";
import { scoreOf } from "./score.ts";
import type { Truth } from "./truth.ts";

const T0_MS = 1_800_000_000_000;

const deed: Truth = {
  id: 0,
  cause: "delete-initiator-half",
  isAttack: true,
  doers: ["liar"],
  nodes: ["liar"],
  against: ["witness"],
  finds: [KIND.missing],
  may: [],
  told: "left one out",
  fromMs: T0_MS,
  toMs: Number.MAX_SAFE_INTEGER,
  halves: ["half"],
  baseMs: T0_MS + 10_000,
};
/** By which the liar has contradicted more nodes than may conspire. */
const second: Truth = { ...deed, id: 2, against: ["other witness"], halves: ["second half"] };
/** What the liar destroyed may lack at any of its peers. */
const destruction: Truth = {
  ...deed,
  id: 3,
  cause: "destroy-spool",
  against: [],
  finds: [KIND.lostSpool],
  may: [KIND.missing],
  halves: [],
};
const outage: Truth = {
  ...deed,
  id: 1,
  cause: "outage",
  isAttack: false,
  doers: [],
  against: [],
  nodes: ["honest"],
  finds: [],
  may: [KIND.silent],
  halves: [],
};

function found(kind: string, more: Partial<Found> = {}): Found {
  const atMs = T0_MS + 20_000;
  return { id: kind, kind, nodes: [], between: [], connection: "", title: "", atMs, ...more };
}

const seen = found(KIND.missing, { connection: "half" });
const seenToo = found(KIND.missing, { id: "too", connection: "second half" });
const accused = found(KIND.accused, { nodes: ["liar"] });
const lostSpool = found(KIND.lostSpool, { nodes: ["liar"] });
/** Of what the liar destroyed, this witness had its half. */
const lacking = (witness: string, between = [witness, "liar"]): Found =>
  found(KIND.missing, { id: witness, connection: witness, nodes: ["liar"], between });
/** The attack that the deeds are of alone. */
const options = { ...SHORT, attacks: [deed.cause] };

function outcomeOf(more: Partial<Outcome>): Outcome {
  return {
    options,
    found: [seen],
    truths: [deed, outage],
    connections: 1,
    entries: 1,
    verdicts: {},
    honestRefusals: {},
    answers: {},
    journalBytes: 0,
    totalMs: 1,
    generatorCpuMs: 1,
    admissionCpuMs: 1,
    comparerCpuMs: 1,
    rssMaxMb: 1,
    ...more,
  };
}

interface Case {
  readonly name: string;
  readonly more: Partial<Outcome>;
  /** Beginnings of the failures that are expected. */
  readonly fails: readonly string[];
}

const CASES: readonly Case[] = [
  { name: "all found, nothing else", more: {}, fails: [] },
  { name: "a deed not found", more: { found: [] }, fails: ["delete-initiator-half: 0 of 1"] },
  {
    name: "a deed found too late",
    more: { found: [{ ...seen, atMs: T0_MS + 70_001 }] },
    fails: ["delete-initiator-half: 0 of 1"],
  },
  {
    name: "a finding of another connection",
    more: { found: [seen, found(KIND.missing, { id: "x", connection: "other" })] },
    fails: ["1 findings have no cause"],
  },
  {
    name: "more of one pair than is told one by one",
    more: { found: [seen, found(KIND.missing, { id: "x", nodes: ["witness", "liar"] })] },
    fails: [],
  },
  {
    name: "more of another pair",
    more: { found: [seen, found(KIND.missing, { id: "x", nodes: ["honest", "liar"] })] },
    fails: ["1 findings have no cause"],
  },
  {
    name: "what may be found of something harmless",
    more: { found: [seen, found(KIND.silent, { nodes: ["honest"] })] },
    fails: [],
  },
  {
    name: "the same before it happened",
    more: { found: [seen, found(KIND.silent, { nodes: ["honest"], atMs: T0_MS - 60_000 })] },
    fails: ["1 findings have no cause"],
  },
  {
    name: "a liar accused",
    more: { found: [seen, seenToo, accused], truths: [deed, second, outage] },
    fails: [],
  },
  {
    name: "a liar accused by no more witnesses than may conspire",
    more: { found: [seen, accused] },
    fails: ["1 findings have no cause"],
  },
  {
    name: "a liar accused whose deeds were over before they could be known",
    more: { found: [seen, accused], truths: [deed, { ...second, baseMs: null }] },
    fails: ["1 findings have no cause"],
  },
  {
    name: "a liar with enough witnesses that is not accused",
    more: { found: [seen, seenToo], truths: [deed, second, outage] },
    fails: ["liar (delete-initiator-half) lied about more than 1 nodes and is not accused"],
  },
  {
    name: "a liar with as many witnesses as may conspire, of two",
    more: {
      found: [seen, seenToo],
      truths: [deed, second, outage],
      options: { ...options, colluders: 2 },
    },
    fails: [],
  },
  {
    name: "a liar accused by those who have what it destroyed",
    more: {
      found: [seen, lostSpool, lacking("one"), lacking("other"), accused],
      truths: [deed, destruction],
    },
    fails: [],
  },
  {
    name: "a liar accused by one who has twice what it destroyed",
    more: {
      found: [seen, lostSpool, lacking("one"), lacking("other", ["one", "liar"]), accused],
      truths: [deed, destruction],
    },
    fails: ["1 findings have no cause"],
  },
  {
    name: "an attack that was not done once",
    more: { options: { ...options, attacks: [deed.cause, "fork-chain"] } },
    fails: ["fork-chain: not done once"],
  },
  {
    name: "the lab's attacks without a choice, of which one was done",
    more: { options: SHORT },
    fails: ATTACKS.filter((one) => one.begin !== undefined && one.name !== deed.cause).map(
      ({ name }) => `${name}: not done once`,
    ),
  },
  {
    name: "an honest node accused",
    more: { found: [seen, found(KIND.accused, { nodes: ["honest"] })] },
    fails: ["an honest node is accused", "1 findings have no cause"],
  },
  {
    name: "a deed that the end of the run came before",
    more: { found: [], truths: [{ ...deed, baseMs: null }] },
    fails: [],
  },
  {
    name: "an honest batch refused",
    more: { honestRefusals: { fork: 2 } },
    fails: ["2 batches of honest nodes were refused: fork"],
  },
];

for (const { name, more, fails } of CASES) {
  test(`score: ${name}`, () => {
    const { failures } = scoreOf(outcomeOf(more), ATTACKS);
    const known = failures.map((failure) => fails.find((begin) => failure.startsWith(begin)));
    assert.deepEqual(known, fails, failures.join("\n"));
  });
}

test("score: time to detection counts from when it could be known", () => {
  const { classes } = scoreOf(outcomeOf({}), ATTACKS);
  const [one] = classes;
  assert.deepEqual(one?.delayMs, { p50: 10_000, p99: 10_000, max: 10_000 });
  assert.equal(one.recall, 1);
});
