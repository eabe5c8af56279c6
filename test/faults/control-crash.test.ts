/**
 * The server dies at each step of a change. After a plain restart there is the change and its audit
 * entry, or neither; and the same change can be asked for again.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CRASH_POINTS, type CrashPoint } from "../../src/std/crash-point.ts";
import { MortalServer } from "./mortal-server.ts";

/** From here on the entry is durable, so the change has happened. */
const HAPPENED: ReadonlySet<CrashPoint> = new Set([
  "control: journaled",
  "control: applying",
  "control: applied",
]);
const walk = CRASH_POINTS.filter((point) => point.startsWith("control: "));

async function keyIds({ api }: MortalServer): Promise<string[]> {
  const { items } = (await api.call("GET", "/api/v1/keys")) as { items: { id: string }[] };
  return items.map(({ id }) => id).toSorted();
}

/** Of what was done; the store has caught up with the journal. */
async function auditedIds({ api }: MortalServer): Promise<unknown[]> {
  await api.caughtUp();
  const rows = await api.sql(
    "SELECT target_id FROM audit WHERE action = 'enrolment_key.create' AND outcome = 'done' ORDER BY target_id",
  );
  return rows.map(([id]) => id);
}

test(`killed at ${walk.length} steps of a change, one after the other`, async () => {
  assert.equal(walk.length, 5);
  await using server = new MortalServer();
  let made = 0;
  for (const point of walk) {
    // The first change of each life is the sign-in link that it prints.
    await server.start(`${point}#2`);
    const answer = server.api.enrolmentKey();
    await assert.rejects(answer, point);
    assert.equal(await server.ended(), "SIGKILL", point);
    if (HAPPENED.has(point)) made++;
    await server.start();
    const ids = await keyIds(server);
    assert.equal(ids.length, made, point);
    assert.deepEqual(await auditedIds(server), ids, point);
    await server.api.enrolmentKey();
    made++;
    assert.equal((await keyIds(server)).length, made, point);
    await server.stop();
  }
});
