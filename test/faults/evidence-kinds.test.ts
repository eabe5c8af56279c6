/** Evidence of findings that take more than one fault, or an entry that no honest agent writes. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Check } from "../../src/evidence/checks/check.ts";
import { verifyEvidence } from "../../src/evidence/verify.ts";
import type { HttpNode } from "./http-node.ts";
import { type FoundFinding, World } from "./world.ts";

const KINDS = ["accused", "back-dated", "counters-differ"];
let world: World;
let found: readonly FoundFinding[];

before(async () => {
  world = await World.open();
  const liar = await world.node("liar");
  const witnesses = [await world.node("witness-1"), await world.node("witness-2")];
  const [sender, receiver] = [await world.node("sender"), await world.node("receiver")];
  const dater = await world.node("dater");
  await world.pass(60_000);
  for (const from of witnesses) {
    world.talk({ from, to: liar, forgottenBy: "responder" });
    world.talk({ from: liar, to: from, forgottenBy: "initiator" });
  }
  countPayload(sender, receiver, 900);
  countPayload(receiver, sender, 700);
  openTuple(dater, world.nowMs - 50_000);
  await world.pass(120_000);
  found = await world.findings((some) =>
    KINDS.every((kind) => some.some((one) => one.kind === kind)),
  );
});
after(() => world[Symbol.asyncDispose]());

/** Who calls whom is the same at both ends; the kernels count alike, the sockets not. */
function countPayload(node: HttpNode, peer: HttpNode, initiatorBytes: number): void {
  const isSender = node.name === "sender";
  const [initiator, responder] = isSender ? [node, peer] : [peer, node];
  const tuple = {
    protocol: 6,
    initiatorIp: initiator.ip,
    initiatorPort: 31_000,
    responderIp: responder.ip,
    responderPort: 443,
  };
  const atMs = world.nowMs;
  const role = isSender ? "initiator" : "responder";
  const openSeq = node.hand({ kind: "open", atMs, role, tuple, pickup: false });
  const counters = {
    initiatorPackets: 9,
    initiatorBytes: 2_000,
    responderPackets: 9,
    responderBytes: 900,
  };
  const how = { state: "SF", assured: true, inferred: false, counters } as const;
  const payload = { initiatorBytes, responderBytes: 5 };
  node.hand({ kind: "close", atMs: atMs + 20, openSeq, ageMs: 20, ...how, payload });
}

/** An open to an address that is no node's. */
function openTuple(node: HttpNode, atMs: number): void {
  const ends = {
    initiatorIp: node.ip,
    initiatorPort: 32_000,
    responderIp: "192.0.2.1",
    responderPort: 443,
  };
  node.hand({
    kind: "open",
    atMs,
    role: "initiator",
    tuple: { protocol: 6, ...ends },
    pickup: false,
  });
}

async function checked(kind: string): Promise<{ text: string; checks: readonly Check[] }> {
  const finding = found.find((one) => one.kind === kind);
  assert.ok(finding !== undefined);
  const text = await world.api.text("GET", `/api/v1/findings/${finding.id}/evidence`);
  return { text, checks: verifyEvidence(text) };
}

function subjects(checks: readonly Check[], outcome: Check["outcome"]): string[] {
  return checks.flatMap((check) => (check.outcome === outcome ? [check.subject] : []));
}

test("an accusation holds a contradiction of each witness, in full", async () => {
  const { text, checks } = await checked("accused");
  assert.deepEqual(subjects(checks, "fails"), []);
  assert.deepEqual(subjects(checks, "open"), [
    "server key",
    "decisions",
    "independence",
    "journal",
  ]);
  const held = subjects(checks, "holds");
  for (const name of ["witness-1", "witness-2"]) assert.ok(held.includes(`${name}: witness`));
  for (const each of [1, 2]) assert.ok(held.includes(`contradiction ${each}: liar: no entry`));
  assert.match(text, /^Contradiction 2: Both ledgers\n +WITNESS-\d +LIAR$/m);
});

test("payload bytes are compared as both ends signed them", async () => {
  const { text, checks } = await checked("counters-differ");
  assert.deepEqual(subjects(checks, "fails"), []);
  assert.deepEqual(subjects(checks, "open"), ["server key", "decisions", "journal"]);
  assert.ok(subjects(checks, "holds").includes("difference"));
  assert.match(text, /^ {2}initiator's data +(?:900 B +700 B +-200|700 B +900 B +\+200)$/m);
  assert.match(text, /^ {2}Compared is what the applications exchanged/m);
});

test("what was dated back is shown beside the claim that it breaks", async () => {
  const { text, checks } = await checked("back-dated");
  assert.deepEqual(subjects(checks, "fails"), []);
  assert.deepEqual(subjects(checks, "open"), ["server key", "decisions", "journal"]);
  for (const subject of ["entry", "claim"]) assert.ok(subjects(checks, "holds").includes(subject));
  assert.match(text, /^Entry that the finding names\n {2}dater, entry \d+ .*\["open",/m);
});
