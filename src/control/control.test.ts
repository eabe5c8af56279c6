import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { nodeIdOf, rawPublicKey } from "../format/identity.ts";
import { ManualClock } from "../std/clock.ts";
import { Control, type ControlEntry, type ControlOptions } from "./control.ts";
import { ControlError } from "./control-error.ts";
import { openDatabase } from "./database.ts";
import { DEAD_KEYS_KEPT_MS, KEY_TTL_MS_MAX } from "./limits.ts";
import type { EnrolmentRequest } from "./nodes.ts";
import type { Who } from "./who.ts";

const ADMIN: Who = {
  actor: { type: "user", id: "u1", name: "ada" },
  address: "127.0.0.1",
  origin: "cli",
};
const directory = mkdtempSync(join(tmpdir(), "control-"));
after(() => rmSync(directory, { recursive: true }));
let files = 0;

interface World {
  readonly control: Control;
  readonly clock: ManualClock;
  readonly journal: ControlEntry[];
  readonly file: string;
  readonly fatal: ControlError[];
}

function world(options: Partial<ControlOptions> & { journal?: ControlEntry[] } = {}): World {
  const clock = new ManualClock();
  const journal = options.journal ?? [];
  const file = options.file ?? join(directory, `${files++}.sqlite`);
  const fatal: ControlError[] = [];
  let appends = 0;
  const control = Control.open({
    file,
    clock,
    append: async (entries) => {
      journal.push(...(entries as ControlEntry[]));
      return { index: appends++ };
    },
    chainEnd: async () => ({ epoch: 2, batches: 7 }),
    onFatal: (error) => fatal.push(error),
    ...options,
  });
  return { control, clock, journal, file, fatal };
}

function newPublicKey(): Buffer {
  return rawPublicKey(generateKeyPairSync("ed25519").privateKey);
}

async function request(
  control: Control,
  more: Partial<EnrolmentRequest> = {},
): Promise<EnrolmentRequest> {
  const { key, secret } = await control.keys.create({ tags: ["web"] }, ADMIN);
  const keyId = Buffer.from(key.id, "base64url");
  return { keyId, secret, publicKey: newPublicKey(), name: "a", address: "10.0.0.1", ...more };
}

const coded = (code: string) => (error: unknown) =>
  error instanceof ControlError && error.code === code;

