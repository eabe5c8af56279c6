/** The audit as people get it: listed, filtered, paged while it grows, followed, exported, and printed. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { joined } from "./joined-node.ts";
import { Person, tell } from "./person.ts";
import { type Problem, ServerProcess } from "./server-process.ts";

interface Item {
  readonly id: string;
  readonly operation: string;
  readonly actor: string;
  readonly actor_type: string;
  readonly action: string;
  readonly target: string;
  readonly target_id: string;
  readonly origin: string;
  readonly read: boolean;
  readonly outcome: string;
  readonly code: string;
  readonly changes: readonly { property: string; old: unknown; new: unknown }[];
  readonly facts: Readonly<Record<string, unknown>>;
}

interface Page {
  readonly items: readonly Item[];
  readonly next?: string;
  readonly follow: string;
}

let server: ServerProcess;
const directory = mkdtempSync(join(tmpdir(), "tallystick-audit-"));

async function audit(query = ""): Promise<Page> {
  const { status, body } = await server.call<Page>("GET", `/api/v1/audit?${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** When the store has it. */
function untilFound(query: string, count = 1): Promise<Page> {
  return server.until(
    () => audit(query),
    ({ items }) => items.length >= count,
  );
}

before(async () => {
  server = await ServerProcess.start();
  await joined(server, "web-1");
  const { status } = await server.call("PATCH", "/api/v1/nodes/web-1", {
    owner: '=HYPERLINK("x")',
    tags: ["db", "berlin"],
  });
  assert.equal(status, 200);
  await server.call("PATCH", "/api/v1/nodes/web-1", { tags: ["db"] });
  await server.call("PATCH", "/api/v1/nodes/web-1", { name: "no name" });
  await server.call("PATCH", "/api/v1/settings", { audit_days: 30 });
  await server.call("PATCH", "/api/v1/settings", { audit_days: 3 });
  await untilFound("action=setting.change", 2);
});
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

describe("the list", () => {
  it("has changes as objects, with old and new values", async () => {
    const { items } = await audit("action=node.update&outcome=done");
    assert.deepEqual(
      items.map(({ actor, actor_type, origin, target, read, changes }) => ({
        actor,
        actor_type,
        origin,
        target,
        read,
        changes,
      })),
      [
        {
          actor: "admin",
          actor_type: "token",
          origin: "api",
          target: "web-1",
          read: false,
          changes: [{ property: "tags", old: ["db", "berlin"], new: ["db"] }],
        },
        {
          actor: "admin",
          actor_type: "token",
          origin: "api",
          target: "web-1",
          read: false,
          changes: [
            { property: "owner", old: "", new: '=HYPERLINK("x")' },
            { property: "tags", old: [], new: ["db", "berlin"] },
          ],
        },
      ],
    );
  });

  const filters: [query: string, actions: string[]][] = [
    ["action=node.", ["node.update", "node.update", "node.update", "node.enrol"]],
    ["action=node", []],
    ["property=tags&action=node.update", ["node.update", "node.update"]],
    ["property=tag", []],
    ["property=audit_days", ["setting.change"]],
    ["actor=web-1", ["node.enrol"]],
    ["actor=ADMIN", []],
    ["target=audit_days", ["setting.change", "setting.change"]],
    ["origin=agent", ["node.enrol"]],
    ["origin=console", []],
    ["outcome=refused", ["setting.change", "node.update"]],
    ["outcome=refused&outcome=failed", ["setting.change", "node.update"]],
    ["where=code%3Abad_name", ["node.update"]],
    ["where=property%3Aowner", ["node.update"]],
    ["where=berlin%20OR%20text%3Aberlin%20-action%3Anode.enrol", ["node.update", "node.update"]],
    ["where=actor_type%3Anode", ["node.enrol"]],
    ["until=1h", []],
    ["actor=%27%20OR%201%3D1%20--", []],
    ["property=%27)%20OR%201%3D1%20--", []],
  ];
  for (const [query, actions] of filters) {
    it(query, async () => {
      const { items } = await audit(query);
      assert.deepEqual(
        items.map(({ action }) => action),
        actions,
      );
    });
  }

  const wrong: [query: string, code: string][] = [
    ["origin=mars", "bad_request"],
    ["outcome=maybe", "bad_request"],
    ["reads=1", "bad_request"],
    ["node=web-1", "bad_request"],
    ["since=yesterday", "bad_request"],
    ["where=actr%3Aada", "bad_query"],
    ["cursor=abc", "bad_cursor"],
    ["__proto__=1", "bad_request"],
  ];
  for (const [query, code] of wrong) {
    it(`${query} → ${code}`, async () => {
      for (const path of ["/api/v1/audit?", "/api/v1/audit/export?format=csv&"]) {
        if (path.includes("export") && query.startsWith("cursor")) continue;
        const { status, body } = await server.call<Problem>("GET", `${path}${query}`);
        assert.deepEqual([status, body.code], [400, code]);
      }
    });
  }

  it("shows who looked only when asked to, and each read of the audit folds into one", async () => {
    const path = "where=target%3Anothing-like-it";
    for (let times = 0; times < 5; times++) await audit(path);
    const { items } = await server.until(
      () => audit("reads=true&action=audit.read&outcome=done&limit=1000"),
      (page) => page.items.some(({ facts }) => facts["query"] === "where=target:nothing-like-it"),
    );
    const same = items.filter(({ facts }) => facts["query"] === "where=target:nothing-like-it");
    assert.equal(same.length, 1);
    assert.ok(items.every(({ read }) => read));
    assert.equal((await audit("action=audit.read&outcome=done")).items.length, 0);
  });

  it("pages over what was there when it began, while entries come", async () => {
    const { items: all } = await audit("limit=1000");
    const seen: string[] = [];
    let cursor = "";
    for (let pages = 0; ; pages++) {
      const page = await audit(`limit=2${cursor}`);
      seen.push(...page.items.map(({ id }) => id));
      const { status } = await server.call("POST", "/api/v1/keys", {});
      assert.equal(status, 201);
      if (page.next === undefined) break;
      cursor = `&cursor=${page.next}`;
      assert.ok(pages < all.length);
    }
    assert.deepEqual(
      seen,
      all.map(({ id }) => id),
    );
  });

  it("is followed by what comes, each once and in order", async () => {
    let { follow } = await audit("action=enrolment_key.create&limit=1");
    const ids: string[] = [];
    for (let made = 0; made < 5; made++) {
      const { body } = await server.call<{ id: string }>("POST", "/api/v1/keys", {});
      ids.push(body.id);
    }
    const seen: string[] = [];
    await server.until(
      async () => {
        const page = await audit(`action=enrolment_key.create&limit=2&follow=${follow}`);
        ({ follow } = page);
        seen.push(...page.items.map((item) => item.target_id));
        return seen;
      },
      () => ids.every((id) => seen.includes(id)),
    );
    assert.deepEqual(seen.slice(-5), ids);
    assert.equal(new Set(seen).size, seen.length);
  });
});

