/** Sending to a real receiver, with a clock that stands still: what is tried again, when, and what is remembered. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Control } from "../../src/control/control.ts";
import { SYSTEM } from "../../src/control/who.ts";
import { SEVERITIES, type Severity } from "../../src/format/entry.ts";
import { FINDING_LISTING } from "../../src/serve/query/connection-list.ts";
import { followFrom, type ListRequest } from "../../src/serve/query/list-statement.ts";
import type { Row, Statement } from "../../src/serve/query/store-reader.ts";
import { WebhookSender } from "../../src/serve/webhook/webhook-sender.ts";
import { ManualClock } from "../../src/std/clock.ts";
import { type Manner, WebhookReceiver } from "./webhook-receiver.ts";

const HOUR = 3_600_000;

let receiver: WebhookReceiver;
let clock: ManualClock;
let control: Control;
let sender: WebhookSender;
let rows: Row[];
let logged: string[];

/** One finding more, at the next index of the journal. */
function find(severity = "high"): void {
  const index = rows.length;
  const id = String(index).padStart(32, "0");
  const more = { severity, state: "open", evidence: "{}", time: "2026-01-01T00:00:00.000Z" };
  rows.push({ journal_index: index, id, ...more });
}

interface Asked extends Pick<ListRequest, "limit"> {
  readonly after: number;
  readonly after_id: string;
  readonly severity: readonly string[];
}

async function answer({ text, params }: Statement): Promise<Row[]> {
  const asked = params as unknown as Asked;
  const found = rows.filter((row) => {
    const [index, id] = [Number(row["journal_index"]), String(row["id"])];
    const isAfter = index > asked.after || (index === asked.after && id > asked.after_id);
    return isAfter && asked.severity.includes(String(row["severity"]));
  });
  return /count\(\)/.test(text) ? [{ rows: found.length }] : found.slice(0, asked.limit);
}

function newSender(): WebhookSender {
  return new WebhookSender({
    webhooks: control.webhooks,
    store: { rows: (statement) => answer(statement) as Promise<never[]> },
    itemOf: (row) => row,
    clock,
    random: () => 1,
    committed: () => rows.length,
    log: (line) => logged.push(line),
  });
}

async function point(
  severities: readonly Severity[] = SEVERITIES,
  newSecret = false,
): Promise<void> {
  const place = followFrom(FINDING_LISTING, rows.length);
  const request = { url: receiver.url, severities, newSecret, place };
  const { secret } = await control.webhooks.set(request, SYSTEM);
  receiver.secret = secret ?? receiver.secret;
  sender.changed();
}

/** Resolves when the sender knows what became of its last message. */
async function settled(): Promise<void> {
  const before = JSON.stringify([control.webhooks.get(), sender.failures]);
  while (JSON.stringify([control.webhooks.get(), sender.failures]) === before) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const ids = () => receiver.received.map(({ message }) => Number(message.data["id"]));

beforeEach(async () => {
  receiver = await WebhookReceiver.listen();
  clock = new ManualClock();
  rows = [];
  logged = [];
  let index = 0;
  control = Control.open({
    file: ":memory:",
    clock,
    append: async () => ({ index: index++ }),
    chainEnd: async () => ({ epoch: 0, batches: 0 }),
    onFatal: (error) => assert.fail(error),
  });
  sender = newSender();
});
afterEach(async () => {
  await sender.close();
  await control.close();
  await receiver[Symbol.asyncDispose]();
});

describe("findings are sent", () => {
  it("one after the other, signed, those from now on and of the severities that are asked for", async () => {
    find();
    await point(["high", "critical"]);
    for (const severity of ["high", "low", "critical", "medium", "high"]) find(severity);
    sender.wake();
    await receiver.until(3);
    assert.deepEqual(ids(), [1, 3, 5]);
    assert.ok(receiver.received.every(({ isSigned }) => isSigned));
    assert.ok(receiver.received.every(({ timestampS }) => timestampS === clock.nowMs() / 1_000));
    assert.equal(receiver.received[0]?.message.type, "finding.open");
  });

  const bad: [manner: Manner, said: RegExp][] = [
    ["fails", /^it answered 500$/],
    ["redirects", /^it answered 307; redirects are not followed$/],
    ["breaks off", /socket hang up|ECONNRESET/],
    ["hangs", /^no answer within 10 s$/],
  ];
  for (const [manner, said] of bad) {
    it(`again by the same id where the receiver ${manner}`, async () => {
      await point();
      receiver.manner = manner;
      find();
      find();
      sender.wake();
      const failed = settled();
      await receiver.until(1);
      if (manner === "hangs") clock.advance(10_000);
      await failed;
      const webhook = control.webhooks.get();
      assert.match(webhook?.failed?.reason ?? "", said);
      assert.equal(webhook === undefined ? 0 : await sender.waiting(webhook), 2);
      assert.deepEqual([sender.failures, logged.length], [1, 1]);
      assert.doesNotMatch(logged.join(), /whsec_|secret words/);
      receiver.manner = "takes";
      sender.wake();
      clock.advance((sender.retryAtMs ?? 0) - clock.nowMs());
      await receiver.until(3);
      assert.deepEqual(ids(), [0, 0, 1]);
      assert.equal(receiver.received[0]?.id, receiver.received[1]?.id);
      assert.ok(receiver.received.every(({ path, isSigned }) => path === "/hook" && isSigned));
    });
  }

  it("and what the receiver says does not hold up the next", async () => {
    await point();
    receiver.manner = "babbles";
    find();
    find();
    sender.wake();
    await receiver.until(2);
    assert.deepEqual(ids(), [0, 1]);
  });

  it("later and later, up to an hour, and never given up", async () => {
    await point();
    receiver.manner = "fails";
    find();
    const pauses: number[] = [];
    let failed = settled();
    sender.wake();
    for (let tries = 1; tries <= 16; tries++) {
      await failed;
      pauses.push((sender.retryAtMs ?? 0) - clock.nowMs());
      failed = settled();
      clock.advance(pauses.at(-1) ?? 0);
    }
    await failed;
    assert.deepEqual(pauses.slice(0, 4), [1_000, 2_000, 4_000, 8_000]);
    assert.deepEqual(pauses.slice(-3), [HOUR, HOUR, HOUR]);
    assert.equal(logged.length, 1, "said once");
    assert.deepEqual([...new Set(ids())], [0]);
  });

  it("from where it had got to after a restart", async () => {
    await point();
    find();
    sender.wake();
    const taken = settled();
    await receiver.until(1);
    await taken;
    receiver.manner = "hangs";
    find();
    sender.wake();
    await receiver.until(2);
    await sender.close();
    receiver.manner = "takes";
    find();
    sender = newSender();
    sender.wake();
    await receiver.until(4);
    assert.deepEqual(ids(), [0, 1, 1, 2]);
  });

  it("by the new secret as soon as there is one, and no more when there is no webhook", async () => {
    await point();
    const { secret } = receiver;
    await point(SEVERITIES, true);
    assert.notEqual(receiver.secret, secret);
    find();
    sender.wake();
    const taken = settled();
    const [first] = await receiver.until(1);
    assert.equal(first?.isSigned, true);
    await taken;
    await control.webhooks.remove(SYSTEM);
    find();
    await point();
    find();
    sender.wake();
    await receiver.until(2);
    assert.deepEqual(ids(), [0, 2], "what came while there was none is nobody's");
  });
});
