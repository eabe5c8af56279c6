import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServeError } from "../serve-error.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { CONNECTION_LISTING, connectionConditions, findingConditions } from "./connection-list.ts";
import { type ListRequest, listStatement, pageOf } from "./list-statement.ts";

const context = { nowMs: 1_800_000_000_000, committed: 70 };
const statement = (request: Partial<ListRequest>, conditions = connectionConditions({})) =>
  listStatement(CONNECTION_LISTING, { limit: 2, ...request }, conditions, context);
const row = (atMs: number, id: string, updated_index = 1) => ({
  opened_at: new Date(atMs).toISOString(),
  connection_id: id,
  updated_index,
  key_ms: atMs,
});

describe("a statement", () => {
  it("holds no value of a request, only parameters", () => {
    const evil = "'; DROP TABLE x --";
    const conditions = [
      ...connectionConditions({ node: evil, verdict: [evil] }),
      ...findingConditions({ node: evil, kind: [evil], severity: [evil], state: [evil] }),
    ];
    const cursor = encodeCursor({ kind: "page", key: 1, id: evil });
    const { text, params } = statement({ since: "1h", until: "now", cursor }, conditions);
    assert.doesNotMatch(text, /DROP/);
    assert.equal(params["node"], evil);
    assert.equal(params["cursor_id"], evil);
    assert.deepEqual(
      [params["since_ms"], params["until_ms"]],
      [context.nowMs - 3_600_000, context.nowMs],
    );
  });

  it("asks for one row more than wanted", () => {
    assert.equal(statement({ limit: 10 }).params["limit"], 11);
  });

  it("takes Unix milliseconds, and refuses what is no time", () => {
    assert.equal(statement({ since: "1800000000001" }).params["since_ms"], 1_800_000_000_001);
    assert.throws(
      () => statement({ until: "soon" }),
      (error) => error instanceof ServeError && error.code === "bad_request",
    );
  });

  it("follows forward, and not past what is committed", () => {
    const follow = encodeCursor({ kind: "follow", key: 60, id: "ab" });
    const { text, params } = statement({ follow });
    assert.match(text, /ORDER BY updated_index, connection_id LIMIT/);
    assert.deepEqual([params["after"], params["after_id"], params["last_index"]], [60, "ab", 70]);
  });
});

function page(request: Partial<ListRequest>, rows: object[]) {
  return pageOf(
    CONNECTION_LISTING,
    { limit: 2, ...request },
    rows as Record<string, unknown>[],
    context,
  );
}

describe("a page", () => {
  it("names the next one by its last row when there is more", () => {
    const { items, next } = page({}, [row(3, "c"), row(2, "b"), row(1, "a")]);
    assert.equal(items.length, 2);
    assert.ok(items.every((item) => !("key_ms" in item)));
    assert.deepEqual(decodeCursor(next ?? "", "page"), { kind: "page", key: 2, id: "b" });
  });

  it("is the last one otherwise", () => {
    assert.equal(page({}, [row(3, "c"), row(2, "b")]).next, undefined);
  });

  it("can be followed from what was committed", () => {
    const { follow } = page({}, []);
    assert.deepEqual(decodeCursor(follow, "follow"), { kind: "follow", key: 70, id: "~" });
  });

  it("of changes goes on at its last row while it is full", () => {
    const request = { follow: encodeCursor({ kind: "follow", key: 1, id: "" }) };
    const full = page(request, [row(1, "a", 5), row(1, "b", 5), row(1, "c", 6)]);
    assert.deepEqual(decodeCursor(full.follow, "follow"), { kind: "follow", key: 5, id: "b" });
    assert.equal(full.next, undefined);
  });
});

describe("a cursor that is not ours", () => {
  const wrong = [
    "",
    "x",
    btoa("[]"),
    btoa('["page",1]'),
    btoa('["page","1","a"]'),
    btoa('["page",1.5,"a"]'),
    btoa(`["page",1,"${"a".repeat(65)}"]`),
    btoa('["follow",1,"a"]'),
    btoa("null"),
  ];
  for (const text of wrong) {
    it(text.slice(0, 40), () => {
      assert.throws(
        () => decodeCursor(text, "page"),
        (error) => error instanceof ServeError && error.code === "bad_cursor",
      );
    });
  }
});
