import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { AuditEntry, ServerEntry } from "../format/entry.ts";
import { ManualClock } from "../std/clock.ts";
import { ChangeWriter } from "./change-writer.ts";
import { Control, type ControlEntry } from "./control.ts";
import { ControlError } from "./control-error.ts";
import { openDatabase } from "./database.ts";
import { CHANGES_WAITING_OF_ONE_MAX } from "./limits.ts";
import type { Who } from "./who.ts";

const directory = mkdtempSync(join(tmpdir(), "changes-"));
after(() => rmSync(directory, { recursive: true }));
let files = 0;

const ADA: Who = {
  actor: { type: "user", id: "u1", name: "ada" },
  address: "10.0.0.9",
  origin: "console",
};

/** What the journal does with the next append. */
type Fault = "none" | "refuses" | "loses" | "keeps, and reports a failure";

class World {
  readonly file = join(directory, `${files++}.sqlite`);
  readonly journal: (readonly ServerEntry[])[] = [];
  readonly fatal: ControlError[] = [];
  readonly clock = new ManualClock();
  fault: Fault = "none";
  control = this.#open();

  /** As at a start: the journal is read from where the file got to. */
  async restart(): Promise<void> {
    await this.control.close();
    this.control = this.#open();
    const from = this.control.appliedIndex;
    const entries = this.journal.slice(from).flat();
    await this.control.replay(entries as ControlEntry[], this.journal.length);
  }

  audits(): AuditEntry[] {
    return this.journal.flat().filter((entry) => entry.kind === "audit");
  }

  keyIds(): string[] {
    return this.control.keys.list().map(({ id }) => id);
  }

  #open(): Control {
    return Control.open({
      file: this.file,
      clock: this.clock,
      append: (entries) => this.#append(entries),
      chainEnd: async () => ({ epoch: 0, batches: 0 }),
      onFatal: (error) => this.fatal.push(error),
    });
  }

  async #append(entries: readonly ServerEntry[]): Promise<{ index: number }> {
    const { fault } = this;
    if (fault === "refuses") throw new ControlError("control_busy", "full");
    if (fault === "loses") throw new Error("I/O error");
    const index = this.journal.push(entries) - 1;
    if (fault !== "none") throw new Error("I/O error");
    return { index };
  }
}

const coded = (code: string) => (error: unknown) =>
  error instanceof ControlError && error.code === code;

describe("a change", () => {
  it("leaves who did what to what, and from where", async () => {
    const world = new World();
    const { key } = await world.control.keys.create({ tags: ["web"] }, ADA);
    const [{ id, group, atMs, changes, ...entry }] = world.audits() as [AuditEntry];
    assert.match(id, /^[0-9a-f]{32}$/);
    assert.equal(group, id);
    assert.equal(atMs, world.clock.nowMs());
    assert.deepEqual(entry, {
      kind: "audit",
      actor: ADA.actor,
      address: "10.0.0.9",
      origin: "console",
      action: "enrolment_key.create",
      read: false,
      target: {
        type: "enrolment_key",
        id: key.id,
        name: "",
      },
      outcome: "done",
      code: "",
      facts: {},
    });
    assert.deepEqual(
      changes.find(({ property }) => property === "tags"),
      { property: "tags", old: null, new: ["web"] },
    );
  });

  it("leaves no secret, and no hash of one", async () => {
    const world = new World();
    const { key, secret } = await world.control.keys.create({}, ADA);
    const text = JSON.stringify(world.journal);
    for (const hidden of [secret, Buffer.from(key.secretHash, "hex")]) {
      for (const coding of ["hex", "base64", "base64url"] as const) {
        assert.ok(!text.includes(Buffer.from(hidden).toString(coding)));
      }
    }
  });

  it("is not staged any more when it is done", async () => {
    const world = new World();
    await world.control.keys.create({}, ADA);
    await world.control.close();
    const database = openDatabase(world.file);
    assert.deepEqual(database.prepare("SELECT * FROM staged_changes").all(), []);
    database.close();
  });

  it("finds room made for it before it writes anything, also for what it forgets", async () => {
    const order: string[] = [];
    const database = openDatabase(":memory:");
    const writer = new ChangeWriter(database, {
      clock: new ManualClock(),
      append: async () => ({ index: order.push("journaled") }),
      makeRoom: async () => void order.push("room"),
      onFatal: (error) => assert.fail(error),
    });
    const asked = { who: ADA, action: "test", target: { type: "test", id: "", name: "" } };
    await writer.change(asked, () => {
      order.push("planned");
      return { parts: [{}], effects: [], answer: () => undefined };
    });
    assert.deepEqual(order, ["room", "planned", "journaled"]);
  });

  it("of somebody else goes on while one's own script waits in front of everything", async () => {
    const world = new World();
    const make = (who: Who) => world.control.keys.create({}, who);
    const token: Who = {
      ...ADA,
      actor: { type: "token", id: "t1", name: "ada/x" },
      user: ADA.actor,
    };
    const flood = Array.from({ length: 2_000 }, (_, at) => make(at % 2 === 0 ? ADA : token));
    const owner: Who = { ...ADA, actor: { type: "user", id: "u2", name: "olga" } };
    await make(owner);
    const ends = await Promise.allSettled(flood);
    const made = ends.filter(({ status }) => status === "fulfilled").length;
    assert.equal(made, CHANGES_WAITING_OF_ONE_MAX);
    for (const end of ends) {
      if (end.status === "rejected") assert.ok(coded("control_busy")(end.reason));
    }
    await make(ADA);
  });

  it("that changes nothing leaves nothing", async () => {
    const world = new World();
    const { key } = await world.control.keys.create({}, ADA);
    await world.control.keys.revoke(key.id, ADA);
    const before = world.audits().length;
    await world.control.keys.revoke(key.id, ADA);
    assert.equal(world.audits().length, before);
  });

  it("that is refused leaves the attempt", async () => {
    const world = new World();
    await assert.rejects(world.control.keys.create({ ttlMs: -1 }, ADA), coded("bad_ttl"));
    await assert.rejects(world.control.nodes.revoke("nobody", ADA), coded("unknown_node"));
    assert.deepEqual(
      world
        .audits()
        .map(({ action, outcome, code, target }) => [action, outcome, code, target.name]),
      [
        ["enrolment_key.create", "refused", "bad_ttl", ""],
        ["node.revoke", "refused", "unknown_node", "nobody"],
      ],
    );
    assert.deepEqual(world.keyIds(), []);
  });
});

