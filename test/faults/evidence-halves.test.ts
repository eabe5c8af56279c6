/**
 * Whatever entries a half is made of, the finding about it and the verifier of its evidence must make
 * the same of them: two readers of one rule.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { verifyEvidence } from "../../src/evidence/verify.ts";
import type { ConnectionEntry, Counters } from "../../src/format/entry.ts";
import { type FoundFinding, World } from "./world.ts";

type Later = Exclude<ConnectionEntry, { kind: "open" }>;
type Step = Partial<Later> & Pick<Later, "kind" | "ageMs">;

function counters(initiatorBytes: number): Counters {
  return { initiatorPackets: 9, initiatorBytes, responderPackets: 9, responderBytes: 7_000 };
}

/** Entries after the open; `late` ones come when the finding stands already. */
const halves: [name: string, steps: readonly Step[], late?: readonly Step[]][] = [
  ["alive", [{ kind: "update", ageMs: 10, state: "S1", counters: counters(10) }]],
  ["alive, not counted", [{ kind: "update", ageMs: 10, state: "S1" }]],
  ["closed with its counters", [{ kind: "close", ageMs: 20, counters: counters(20) }]],
  ["closed, not counted", [{ kind: "close", ageMs: 20 }]],
  [
    "closed, counted later",
    [
      { kind: "close", ageMs: 20 },
      { kind: "account", ageMs: 30, counters: counters(30) },
    ],
  ],
  [
    "an end that nobody saw, and its account",
    [
      { kind: "update", ageMs: 10, state: "S1", counters: counters(10) },
      { kind: "close", ageMs: 20, inferred: true, counters: counters(20) },
      { kind: "account", ageMs: 40, state: "RST", counters: counters(40) },
    ],
  ],
  [
    "an account that amends",
    [
      { kind: "close", ageMs: 20, counters: counters(20) },
      { kind: "account", ageMs: 50, counters: counters(50) },
    ],
  ],
  ["an account without an end", [{ kind: "account", ageMs: 60, counters: counters(60) }]],
  [
    "what the finding could not know",
    [{ kind: "update", ageMs: 10, state: "S1", counters: counters(10) }],
    [{ kind: "close", ageMs: 90_000, counters: counters(90) }],
  ],
];

test("a half's entries mean the same to the comparison and to the verifier", async () => {
  await using world = await World.open();
  const recorder = await world.node("recorder");
  const forgetter = await world.node("forgetter");
  await world.pass(20_000);
  const openedMs = world.nowMs;
  const say = (openSeq: number, step: Step): void => {
    const how = {
      state: "SF",
      assured: true,
      ...(step.kind === "close" ? { inferred: false } : {}),
    };
    recorder.hand({ ...how, ...step, atMs: openedMs + step.ageMs, openSeq } as Later);
  };
  const opens = halves.map(([, steps], index) => {
    const tuple = {
      protocol: 6,
      initiatorIp: recorder.ip,
      initiatorPort: 30_000 + index,
      responderIp: forgetter.ip,
      responderPort: 443,
    };
    const open = { kind: "open", atMs: openedMs, role: "initiator", tuple, pickup: false } as const;
    const seq = recorder.hand(open);
    for (const step of steps) say(seq, step);
    return seq;
  });
  await world.pass(90_000);
  const found = await world.findings((some) => some.length >= halves.length);
  for (const [index, [, , late = []]] of halves.entries()) {
    for (const step of late) say(opens[index] ?? 0, step);
  }
  await world.pass(20_000);
  await world.api.caughtUp();
  for (const [index, [name]] of halves.entries()) {
    const finding = found.find((one) => seqOf(one) === opens[index]);
    assert.ok(finding !== undefined, name);
    const text = await world.api.text("GET", `/api/v1/findings/${finding.id}/evidence`);
    const checks = verifyEvidence(text).filter(({ outcome }) => outcome !== "holds");
    assert.deepEqual(
      checks.map(({ subject }) => subject),
      ["server key", "decisions", "journal"],
      name,
    );
  }
});

function seqOf({ evidence }: FoundFinding): unknown {
  return (evidence["recorded"] as { seq?: unknown } | undefined)?.seq;
}