describe("enrolling", () => {
  it("writes the entry, then lets the node in, with its key's tags", async () => {
    const { control, journal } = world();
    const asked = await request(control);
    const node = await control.nodes.enrol(asked);
    assert.equal(node.id, nodeIdOf(asked.publicKey).toString("hex"));
    assert.deepEqual(node.tags, ["web"]);
    assert.deepEqual(
      journal
        .slice(1)
        .map((entry) => [entry.kind, entry.kind === "audit" ? entry.target.id : entry.node]),
      [
        ["audit", node.id],
        ["enrolled", node.id],
      ],
    );
    assert.equal(control.nodes.get(node.id)?.state, "active");
    assert.equal(control.keys.list()[0]?.uses, 1);
  });

  it("gives the same public key the same answer, also when the key is spent", async () => {
    const { control, journal } = world();
    const asked = await request(control);
    const [first, meanwhile] = await Promise.all([
      control.nodes.enrol(asked),
      control.nodes.enrol(asked),
    ]);
    const later = await control.nodes.enrol({ ...asked, name: "other", secret: Buffer.alloc(24) });
    assert.equal(meanwhile.id, first.id);
    assert.equal(later.name, "a");
    assert.deepEqual(journal.filter(({ kind }) => kind === "enrolled").length, 1);
  });

  it("spends a key once, also between two that come together", async () => {
    const { control } = world();
    const asked = await request(control);
    const both = await Promise.allSettled([
      control.nodes.enrol(asked),
      control.nodes.enrol({ ...asked, publicKey: newPublicKey(), name: "b" }),
    ]);
    assert.deepEqual(
      both.map((one) => one.status),
      ["fulfilled", "rejected"],
    );
  });

  it("lets many in by a reusable key", async () => {
    const { control } = world();
    const { key, secret } = await control.keys.create({ reusable: true }, ADMIN);
    const keyId = Buffer.from(key.id, "base64url");
    for (const name of ["a", "b", "c"]) {
      const publicKey = newPublicKey();
      await control.nodes.enrol({ keyId, secret, publicKey, name, address: "" });
    }
    assert.equal(control.keys.list()[0]?.uses, 3);
  });

  const refusals: [
    title: string,
    code: string,
    prepare: (world: World) => EnrolmentRequest | Promise<EnrolmentRequest>,
  ][] = [
    [
      "an unknown key",
      "bad_enrolment_key",
      ({ control }) => request(control, { keyId: Buffer.alloc(6) }),
    ],
    [
      "a wrong secret",
      "bad_enrolment_key",
      ({ control }) => request(control, { secret: Buffer.alloc(24) }),
    ],
    [
      "an expired key",
      "bad_enrolment_key",
      async ({ control, clock }) => {
        const asked = await request(control);
        clock.advance(24 * 3_600_000);
        return asked;
      },
    ],
    [
      "a revoked key",
      "bad_enrolment_key",
      async ({ control }) => {
        const asked = await request(control);
        await control.keys.revoke(Buffer.from(asked.keyId).toString("base64url"), ADMIN);
        return asked;
      },
    ],
    [
      "a name that an active node has, in another case",
      "name_taken",
      async ({ control }) => {
        await control.nodes.enrol(await request(control, { name: "Db" }));
        return request(control, { name: "dB" });
      },
    ],
    [
      "the key of a revoked node",
      "revoked_key",
      async ({ control }) => {
        const asked = await request(control);
        await control.nodes.enrol(asked);
        await control.nodes.revoke("a", ADMIN);
        return { ...asked, ...(await request(control)), publicKey: asked.publicKey };
      },
    ],
  ];
  for (const [title, code, prepare] of refusals) {
    it(`refuses ${title}`, async () => {
      const here = world();
      const asked = await prepare(here);
      const before = here.journal.length;
      await assert.rejects(here.control.nodes.enrol(asked), coded(code));
      // The attempt, and nothing else.
      assert.deepEqual(
        here.journal.slice(before).map((entry) => entry.kind === "audit" && entry.code),
        [code],
      );
    });
  }
});

async function asking(
  { control }: World,
  more: Partial<EnrolmentRequest> = {},
): Promise<EnrolmentRequest> {
  const { key, secret } = await control.keys.create({ needsApproval: true, tags: ["db"] }, ADMIN);
  const keyId = Buffer.from(key.id, "base64url");
  const asked = { keyId, secret, publicKey: newPublicKey(), name: "a", address: "10.0.0.7" };
  return { ...asked, ...more };
}

