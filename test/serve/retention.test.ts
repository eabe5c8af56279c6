/** The audit forgets whole days, no day too early, none that is not all there, and says so before. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { Control } from "../../src/control/control.ts";
import { ControlError } from "../../src/control/control-error.ts";
import type { AuditEntry, ServerEntry } from "../../src/format/entry.ts";
import { ClickHouseDeriveStore } from "../../src/reconcile/derive/derive-store.ts";
import { Retention } from "../../src/serve/store/retention.ts";
import { ManualClock, systemClock } from "../../src/std/clock.ts";
import { openStore, type Store } from "../../src/store/open-store.ts";
import { SYSTEM } from "../../src/control/who.ts";

const DAY_MS = 86_400_000;
const NOW_MS = Date.parse("2026-11-28T12:00:00Z");
const dataDir = mkdtempSync(join(tmpdir(), "tallystick-retention-"));

let store: Store;
let control: Control;
let clock: ManualClock;
let audit: AuditEntry[];
let refusal: ControlError | undefined;

before(async () => {
  store = await openStore({ dataDir: join(dataDir, "store"), clock: systemClock() });
});
after(async () => {
  await store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

beforeEach(async () => {
  const derive = new ClickHouseDeriveStore(store.client);
  await derive.prepare();
  for (const table of ["audit_rows", "connection_rows", "log_rows", "derive_cursor"]) {
    await store.client.command({ query: `TRUNCATE TABLE ${table}` });
  }
  clock = new ManualClock(NOW_MS);
  audit = [];
  refusal = undefined;
  control = Control.open({
    file: ":memory:",
    clock,
    append: async (entries: readonly ServerEntry[]) => {
      if (refusal !== undefined) throw refusal;
      audit.push(...entries.flatMap((entry) => (entry.kind === "audit" ? [entry] : [])));
      return { index: audit.length };
    },
    chainEnd: async () => ({ epoch: 0, batches: 0 }),
    onFatal: (error) => assert.fail(error),
  });
  // Days 0 to 99 ago at noon, two rows each; the record of a day is its number.
  await store.client.command({
    query: `INSERT INTO audit_rows (time, action, changes, facts, journal_index, seq)
      SELECT fromUnixTimestamp64Milli(${NOW_MS} - intDiv(number, 2) * ${DAY_MS}, 'UTC'), 'x', '[]', '{}',
        100 - intDiv(number, 2), number FROM numbers(200)`,
  });
  await derive.setPosition({ next: 101, rereadFrom: 101 });
});

const makeRoom = () => Promise.resolve();

function retention(): Retention {
  return new Retention({
    clock,
    control,
    client: () => store.client,
    makeRoom,
    log: () => undefined,
  });
}

async function daysLeft(): Promise<number> {
  const answer = await store.client.query({
    query: "SELECT toUInt32(count(DISTINCT toDate(time))) AS n FROM audit_rows",
    format: "JSONEachRow",
  });
  return (await answer.json<{ n: number }>())[0]?.n ?? 0;
}

it("forgets what is older than the days that are set, and says how much of which days", async () => {
  const gone = await retention().sweep(store.client);
  assert.equal(gone.length, 9);
  // 90 days and what is left of the day on which they begin.
  assert.equal(await daysLeft(), 91);
  assert.deepEqual(
    audit.map(({ actor, action, read, outcome, facts: { bytes, ...facts } }) => {
      assert.ok(Number(bytes) > 0);
      return [actor.type, action, read, outcome, facts];
    }),
    [
      [
        "system",
        "audit.expire",
        false,
        "done",
        { rows: 18, from: "2026-08-21", to: "2026-08-29", audit_days: 90 },
      ],
    ],
  );
  assert.deepEqual(await retention().sweep(store.client), []);
  assert.equal(audit.length, 1);
});

it("goes by the setting", async () => {
  await control.settings.change({ audit_days: 7 }, SYSTEM);
  await retention().sweep(store.client);
  assert.equal(await daysLeft(), 8);
});

it("leaves a day alone of which a range is not all in", async () => {
  const derive = new ClickHouseDeriveStore(store.client);
  await store.client.command({ query: "TRUNCATE TABLE derive_cursor" });
  await derive.setPosition({ next: 5, rereadFrom: 5 });
  // Records 1 to 4 are the days 99 to 96 ago.
  const gone = await retention().sweep(store.client);
  assert.deepEqual(
    gone.map(({ day }) => day),
    ["2026-08-21", "2026-08-22", "2026-08-23", "2026-08-24"],
  );
});

it("forgets nothing that it cannot say", async () => {
  refusal = new ControlError("control_busy", "full");
  await assert.rejects(retention().sweep(store.client));
  assert.equal(await daysLeft(), 100);
});

it("sweeps at the start and every hour", async () => {
  const swept = retention();
  swept.start();
  await until(async () => (await daysLeft()) === 91);
  // Whether the sweep has ended by then and waits for its hour, or does so an hour later, is all the same.
  await until(async () => {
    clock.advance(3_600_000);
    return (await daysLeft()) === 90;
  });
  await swept.close();
  assert.equal(audit.length, 2);
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) if (await holds()) return;
  assert.fail("it did not happen");
}

/** A connection and two log entries on each of days 0 to 9 ago; of `openDay` the one is still compared. */
async function fillStore(openDay: number): Promise<void> {
  const at = `fromUnixTimestamp64Milli(${NOW_MS} - number * ${DAY_MS}, 'UTC')`;
  for (const query of [
    `INSERT INTO connection_rows (k_opened, k_seq, version, settled)
      SELECT ${at}, 1, 50, number != ${openDay} FROM numbers(10)`,
    `INSERT INTO log_rows (time, kind, body, journal_index)
      SELECT ${at}, 'log', 'a line', 50 FROM numbers(10)`,
    `INSERT INTO log_rows (time, kind, body, journal_index)
      SELECT ${at}, 'ruling', 'a word', 50 FROM numbers(10)`,
  ]) {
    await store.client.command({ query });
  }
}