describe("the export", () => {
  it("has no limit of rows, ends each page at the next, and quotes formulas", async () => {
    const KEYS = 1_100;
    const { follow } = await audit("limit=1");
    for (let made = 0; made < KEYS; made += 100) {
      await Promise.all(
        Array.from({ length: 100 }, () => server.call("POST", "/api/v1/keys", { ttl_ms: 60_000 })),
      );
    }
    await server.until(
      () => audit(`follow=${follow}&limit=10000&action=enrolment_key.create`),
      ({ items }) => items.length >= KEYS,
    );
    const headers = { authorization: `Bearer ${server.token}` };
    const path = "/api/v1/audit/export?format=ndjson&action=enrolment_key.create";
    const ndjson = await fetch(new URL(path, server.url), { headers });
    assert.match(ndjson.headers.get("content-type") ?? "", /ndjson/);
    const items = (await ndjson.text())
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Item);
    assert.ok(items.length >= KEYS, String(items.length));
    assert.equal(new Set(items.map(({ id }) => id)).size, items.length);
    const csv = await server.call<string>(
      "GET",
      "/api/v1/audit/export?format=csv&action=node.update",
    );
    assert.match(csv.headers.get("content-disposition") ?? "", /attachment; filename="audit.csv"/);
    const lines = csv.body.split("\r\n");
    assert.match(lines[0] ?? "", /^time,id,/);
    assert.equal(lines.length, 5);
  });

  it("is an entry of its own each time", async () => {
    const path = "/api/v1/audit/export?format=csv&action=setting.";
    for (let times = 0; times < 2; times++) await server.call("GET", path);
    const { items } = await server.until(
      () => audit("reads=true&action=audit.export&where=text%3Asetting"),
      (page) => page.items.length >= 2,
    );
    assert.equal(items.length, 2);
  });

  it("stops when the reader hangs up, and the server goes on", async () => {
    const { hostname, port } = new URL(server.url);
    const headers = { authorization: `Bearer ${server.token}` };
    await new Promise<void>((resolve, reject) => {
      const path = "/api/v1/audit/export?format=ndjson&reads=true";
      const call = request({ hostname, port, path, headers, agent: false }, (response) => {
        response.once("data", () => {
          response.destroy();
          resolve();
        });
      });
      call.once("error", reject);
      call.end();
    });
    assert.equal((await server.call("GET", "/api/v1/status")).status, 200);
  });
});

