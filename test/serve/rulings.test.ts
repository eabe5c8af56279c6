/** A person's word about a finding, against the real server: durable, shown, taken back, outlived, made again. */
import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { FLAG } from "../../src/format/batch.ts";
import type { Entry } from "../../src/format/entry.ts";
import { EXCUSE_MS_MAX } from "../../src/format/limits.ts";
import type { SimNode } from "../simulate/sim-node.ts";
import { addresses, joined, open, send, tcp } from "./joined-node.ts";
import { type Problem, ServerProcess } from "./server-process.ts";

interface Finding {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly reason: string;
  readonly ruled_by: string;
  readonly ruled_until: string | null;
  readonly journal_index: number;
  readonly connection_id: string;
}
interface Page<T> {
  readonly items: readonly T[];
}

const A = "10.9.1.1";
const B = "10.9.1.2";
const dir = mkdtempSync(join(tmpdir(), "tallystick-rulings-"));
let server: ServerProcess;
let a: SimNode;
let b: SimNode;
let refuser: SimNode;

interface Told {
  readonly role: "initiator" | "responder";
  readonly port: number;
  /** From the initiator. */
  readonly bytes?: number;
}

const BEGAN_MS = Date.now() - 1_500;

/** A connection that closed; its account is the third entry, and may come later. */
function told(node: SimNode, { role, port, bytes = 1_000 }: Told): [Entry, Entry, Entry] {
  const counters = {
    initiatorPackets: 9,
    initiatorBytes: bytes,
    responderPackets: 9,
    responderBytes: 900,
  };
  const amendment = {
    openSeq: node.nextSeq,
    ageMs: 5,
    atMs: BEGAN_MS + 5,
    state: "SF",
    assured: true,
  } as const;
  return [
    open(BEGAN_MS, role, tcp(A, port, B)),
    { kind: "close", ...amendment, inferred: false },
    { kind: "account", ...amendment, counters },
  ];
}

async function accepted(node: SimNode, entries: readonly Entry[]): Promise<void> {
  const { status, body } = await send(server, node, entries);
  assert.equal(status, 200, JSON.stringify(body));
}

async function findings(query = ""): Promise<readonly Finding[]> {
  const path = `/api/v1/findings?limit=100${query}`;
  const { status, body } = await server.call<Page<Finding>>("GET", path);
  assert.equal(status, 200, JSON.stringify(body));
  return body.items;
}

async function found(
  kind: string,
  fits: (finding: Finding) => boolean = () => true,
): Promise<Finding> {
  // Time passes by what arrives.
  const beat = async () => {
    for (const node of [a, b]) await accepted(node, [node.logEntry()]);
    return (await findings(`&kind=${kind}`)).find(fits);
  };
  const one = await server.until(beat, (finding) => finding !== undefined);
  assert.ok(one !== undefined);
  return one;
}

function rule<T = Finding>(id: string, action: string, body: object) {
  return server.call<T>("POST", `/api/v1/findings/${id}/${action}`, body);
}

async function untilState(id: string, state: string): Promise<Finding> {
  const ask = async () => (await server.call<Finding>("GET", `/api/v1/findings/${id}`)).body;
  return server.until(ask, (finding) => finding.state === state);
}

async function queried(sql: string): Promise<string[][]> {
  const { status, body } = await server.call<{ rows: string[][] }>("POST", "/api/v1/sql", { sql });
  assert.equal(status, 200, JSON.stringify(body));
  return body.rows;
}

/** Of each connection with this port: two halves are two until they are a pair. */
function verdictsOf(port: number): Promise<string[][]> {
  return queried(`SELECT verdict, excuse FROM connections WHERE initiator_port = ${port}`);
}

async function verdictOf(port: number): Promise<string[]> {
  const rows = await verdictsOf(port);
  assert.equal(rows.length, 1);
  return rows[0] ?? [];
}

async function outcome() {
  const states = (await findings()).map(({ id, state, reason }) => `${id} ${state} ${reason}`);
  return {
    findings: new Set(states),
    connections: [await verdictOf(40_001), await verdictOf(40_002), await verdictOf(40_003)],
  };
}

const isVerdict =
  (expected: string) =>
  ([row, ...others]: string[][]) =>
    others.length === 0 && row?.[0] === expected;

/** A half that stood alone too long, its finding excused; returns its account, which is still to come. */
async function excused(port: number): Promise<Entry> {
  const [opened, closed, account] = told(a, { role: "initiator", port });
  await accepted(a, [opened, closed]);
  const { id } = await found("missing-half", (one) => one.state === "open");
  assert.equal((await rule(id, "excuse", { reason: `a test of ${port}` })).status, 200);
  await server.until(() => verdictsOf(port), isVerdict("excused"));
  assert.deepEqual(await verdictOf(port), ["excused", "by_hand"]);
  return account;
}