async function count(table: string, where = "1"): Promise<number> {
  const query = `SELECT toUInt32(count()) AS n FROM ${table} WHERE ${where}`;
  const answer = await store.client.query({ query, format: "JSONEachRow" });
  return (await answer.json<{ n: number }>())[0]?.n ?? 0;
}

describe("pruning", () => {
  it("gives up connections and logs of old days, and nothing that evidence or the comparison needs", async () => {
    await fillStore(6);
    const days = await retention().prune(NOW_MS - 4 * DAY_MS, SYSTEM);
    // Days 9 to 5 ago, without the connection that is not settled.
    assert.deepEqual(
      days.map(({ table, day }) => `${table} ${day.slice(8)}`),
      [
        ...["19", "20", "21", "23"].map((day) => `connection_rows ${day}`),
        ...["19", "20", "21", "22", "23"].map((day) => `log_rows ${day}`),
      ],
    );
    assert.equal(await count("connection_rows"), 6);
    assert.equal(await count("log_rows", "kind = 'log'"), 5);
    assert.equal(await count("log_rows", "kind = 'ruling'"), 10);
    assert.equal(await count("audit_rows"), 200);
    const [entry] = audit;
    assert.deepEqual(
      [entry?.action, entry?.changes, entry?.facts["rows"], entry?.facts["from"]],
      [
        "store.prune",
        [{ property: "rows_from", old: null, new: "2026-11-24T12:00:00.000Z" }],
        9,
        "2026-11-19",
      ],
    );
  });

  it("goes on with what was not settled yet, and after the store was made anew, without another word", async () => {
    await fillStore(6);
    await retention().prune(NOW_MS - 4 * DAY_MS, SYSTEM);
    await fillStore(-1);
    const swept = retention();
    swept.start();
    await until(async () => (await count("log_rows", "kind = 'log'")) === 10);
    await swept.close();
    assert.equal(await count("connection_rows FINAL"), 5);
    assert.deepEqual(
      audit.map(({ action }) => action),
      ["store.prune", "audit.expire"],
    );
  });

  it("leaves the last day, and has the attempt on record", async () => {
    await fillStore(-1);
    await assert.rejects(
      retention().prune(NOW_MS - DAY_MS + 1, SYSTEM),
      (error) => error instanceof ControlError && error.code === "bad_before",
    );
    assert.equal(await count("connection_rows"), 10);
    assert.deepEqual(
      audit.map(({ outcome, code }) => [outcome, code]),
      [["refused", "bad_before"]],
    );
  });

  it("gives up nothing that it cannot say", async () => {
    await fillStore(-1);
    refusal = new ControlError("control_busy", "full");
    await assert.rejects(retention().prune(NOW_MS - 4 * DAY_MS, SYSTEM));
    assert.equal(await count("connection_rows"), 10);
  });

  it("says nothing where nothing is new", async () => {
    await retention().prune(NOW_MS - 4 * DAY_MS, SYSTEM);
    assert.deepEqual(await retention().prune(NOW_MS - 5 * DAY_MS, SYSTEM), []);
    assert.equal(audit.length, 1);
  });
});
