/**
 * The server dies at each step of a change that has an idempotency key. Whoever asks again with the
 * key has the change once: made now, or made then and told so.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
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

async function create({ url, dir }: MortalServer, key: string): Promise<Response> {
  const token = readFileSync(join(dir, "admin.token"), "utf8").trim();
  return fetch(new URL("/api/v1/keys", url), {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "idempotency-key": key,
    },
    body: "{}",
  });
}

async function keyIds({ api }: MortalServer): Promise<string[]> {
  const { items } = (await api.call("GET", "/api/v1/keys")) as { items: { id: string }[] };
  return items.map(({ id }) => id);
}

test(`killed at ${walk.length} steps of a change with a key, one after the other`, async () => {
  await using server = new MortalServer();
  for (const [at, point] of walk.entries()) {
    // The first change of each life is the sign-in link that it prints.
    await server.start(`${point}#2`);
    await assert.rejects(create(server, point), point);
    assert.equal(await server.ended(), "SIGKILL", point);
    await server.start();
    const told = await create(server, point);
    const body = (await told.json()) as { code?: string; detail?: string };
    const ids = await keyIds(server);
    assert.equal(ids.length, at + 1, `${point}: once, whoever made it`);
    if (HAPPENED.has(point)) {
      assert.deepEqual([told.status, body.code], [409, "idempotency_lost"], point);
      const [, id = ""] = /^enrolment_key\.create (.+)$/.exec(body.detail ?? "") ?? [];
      assert.ok(ids.includes(id), "it says what was made");
    } else assert.equal(told.status, 201, point);
    await server.stop();
  }
});