before(async () => {
  server = await ServerProcess.start([], dir);
  [a, b, refuser] = [
    await joined(server, "node-a"),
    await joined(server, "node-b"),
    await joined(server, "node-c"),
  ];
  // A connection from before an agent began is excused.
  const atMs = Date.now() - 60_000;
  await accepted(a, [{ kind: "start", atMs, facts: {} }, addresses(atMs, A)]);
  await accepted(b, [{ kind: "start", atMs, facts: {} }, addresses(atMs, B)]);
});
after(async () => {
  await server.stop();
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

describe("a finding about two halves that differ", () => {
  const PORT = 40_001;
  let id: string;

  it("is excused with its connection", async () => {
    await accepted(a, told(a, { role: "initiator", port: PORT }));
    await accepted(b, told(b, { role: "responder", port: PORT, bytes: 900_000 }));
    ({ id } = await found("counters-differ"));
    assert.deepEqual(await verdictOf(PORT), ["differs", ""]);
    const { status, body } = await rule(id, "excuse", { reason: "a broken counter" });
    assert.deepEqual(
      [status, body.state, body.reason, body.ruled_by],
      [200, "excused", "a broken counter", "admin"],
    );
    const lastsMs = Date.parse(body.ruled_until ?? "") - Date.now();
    assert.ok(Math.abs(lastsMs - EXCUSE_MS_MAX) < 10_000);
    // Rows of one range become visible table by table: the state may be there before the words are.
    const shown = await server.until(
      async () => (await untilState(id, "excused")) as Finding & { rulings: object[] },
      (finding) => finding.rulings.length > 0,
    );
    const { rulings, ...rest } = shown;
    assert.deepEqual(rest, body);
    const [{ time, ...said }] = rulings as [{ time: string }];
    const until = new Date(Date.parse(time) + EXCUSE_MS_MAX).toISOString();
    assert.deepEqual(said, { by: "admin", ruling: "excused", reason: "a broken counter", until });
    assert.equal(until, body.ruled_until);
    await server.until(() => verdictsOf(PORT), isVerdict("excused"));
    assert.deepEqual(await verdictOf(PORT), ["excused", "by_hand"]);
    assert.equal((await findings("&state=open&kind=counters-differ")).length, 0);
  });

  it("is not ruled upon twice by the same words", async () => {
    const first = await rule(id, "excuse", { reason: "a broken counter" });
    const again = await rule(id, "excuse", { reason: "a broken counter" });
    assert.deepEqual(again.body, first.body);
    const other = await rule(id, "excuse", { reason: "two broken counters" });
    const atOnce = await rule(id, "excuse", { reason: "two broken counters" });
    assert.deepEqual(atOnce.body, other.body);
    assert.ok(other.body.journal_index > first.body.journal_index);
  });

  it("is opened again, and so is its connection", async () => {
    const { body } = await rule(id, "reopen", { reason: "it was not the counter" });
    assert.deepEqual([body.state, body.ruled_until], ["open", null]);
    await untilState(id, "open");
    await server.until(() => verdictsOf(PORT), isVerdict("differs"));
    assert.deepEqual(await verdictOf(PORT), ["differs", ""]);
  });

  it("cannot be opened when it is open; the same words again are no other ones", async () => {
    const again = await rule(id, "reopen", { reason: "it was not the counter" });
    assert.deepEqual([again.status, again.body.state], [200, "open"]);
    const other = await rule<Problem>(id, "reopen", { reason: "for another reason" });
    assert.deepEqual([other.status, other.body.code], [409, "finding_open"]);
    const words = ["findings", "reopen", id, "--reason", "for another reason"];
    const { code, stderr } = await server.command(...words);
    assert.equal(code, 1);
    assert.match(stderr, /the finding is open, .*nothing was journaled \(finding_open\)\n$/);
  });

  it("opens by itself at its end", async () => {
    const expires_at = new Date(Date.now() + 1_500).toISOString();
    assert.equal((await rule(id, "excuse", { reason: "for now", expires_at })).status, 200);
    await server.until(() => verdictsOf(PORT), isVerdict("excused"));
    await untilState(id, "open");
    await server.until(() => verdictsOf(PORT), isVerdict("differs"));
  });
});

describe("a finding about a half that is missing", () => {
  it("stays excused when the comparison writes its connection again", async () => {
    await accepted(a, [await excused(40_002)]);
    await server.until(
      () => queried("SELECT counters FROM connections WHERE initiator_port = 40002"),
      ([row]) => row?.[0] === "final",
    );
    assert.deepEqual(await verdictOf(40_002), ["excused", "by_hand"]);
  });

  it("is resolved when the half comes after all, also after a restart", async () => {
    await excused(40_003);
    await server.stop();
    server = await ServerProcess.start([], dir);
    assert.deepEqual(await verdictOf(40_003), ["excused", "by_hand"]);
    await accepted(b, told(b, { role: "responder", port: 40_003 }));
    await server.until(() => verdictsOf(40_003), isVerdict("matched"));
    assert.deepEqual(await verdictOf(40_003), ["matched", ""]);
    const { id, reason } = await found("missing-half", (one) => one.state === "resolved");
    assert.equal(reason, "");
    const answer = await rule<Problem>(id, "excuse", { reason: "too late" });
    assert.deepEqual([answer.status, answer.body.code], [409, "finding_resolved"]);
  });
});

describe("an opt-out", () => {
  it("is a finding until it is acknowledged", async () => {
    const entry: Entry = { kind: "opt_out", atMs: Date.now(), origin: "flag" };
    refuser.atMs = Date.now();
    const { frame } = refuser.next({
      entries: [entry],
      header: { flags: FLAG.epochStart | FLAG.optOut },
    });
    const answer = await fetch(new URL("/ingest/v1/batches", server.url), {
      method: "POST",
      headers: { "content-type": "application/vnd.tallystick.batch" },
      body: new Uint8Array(frame),
    });
    assert.equal(answer.status, 200, await answer.text());
    const { id, state } = await found("opted-out");
    assert.equal(state, "open");
    const words = ["findings", "acknowledge", id, "--reason", "her own laptop"];
    const { code, stdout, stderr } = await server.command(...words);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^acknowledged: node-c opted out of logging\n$/);
    await untilState(id, "acknowledged");
    const listed = await server.command("findings", "--json");
    const states = listed.stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as Finding).state);
    assert.equal(states[0], "open");
    assert.ok(states.lastIndexOf("open") < states.indexOf("acknowledged"), states.join());
  });
});