interface Row {
  readonly fault: Fault;
  readonly code: string;
  readonly isFatal: boolean;
  /** After the next start there is the change, and its entry. */
  readonly happened: boolean;
}

const FAULTS: readonly Row[] = [
  { fault: "refuses", code: "control_busy", isFatal: false, happened: false },
  { fault: "loses", code: "control_failed", isFatal: true, happened: false },
  { fault: "keeps, and reports a failure", code: "control_failed", isFatal: true, happened: true },
];

describe("never a change without its entry, nor an entry without its change", () => {
  for (const { fault, code, isFatal, happened } of FAULTS) {
    it(`where the journal ${fault}`, async () => {
      const world = new World();
      world.fault = fault;
      await assert.rejects(world.control.keys.create({}, ADA), coded(code));
      assert.equal(world.fatal.length, Number(isFatal));
      assert.deepEqual(world.keyIds(), []);
      if (isFatal) {
        const later = world.control.keys.create({}, ADA);
        await assert.rejects(later, coded("control_failed"));
      }
      world.fault = "none";
      await world.restart();
      assert.equal(world.keyIds().length, Number(happened));
      assert.deepEqual(
        world.audits().map(({ target }) => target.id),
        world.keyIds(),
      );
      // Once, however often the same is read.
      await world.restart();
      assert.equal(world.keyIds().length, Number(happened));
      await world.control.keys.create({}, ADA);
      assert.equal(world.keyIds().length, Number(happened) + 1);
    });
  }

  it("a node that was changed so is known by its new name", async () => {
    const world = new World();
    const { key, secret } = await world.control.keys.create({}, ADA);
    const keyId = Buffer.from(key.id, "base64url");
    const publicKey = Buffer.alloc(32, 7);
    const node = await world.control.nodes.enrol({
      keyId,
      secret,
      publicKey,
      name: "a",
      address: "",
    });
    world.fault = "keeps, and reports a failure";
    const change = { name: "b", owner: "ops", tags: ["db"] };
    const update = world.control.nodes.update(node.id, change, ADA);
    await assert.rejects(update, coded("control_failed"));
    world.fault = "none";
    await world.restart();
    const { name, owner, tags } = world.control.nodes.find("b");
    assert.deepEqual({ name, owner, tags }, change);
    assert.throws(() => world.control.nodes.find("a"), coded("unknown_node"));
    assert.deepEqual(world.audits().at(-1)?.changes, [
      { property: "name", old: "a", new: "b" },
      { property: "owner", old: "", new: "ops" },
      { property: "tags", old: [], new: ["db"] },
    ]);
  });
});
