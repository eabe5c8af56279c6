/** The webhook of a real server: set by an owner, signed, in order, and nothing is lost by a restart. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { addresses, joined, send } from "./joined-node.ts";
import { Person } from "./person.ts";
import { type Problem, ServerProcess } from "./server-process.ts";
import { WebhookReceiver } from "./webhook-receiver.ts";

const dir = mkdtempSync(join(tmpdir(), "tallystick-webhook-"));
let server: ServerProcess;
let receiver: WebhookReceiver;
before(async () => {
  receiver = await WebhookReceiver.listen();
  server = await ServerProcess.start([], dir);
});
after(async () => {
  await server.stop();
  await receiver[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

interface Status {
  readonly waiting: number | null;
  readonly failures: number;
  readonly last_success_at: string | null;
  readonly last_error: { readonly reason: string } | null;
}

let contested = 0;

/** Two nodes claim one address: a finding. */
async function find(): Promise<void> {
  const own = ++contested;
  for (const end of ["a", "b"]) {
    const node = await joined(server, `node-${own}-${end}`);
    const answer = await send(server, node, [addresses(Date.now(), `10.9.6.${own}`)]);
    assert.equal(answer.status, 200);
  }
}

/** Findings as the list has them, the oldest change first: index and state. */
async function listed(): Promise<string[]> {
  const { body } = await server.call<{ items: Record<string, unknown>[] }>(
    "GET",
    "/api/v1/findings",
  );
  const all = body.items.map(
    (item) => [Number(item["journal_index"]), String(item["id"])] as const,
  );
  return all.toSorted(([a], [b]) => a - b).map(([index, id]) => `msg_${id}_${index}`);
}

const status = async () => (await server.call<Status>("GET", "/api/v1/webhook")).body;

it("is refused where it cannot be, and needs an owner", async () => {
  for (const url of ["http://example.org/", "https://169.254.169.254/", "nothing"]) {
    const { status: code, body } = await server.call<Problem>("PUT", "/api/v1/webhook", { url });
    assert.deepEqual([code, body.code], [400, "bad_webhook"], url);
  }
  const admin = await Person.join(server, "ann", "admin");
  const told = await admin.call<Problem>("PUT", "/api/v1/webhook", { url: receiver.url });
  assert.deepEqual([told.status, told.body.code], [403, "forbidden"]);
  const none = await server.call<Problem>("GET", "/api/v1/webhook");
  assert.deepEqual([none.status, none.body.code], [404, "no_webhook"]);
});

it("is sent every finding from then on, signed by a secret that is shown once", async () => {
  const { body } = await server.call<{ secret: string }>("PUT", "/api/v1/webhook", {
    url: receiver.url,
  });
  receiver.secret = body.secret;
  assert.match(body.secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  const again = await server.call<{ secret: null }>("PUT", "/api/v1/webhook", {
    url: receiver.url,
  });
  assert.deepEqual([again.status, again.body.secret], [200, null]);
  const tested = await server.call("POST", "/api/v1/webhook/test");
  assert.deepEqual(tested.body, { delivered: true, reason: null });
  await find();
  const [test, first] = await receiver.until(2);
  assert.deepEqual([test?.message.type, test?.isSigned], ["webhook.test", true]);
  assert.deepEqual([first?.message.type, first?.isSigned], ["finding.open", true]);
  const { data } = first?.message ?? {};
  const { body: item } = await server.call("GET", `/api/v1/findings/${String(data?.["id"])}`);
  assert.deepEqual({ ...data, rulings: [] }, item);
  const { last_success_at: at, last_error: error } = await server.until(
    status,
    ({ waiting, last_success_at }) => waiting === 0 && last_success_at !== null,
  );
  assert.ok(at !== null && error === null);
});

it("is shown whole to who may change it, and to others without what may be a receiver's secret", async () => {
  const own = await server.call<{ url: string }>("GET", "/api/v1/webhook");
  assert.equal(own.body.url, receiver.url);
  assert.notEqual(new URL(receiver.url).pathname, "/");
  for (const role of ["admin", "auditor"] as const) {
    const person = await Person.join(server, `of-${role}`, role);
    const { body } = await person.call<{ url: string }>("GET", "/api/v1/webhook");
    assert.equal(body.url, `${new URL(receiver.url).origin}/…`);
  }
});

it("loses none while the receiver fails and the server is killed, and keeps their order", async () => {
  const known = receiver.received.length;
  receiver.manner = "fails";
  await find();
  await receiver.until(known + 1);
  await find();
  const waiting = await server.until(
    status,
    (said) => (said.waiting ?? 0) >= 2 && said.failures > 0,
  );
  assert.equal(waiting.last_error?.reason, "it answered 500");
  await server.stop("SIGKILL");
  receiver.manner = "takes";
  server = await ServerProcess.start([], dir);
  await find();
  const all = await server.until(listed, (found) => found.length >= contested);
  const ids = await server.until(
    async () => receiver.received.flatMap(({ id }) => (id.startsWith("msg_test") ? [] : [id])),
    (sent) => sent.includes(all.at(-1) ?? ""),
  );
  assert.deepEqual([...new Set(ids)], all, "each at least once, in the order of the journal");
  assert.ok(receiver.received.every(({ isSigned }) => isSigned));
});

it("leaves who set, tested and removed it in the audit, and its secret nowhere", async () => {
  assert.equal((await server.call("DELETE", "/api/v1/webhook")).status, 204);
  const sql = `SELECT action, changes FROM audit WHERE startsWith(action, 'webhook.')
    AND outcome = 'done' ORDER BY journal_index`;
  const rows = await server.until(
    async () => (await server.call<{ rows: string[][] }>("POST", "/api/v1/sql", { sql })).body.rows,
    (found) => found.some(([action]) => action === "webhook.remove"),
  );
  assert.deepEqual(
    rows.map(([action]) => action),
    ["webhook.set", "webhook.test", "webhook.remove"],
  );
  assert.match(String(rows[0]?.[1]), /http:\/\/127\.0\.0\.1:\d+"/);
  const secret = receiver.secret.slice("whsec_".length);
  for (const table of ["audit", "logs"]) {
    const found = `SELECT count() FROM ${table} WHERE position(toString(tuple(*)), '${secret}') > 0`;
    const { body } = await server.call<{ rows: number[][] }>("POST", "/api/v1/sql", { sql: found });
    assert.deepEqual(body.rows, [[0]], table);
  }
  const ended = await server.stop();
  assert.equal(`${ended.stdout}${ended.stderr}`.includes(secret), false);
});