it("refuses what makes no sense", async () => {
  const { id } = await found("opted-out");
  const soon = new Date(Date.now() + 60_000).toISOString();
  const late = new Date(Date.now() + EXCUSE_MS_MAX + 60_000).toISOString();
  const none = "0".repeat(32);
  const cases: [id: string, action: string, body: object, status: number, code: string][] = [
    [id, "excuse", {}, 400, "bad_request"],
    [id, "excuse", { reason: "" }, 400, "bad_request"],
    [id, "excuse", { reason: " \n" }, 400, "bad_request"],
    [id, "excuse", { reason: "x".repeat(1_001) }, 400, "bad_request"],
    [id, "excuse", { reason: "x", more: 1 }, 400, "bad_request"],
    [id, "excuse", { reason: "x", expires_at: "30d" }, 400, "bad_expiry"],
    [id, "excuse", { reason: "x", expires_at: "2020-01-01" }, 400, "bad_expiry"],
    [id, "acknowledge", { reason: "x", expires_at: late }, 400, "bad_expiry"],
    [id, "reopen", { reason: "x", expires_at: soon }, 400, "bad_expiry"],
    [none, "excuse", { reason: "x" }, 404, "unknown_finding"],
    ["x", "reopen", { reason: "x" }, 404, "unknown_finding"],
  ];
  for (const [which, action, body, status, code] of cases) {
    const answer = await rule<Problem>(which, action, body);
    assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(body));
  }
  const unsigned = await fetch(new URL(`/api/v1/findings/${id}/excuse`, server.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"reason":"x"}',
  });
  assert.equal(unsigned.status, 401);
});

it("lists every ruling in audit, with who, what and why", async () => {
  const sql = `SELECT actor, action, target_id,
      JSONExtractString(arrayFirst(change -> JSONExtractString(change, 'property') = 'reason',
        JSONExtractArrayRaw(changes)), 'new') AS reason
    FROM audit WHERE target_type = 'finding' AND outcome = 'done' AND NOT is_read ORDER BY journal_index`;
  const rows = await queried(sql);
  const said = rows.map(([actor, action, , reason]) => `${actor} ${action}: ${reason}`);
  assert.deepEqual(said, [
    "admin finding.excuse: a broken counter",
    "admin finding.excuse: two broken counters",
    "admin finding.reopen: it was not the counter",
    "admin finding.excuse: for now",
    "admin finding.excuse: a test of 40002",
    "admin finding.excuse: a test of 40003",
    "admin finding.acknowledge: her own laptop",
  ]);
  assert.ok(rows.every(([, , target]) => /^[0-9a-f]{32}$/.test(target ?? "")));
});

it("stands after a restart, and in a store made anew from the journal", async () => {
  const expected = await outcome();
  assert.deepEqual(expected.connections, [
    ["differs", ""],
    ["excused", "by_hand"],
    ["matched", ""],
  ]);
  // As README says how: the store alone would do.
  for (const moved of [[], ["store"], ["store", "derive"]]) {
    await server.stop();
    for (const name of moved) renameSync(join(dir, name), join(dir, `${name}-${moved.length}`));
    server = await ServerProcess.start([], dir);
    await server.until(
      () => server.call<{ store: { lag_records: number } }>("GET", "/api/v1/status"),
      ({ body }) => body.store.lag_records <= 1,
    );
    assert.deepEqual(await outcome(), expected);
  }
});