describe("what others looked at", () => {
  it("is shown to auditors; everybody else sees their own reads, and those of their tokens", async () => {
    const viewer = await Person.join(server, "vera", "viewer");
    const auditor = await Person.join(server, "otto", "auditor");
    const token = { authorization: `Bearer ${await viewer.token()}` };
    const asked = ["GET", "/api/v1/findings?kind=fork"] as const;
    assert.equal((await viewer.call(...asked)).status, 200);
    assert.equal((await tell(server.url, asked, { headers: token })).status, 200);
    assert.equal((await server.call(...asked)).status, 200);
    const path = "/api/v1/audit?reads=true&limit=1000&action=findings.read";
    const actors = ({ items }: Page) => new Set(items.map(({ actor }) => actor));
    const seen = await server.until(
      async () => (await auditor.call<Page>("GET", path)).body,
      (page) => actors(page).size >= 3,
    );
    const [tokenName = ""] = [...actors(seen)].filter((name) => name.startsWith("vera/"));
    assert.deepEqual([...actors(seen)].toSorted(), ["admin", "vera", tokenName].toSorted());
    const own = (await viewer.call<Page>("GET", path)).body;
    assert.deepEqual([...actors(own)].toSorted(), ["vera", tokenName].toSorted());
    const ofToken = (await tell<Page>(server.url, ["GET", path], { headers: token })).body;
    assert.deepEqual([...actors(ofToken)], [tokenName]);
    const exported = await viewer.call("GET", "/api/v1/audit/export?format=csv");
    assert.deepEqual([exported.status, exported.code], [403, "forbidden"]);
    const admin = await Person.join(server, "arno", "admin");
    const sql = { sql: "SELECT count() FROM audit" };
    assert.equal((await auditor.call("POST", "/api/v1/sql", sql)).status, 200);
    const refused = await admin.call("POST", "/api/v1/sql", sql);
    assert.deepEqual([refused.status, refused.code], [400, "sql_table"]);
    // A name does not make somebody's reads one's own.
    const namesake = await Person.join(server, "admin2", "viewer");
    const none = await namesake.call<Page>("GET", `${path}&actor=vera`);
    assert.deepEqual(none.body.items, []);
  });
});

describe("the command", () => {
  it("prints a line for each operation and what is different below", async () => {
    const { code, stdout } = await server.command("audit", "--action", "node.", "--since", "1h");
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^\S+ \S+Z {2}token admin \(127\.0\.0\.1, api\) {2}node\.update {2}node web-1 {2}done\n {4}tags: \[db, berlin\] → \[db\]$/m,
    );
    assert.match(stdout, /node\.update {2}node web-1 {2}refused: bad_name$/m);
    assert.match(stdout, / {4}owner: "" → =HYPERLINK\("x"\)$/m);
  });

  it("answers with JSON, a limit, and nothing", async () => {
    const json = await server.command("audit", "--property", "audit_days", "--json");
    const item = JSON.parse(json.stdout) as Item;
    assert.deepEqual(item.changes, [{ property: "audit_days", old: 90, new: 30 }]);
    const limited = await server.command("audit", "--limit", "1", "--json");
    assert.equal(limited.stdout.trimEnd().split("\n").length, 1);
    const nothing = await server.command("audit", "--actor", "nobody-like-it");
    assert.deepEqual([nothing.code, nothing.stdout], [0, ""]);
    assert.match(nothing.stderr, /^nothing in this time/);
  });

  it("writes a file once, and says what is wrong with its options", async () => {
    const file = join(directory, "audit.csv");
    const words = ["audit", "--action", "node.", "--format", "csv", "-o", file];
    const written = await server.command(...words);
    assert.equal(written.code, 0, written.stderr);
    const cell = `"'=HYPERLINK(""x"")"`;
    const content = readFileSync(file, "utf8");
    assert.equal(content.split("\r\n").length, 6);
    assert.ok(!content.includes(`,${cell}`), "within JSON nothing begins a cell");
    assert.equal((await server.command(...words)).code, 1);
    for (const wrong of [
      ["--format", "csv", "-f"],
      ["--format", "csv", "--limit", "3"],
      ["--format", "csv", "--json"],
      ["-o", file],
      ["--where", "actr:x"],
      ["--origin", "mars"],
    ]) {
      assert.equal((await server.command("audit", ...wrong)).code, 2, wrong.join(" "));
    }
  });

  it("changes a node and a setting", async () => {
    const updated = await server.command("nodes", "update", "web-1", "--owner", "ops", "--no-tags");
    assert.equal(updated.code, 0, updated.stderr);
    assert.match(updated.stdout, /owner\s+ops/);
    for (const wrong of [[], ["--tag", "a", "--no-tags"]]) {
      assert.equal((await server.command("nodes", "update", "web-1", ...wrong)).code, 2);
    }
    const set = await server.command("settings", "set", "audit_days", "60");
    assert.match(set.stdout, /audit_days\s+60\s+days/);
    const refused = await server.command("settings", "set", "audit_days", "6");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /\(bad_setting\)/);
    assert.equal((await server.command("settings", "set", "nothing", "6")).code, 1);
  });
});