describe("a key that needs approval", () => {
  it("lets nobody in before somebody does, and puts that it waits on record once", async () => {
    const here = world();
    const asked = await asking(here);
    const before = here.journal.length;
    for (let n = 0; n < 3; n++) {
      await assert.rejects(here.control.nodes.enrol(asked), coded("approval_needed"));
    }
    assert.equal(here.journal.length, before + 1);
    assert.deepEqual(here.control.nodes.list(), []);
    const [waiting] = here.control.nodes.waiting();
    assert.deepEqual([waiting?.name, waiting?.address], ["a", "10.0.0.7"]);
    const node = await here.control.nodes.approve("A", ADMIN);
    assert.deepEqual([node.name, node.state, node.tags], ["a", "active", ["db"]]);
    assert.deepEqual(here.control.nodes.waiting(), []);
    assert.equal((await here.control.nodes.enrol(asked)).id, node.id);
    assert.deepEqual(
      here.journal.slice(-2).map((entry) => (entry.kind === "audit" ? entry.action : entry.kind)),
      ["node.approve", "enrolled"],
    );
  });

  it("lets one in, of two that asked by a key for one", async () => {
    const here = world();
    const asked = await asking(here);
    const other = { ...asked, publicKey: newPublicKey(), name: "b" };
    await assert.rejects(here.control.nodes.enrol(asked), coded("approval_needed"));
    await assert.rejects(here.control.nodes.enrol(other), coded("approval_needed"));
    await here.control.nodes.approve("b", ADMIN);
    await assert.rejects(here.control.nodes.approve("a", ADMIN), coded("bad_enrolment_key"));
    await here.control.nodes.reject("a", ADMIN);
    await assert.rejects(here.control.nodes.reject("a", ADMIN), coded("unknown_node"));
    await assert.rejects(here.control.nodes.enrol(asked), coded("bad_enrolment_key"));
  });

  it("is asked for anew after a week", async () => {
    const here = world();
    const asked = await asking(here);
    await assert.rejects(here.control.nodes.enrol(asked), coded("approval_needed"));
    here.clock.advance(8 * 24 * 3_600_000);
    const other = await asking(here, { name: "b" });
    await assert.rejects(here.control.nodes.enrol(other), coded("approval_needed"));
    assert.deepEqual(
      here.control.nodes.waiting().map(({ name }) => name),
      ["b"],
    );
  });
});

describe("revoking a node", () => {
  it("names the last batch in the journal, and frees the name", async () => {
    const { control, journal } = world();
    const node = await control.nodes.enrol(await request(control));
    const revoked = await control.nodes.revoke(node.id, ADMIN);
    assert.deepEqual(revoked.revoked && { ...revoked.revoked, atMs: 0 }, {
      atMs: 0,
      epoch: 2,
      batchNo: 6,
    });
    assert.deepEqual(journal.at(-1), {
      kind: "revoked",
      atMs: revoked.revoked?.atMs,
      node: node.id,
      epoch: 2,
      lastBatch: 6,
    });
    assert.notEqual((await control.nodes.enrol(await request(control))).id, node.id);
    await assert.rejects(control.nodes.revoke(node.id, ADMIN), coded("already_revoked"));
    await assert.rejects(control.nodes.revoke("nobody", ADMIN), coded("unknown_node"));
  });

  it("says of a name that it was revoked before, until another node has it", async () => {
    const { control } = world();
    const first = await control.nodes.enrol(await request(control));
    await control.nodes.revoke("a", ADMIN);
    await assert.rejects(control.nodes.revoke("A", ADMIN), coded("already_revoked"));
    assert.equal(control.nodes.find("a").id, first.id);
    const second = await control.nodes.enrol(await request(control));
    assert.equal(control.nodes.find("a").id, second.id);
    assert.equal((await control.nodes.revoke("a", ADMIN)).id, second.id);
  });

  it("refuses the node's batches before it asks where its chain ends", async () => {
    const asked: (string | undefined)[] = [];
    const here: World = world({
      chainEnd: async (id) => {
        asked.push(here.control.nodes.get(id)?.state);
        return { epoch: 0, batches: 0 };
      },
    });
    await here.control.nodes.enrol(await request(here.control));
    await here.control.nodes.revoke("a", ADMIN);
    assert.deepEqual(asked, ["revoked"]);
  });
});

it("lets a node go on where its chain's end cannot be had", async () => {
  const here = world({ chainEnd: () => Promise.reject(new Error("no end")) });
  const node = await here.control.nodes.enrol(await request(here.control));
  await assert.rejects(here.control.nodes.revoke("a", ADMIN), /no end/);
  assert.equal(here.control.nodes.get(node.id)?.state, "active");
});

