/**
 * What others wrote, on an administrator's terminal: escape sequences that would rewrite the screen,
 * characters that hide or reorder what is read. Every command that prints is run over a server that holds
 * them wherever they can be put, and prints text.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { tallystick } from "../../src/cli/program.ts";
import { joined, send } from "./joined-node.ts";
import { JSON_TYPE, Person } from "./person.ts";
import { ServerProcess } from "./server-process.ts";

/** Clears the screen, names the window, moves up; reorders, hides, breaks the line. */
const EVIL = "x\u001b[2J\u001b]0;owned\u0007\u001b[1A\r\u202eevil\u200b\u2028\ty";
/** All of it that must not reach a terminal: what is left but the ends of lines. */
const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

let server: ServerProcess;
let findingId = "";

async function done(method: string, path: string, body: object): Promise<void> {
  const answer = await server.call(method, path, body);
  assert.ok(answer.status < 300, `${path}: ${JSON.stringify(answer.body)}`);
}

before(async () => {
  server = await ServerProcess.start();
  const node = await joined(server, "web-1");
  const atMs = Date.now();
  const log = { kind: "log", atMs, severity: 9, body: EVIL, attributes: { said: EVIL } } as const;
  const start = { kind: "start", atMs, facts: { kernel: EVIL } } as const;
  const gap = { kind: "gap", cause: "lost", count: null, atMs, fromMs: atMs, toMs: atMs } as const;
  const sent = await send(server, node, [start, log, gap]);
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  await done("PATCH", "/api/v1/nodes/web-1", { owner: EVIL });
  await done("POST", "/api/v1/views", { name: EVIL, topic: "findings", query: `"${EVIL}"` });
  const ada = await Person.join(server, "ada", "owner");
  const made = await ada.call("POST", "/api/v1/tokens", { name: EVIL });
  assert.ok([201, 400].includes(made.status), JSON.stringify(made.body));
  const found = await server.until(
    () => server.call<{ items: { id: string }[] }>("GET", "/api/v1/findings"),
    ({ body }) => body.items.length > 0,
  );
  findingId = found.body.items[0]?.id ?? "";
  await done("POST", `/api/v1/findings/${findingId}/acknowledge`, { reason: EVIL });
  const where = encodeURIComponent(`"${EVIL}"`);
  await server.call("GET", `/api/v1/findings?where=${where}`);
  // Whoever asks is named by what they call themselves.
  await fetch(new URL("/api/v1/signin", server.url), {
    method: "POST",
    headers: { ...JSON_TYPE, "user-agent": "x" },
    body: JSON.stringify({ name: EVIL, password: EVIL }),
  });
  const audited = { sql: "SELECT count() FROM audit WHERE action = 'finding.acknowledge'" };
  await server.until(
    () => server.call<{ rows: unknown[][] }>("POST", "/api/v1/sql", audited),
    ({ body }) => Number(body.rows[0]?.[0]) > 0,
  );
});

after(() => server[Symbol.asyncDispose]());

/** Commands by their words, with what they need; those that print nothing of others are named below. */
const PRINTING: Readonly<Record<string, () => readonly string[]>> = {
  status: () => [],
  connections: () => [],
  findings: () => [],
  "findings --id": () => [findingId],
  "nodes list": () => [],
  "nodes show": () => ["web-1"],
  "nodes waiting": () => [],
  "keys list": () => [],
  "users list": () => [],
  audit: () => ["--reads"],
  "settings list": () => [],
  sql: () => ["SELECT body, attributes FROM logs ORDER BY seq"],
};

describe("a terminal shows text", () => {
  for (const [words, more] of Object.entries(PRINTING)) {
    it(`of ${words}`, async () => {
      const { code, stdout, stderr } = await server.command(...words.split(" "), ...more());
      assert.equal(code, 0, stderr);
      for (const line of `${stdout}\n${stderr}`.split("\n"))
        assert.doesNotMatch(line, HIDDEN, words);
    });
  }

  const SHOWN: [words: readonly string[], what: string][] = [
    [["nodes", "show", "web-1"], "an owner's name"],
    [["sql", "SELECT body FROM logs WHERE kind = 'log' AND node = 'web-1'"], "a log's line"],
    [["audit", "--action", "finding.acknowledge"], "a reason"],
  ];
  for (const [words, what] of SHOWN) {
    it(`and so that one sees it: ${what}`, async () => {
      const { stdout } = await server.command(...words);
      assert.match(stdout, /‹U\+202E›evil‹U\+200B›/);
    });
  }

  it("has been asked of every command that lists", () => {
    const listing = tallystick("0.0.0")
      .commands.map(({ name }) => name)
      .filter((name) => / (?:list|show|waiting)$/.test(name) || !name.includes(" "));
    const silent = new Set(["server", "verify", "login", "logout", "tokens list"]);
    const asked = new Set(Object.keys(PRINTING));
    assert.deepEqual(
      listing.filter((name) => !asked.has(name) && !silent.has(name)),
      [],
    );
  });
});
