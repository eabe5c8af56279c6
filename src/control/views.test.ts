import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VIEWS_PER_OWNER_MAX } from "./limits.ts";
import { coded, TestControl } from "./test-control.ts";
import type { ViewContent } from "./views.ts";
import type { Who } from "./who.ts";

const someone = (name: string): Who => ({
  actor: { type: "user", id: `u-${name}`, name },
  address: "",
  origin: "console",
});
const ADA = someone("ada");
const BEN = someone("ben");
const SSH: ViewContent = {
  name: "SSH from outside",
  topic: "connections",
  query: "responder_port:22 -initiator_node:*",
  settings: { columns: ["opened_at"] },
  shared: false,
};

function world() {
  const { control, journal, clock } = new TestControl();
  return { views: control.views, journal, clock };
}

const names = (views: readonly ViewContent[]) => views.map(({ name }) => name);

describe("a saved view", () => {
  it("is its owner's, until it is shared", async () => {
    const { views, clock } = world();
    const { id } = await views.create(SSH, ADA);
    assert.deepEqual(names(views.list("u-ada")), [SSH.name]);
    assert.deepEqual(views.list("u-ben"), []);
    await views.update(id, { shared: true }, ADA);
    const [seen] = views.list("u-ben");
    assert.deepEqual(seen, {
      ...SSH,
      shared: true,
      id,
      ownerId: "u-ada",
      ownerName: "ada",
      createdAtMs: clock.nowMs(),
    });
  });

  it("is changed by its owner alone, and the attempt is on record without its name", async () => {
    const { views, journal } = world();
    const { id } = await views.create({ ...SSH, shared: true }, ADA);
    await assert.rejects(views.update(id, { query: "" }, BEN), coded("unknown_view"));
    await assert.rejects(views.remove(id, BEN), coded("unknown_view"));
    const attempts = journal.flatMap((entry) =>
      entry.kind === "audit" && entry.outcome === "refused"
        ? [[entry.action, entry.target.name]]
        : [],
    );
    assert.deepEqual(attempts, [
      ["view.update", ""],
      ["view.delete", ""],
    ]);
    await views.remove(id, ADA);
    assert.deepEqual(views.list("u-ada"), []);
  });

  it("leaves what was changed, and nothing where nothing was", async () => {
    const { views, journal } = world();
    const { id } = await views.create(SSH, ADA);
    await views.update(id, { query: SSH.query, settings: { columns: ["opened_at"] } }, ADA);
    assert.equal(journal.length, 1);
    await views.update(id, { query: "port:22", settings: {} }, ADA);
    const last = journal.at(-1);
    assert.deepEqual(last?.kind === "audit" && last.changes, [
      { property: "query", old: SSH.query, new: "port:22" },
      { property: "settings", old: SSH.settings, new: {} },
    ]);
  });

  it("has a name of its own among its owner's, in any case", async () => {
    const { views } = world();
    await views.create(SSH, ADA);
    await assert.rejects(
      views.create({ ...SSH, name: "ssh FROM outside" }, ADA),
      coded("view_name_taken"),
    );
    await views.create(SSH, BEN);
  });

  it("is one of so many at most", async () => {
    const { views } = world();
    for (let n = 0; n < VIEWS_PER_OWNER_MAX; n++)
      await views.create({ ...SSH, name: `v${n}` }, ADA);
    await assert.rejects(views.create(SSH, ADA), coded("too_many_views"));
    await views.create(SSH, BEN);
  });
});