describe("failures", () => {
  it("stop everything when the journal's outcome is unknown", async () => {
    let isGone = false;
    const { control, fatal } = world({
      append: async () => {
        if (isGone) throw new Error("disk gone");
        return { index: 0 };
      },
    });
    const asked = await request(control);
    isGone = true;
    await assert.rejects(control.nodes.enrol(asked), coded("control_failed"));
    assert.equal(fatal.length, 1);
    await assert.rejects(control.keys.create({}, ADMIN), coded("control_failed"));
  });

  it("change nothing when nothing was written", async () => {
    let full = false;
    const { control, fatal } = world({
      append: () => {
        if (full) return Promise.reject(new ControlError("control_busy", "full"));
        return Promise.resolve({ index: 0 });
      },
    });
    const asked = await request(control);
    full = true;
    await assert.rejects(control.nodes.enrol(asked), coded("control_busy"));
    full = false;
    assert.equal((await control.nodes.enrol(asked)).name, "a");
    assert.equal(fatal.length, 0);
  });

  const keyRequests = [
    ["bad_ttl", { ttlMs: 0 }],
    ["bad_ttl", { ttlMs: Number.NaN }],
    ["bad_tag", { tags: ["a b"] }],
    ["bad_tag", { tags: Array.from({ length: 17 }, (_, n) => `t${n}`) }],
  ] as const;
  for (const [code, asked] of keyRequests) {
    it(`refuse a key with ${JSON.stringify(asked).slice(0, 40)}`, () =>
      assert.rejects(world().control.keys.create(asked, ADMIN), coded(code)));
  }
});

it("forgets a key 90 days after it was revoked, while the server runs", async () => {
  const { control, clock } = world();
  const { key: revoked } = await control.keys.create({ ttlMs: KEY_TTL_MS_MAX }, ADMIN);
  await control.keys.revoke(revoked.id, ADMIN);
  clock.advance(DEAD_KEYS_KEPT_MS);
  const { key: second } = await control.keys.create({}, ADMIN);
  assert.deepEqual(
    control.keys.list().map(({ id }) => id),
    [second.id, revoked.id],
  );
  clock.advance(1);
  const { key: third } = await control.keys.create({}, ADMIN);
  assert.deepEqual(
    control.keys.list().map(({ id }) => id),
    [third.id, second.id],
  );
});

describe("starting again", () => {
  it("rebuilds a lost file from the journal", async () => {
    const first = world();
    const kept = await first.control.nodes.enrol(await request(first.control, { name: "kept" }));
    const gone = await first.control.nodes.enrol(await request(first.control, { name: "gone" }));
    await first.control.nodes.revoke("gone", ADMIN);
    await first.control.close();

    const second = world();
    await second.control.replay(first.journal, 3);
    assert.equal(second.control.nodes.get(kept.id)?.name, "kept");
    assert.equal(second.control.nodes.get(gone.id)?.state, "revoked");
    assert.equal(second.control.appliedIndex, 3);
  });

  it("applies what was journaled but not stored, once", async () => {
    const first = world();
    const asked = await request(first.control);
    await first.control.close();
    const journal: ControlEntry[] = [];
    const lost = world({ journal });
    const { key, secret } = await lost.control.keys.create({}, ADMIN);
    await lost.control.nodes.enrol({ ...asked, keyId: Buffer.from(key.id, "base64url"), secret });

    const second = world({ file: first.file });
    await second.control.replay(journal, 1);
    await second.control.replay(journal, 1);
    assert.equal(second.control.nodes.list().length, 1);
    await second.control.close();
  });

  it("keeps what was stored, and the file private", async () => {
    const first = world();
    const node = await first.control.nodes.enrol(await request(first.control));
    assert.equal(first.control.appliedIndex, 2);
    await first.control.close();
    const second = world({ file: first.file });
    assert.deepEqual(second.control.nodes.find("a").tags, node.tags);
    assert.equal(second.control.appliedIndex, 2);
    assert.equal(statSync(first.file).mode & 0o777, 0o600);
    await second.control.close();
  });

  it("refuses a file that another holds, and one of a newer server", async () => {
    const { control, file } = world();
    assert.throws(() => world({ file }), coded("data_in_use"));
    await control.close();
    const database = openDatabase(file);
    database.exec("PRAGMA user_version = 1000");
    database.close();
    assert.throws(() => world({ file }), coded("state_too_new"));
  });
});
