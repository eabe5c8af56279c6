import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Control, ControlEntry } from "../control/control.ts";
import { coded, TestControl } from "../control/test-control.ts";
import { SYSTEM, type Who } from "../control/who.ts";
import type { AuditEntry, ServerEntry } from "../format/entry.ts";
import { decodeLine, encodeLine } from "../format/entry-line.ts";
import { withProposal } from "./find-finding.ts";
import { type Person, type RuledFinding, Rulings } from "./rulings.ts";

const ADA = { id: "u-ada", name: "ada" };
const BEN = { id: "u-ben", name: "ben" };
const CAT = { id: "u-cat", name: "cat" };
const ID = "ab".repeat(16);

function by(user: Person): { who: Who; user: Person } {
  return { who: { actor: { type: "user", ...user }, address: "", origin: "console" }, user };
}

/** A finding between Ada's node and Ben's. */
async function world() {
  const { control, journal, clock } = new TestControl();
  const ids = await Promise.all([ADA, BEN].map((owner, at) => join(control, owner, at)));
  const finding: RuledFinding = {
    id: ID,
    state: "open",
    reason: "",
    ruled_by: "",
    ruled_until: null,
    journal_index: 0,
    title: "two ends differ",
    node: "",
    evidence: { halves: ids },
  };
  const rulings = new Rulings({
    clock,
    committed: () => 0,
    find: async () => finding,
    control,
  });
  const proposal = () => withProposal({ id: ID }, control.proposals).proposal;
  return { rulings, proposal, journal, control, ids };
}

async function join(control: Control, owner: Person, at: number): Promise<string> {
  const { key, secret } = await control.keys.create({}, SYSTEM);
  const keyId = Buffer.from(key.id, "base64url");
  const publicKey = Buffer.alloc(32, at + 1);
  const name = `node-${at}`;
  const node = await control.nodes.enrol({ keyId, secret, publicKey, name, address: "" });
  // Upper and lower case name the same person.
  await control.nodes.update(node.id, { owner: owner.name.toUpperCase() }, SYSTEM);
  return node.id;
}

const kinds = (journal: readonly ServerEntry[]) =>
  (journal as ControlEntry[]).filter((entry) => (entry.kind as string) === "ruling").length;
const audits = (journal: readonly ServerEntry[]): AuditEntry[] =>
  journal.filter((entry) => entry.kind === "audit");

const excuse = { id: ID, ruling: "excused", reason: "a broken switch" } as const;

it("by a token with a long name is an entry that readers of the journal take", async () => {
  const { rulings, journal } = await world();
  const actor = { type: "token", id: "t", name: `cat/${"night shift ".repeat(5)}!` } as const;
  const who: Who = { actor, address: "", origin: "api", user: CAT };
  const ruled = await rulings.rule({ ...excuse, who, user: CAT });
  assert.equal(ruled.ruled_by, "cat");
  const place = { seq: 0, previousAtMs: 0 };
  const read = journal.map((entry) => decodeLine(encodeLine(entry, place), place));
  assert.ok(read.some((entry) => entry.kind === "ruling" && entry.actor === "cat"));
  assert.equal(audits(journal).at(-1)?.actor.name, actor.name);
});

describe("a ruling about one's own node", () => {
  it("waits for a second person", async () => {
    const { rulings, proposal, journal } = await world();
    const ruled = await rulings.rule({ ...excuse, ...by(ADA) });
    assert.equal(ruled.state, "open");
    assert.equal(kinds(journal), 0);
    assert.deepEqual([proposal()?.by, proposal()?.reason], ["ada", excuse.reason]);
    assert.equal(audits(journal).at(-1)?.action, "finding.propose");
  });

  it("counts when somebody confirms it whose node it is not about", async () => {
    const { rulings, proposal, journal } = await world();
    await rulings.rule({ ...excuse, ...by(ADA) });
    await assert.rejects(rulings.confirm(ID, by(ADA)), coded("second_person_needed"));
    await assert.rejects(rulings.confirm(ID, by(BEN)), coded("second_person_needed"));
    assert.equal(kinds(journal), 0);
    const ruled = await rulings.confirm(ID, by(CAT));
    assert.deepEqual(
      [ruled.state, ruled.ruled_by, ruled.reason],
      ["excused", "cat", excuse.reason],
    );
    assert.notEqual(ruled.ruled_until, null);
    assert.deepEqual(audits(journal).at(-1)?.facts, { proposedBy: "ada" });
    assert.equal(proposal(), null);
    await assert.rejects(rulings.confirm(ID, by(CAT)), coded("nothing_to_confirm"));
  });

  it("waits too where the node was given away a moment ago", async () => {
    const { rulings, control, ids } = await world();
    await control.nodes.update(ids[0] ?? "", { owner: "" }, by(ADA).who);
    await control.nodes.update(ids[0] ?? "", { owner: "cat" }, by(ADA).who);
    assert.equal((await rulings.rule({ ...excuse, ...by(ADA) })).state, "open");
    await assert.rejects(rulings.confirm(ID, by(CAT)), coded("second_person_needed"));
  });

  it("is overtaken by another's", async () => {
    const { rulings, proposal } = await world();
    await rulings.rule({ ...excuse, ruling: "acknowledged", ...by(ADA) });
    const ruled = await rulings.rule({ ...excuse, ...by(CAT) });
    assert.equal(ruled.state, "excused");
    assert.equal(proposal(), null);
  });

  it("may be taken back alone", async () => {
    const { rulings } = await world();
    await rulings.rule({ ...excuse, ...by(CAT) });
    const ruled = await rulings.rule({ id: ID, ruling: "reopened", reason: "no", ...by(ADA) });
    assert.equal(ruled.state, "open");
  });

  it("counts at once by the administrator's token, which is nobody's", async () => {
    const { rulings } = await world();
    assert.equal((await rulings.rule({ ...excuse, who: SYSTEM })).state, "excused");
  });
});
