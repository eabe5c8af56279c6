import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { joined } from "./joined-node.ts";
import { type Ended, run, runInside, ServerProcess } from "./server-process.ts";

let server: ServerProcess;
const scratch = mkdtempSync(join(tmpdir(), "tallystick-cli-"));
before(async () => {
  server = await ServerProcess.start();
  await joined(server, "web-1");
});
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true });
});

/** The words with the places of this run in them. */
function placed(words: string): string[] {
  const places = { DIR: server.dir, NOWHERE: join(scratch, "none"), URL: server.url };
  const given = words.split(" ").filter((word) => word !== "");
  return given.map((word) => places[word as keyof typeof places] ?? word);
}

describe("a transcript", () => {
  /** Texts and patterns that must stand in the output; nothing else is compared. */
  const transcripts: [
    words: string,
    expected: { code: number; out?: RegExp; err?: RegExp; silent?: "out" | "err" },
  ][] = [
    [
      "",
      { code: 2, err: /^tallystick: no command given, see tallystick --help\n$/, silent: "out" },
    ],
    ["--help", { code: 0, out: /Commands:\n {2}server /, silent: "err" }],
    ["help", { code: 0, out: /keys create/ }],
    ["--version", { code: 0, out: /^tallystick \d+\.\d+\.\d+\n$/ }],
    ["connections --help", { code: 0, out: /--verdict TEXT/ }],
    ["server --help", { code: 0, out: /--allow-http/ }],
    ["logs", { code: 2, err: /unknown command, logs/ }],
    ["server --data NOWHERE --version", { code: 0, out: /^tallystick \d+\.\d+\.\d+\n$/ }],
    ["server", { code: 2, err: /missing option, --data/ }],
    ["server --data", { code: 2, err: /missing value, --data/ }],
    [
      "connections --where prot:22 --token x --url http://127.0.0.1:9",
      {
        code: 2,
        err: /not understood, --where, .*\n {2}prot:22\n {2}\^{4}\n {2}connections have no/,
      },
    ],
    [
      "findings --where port:22 --token x --url http://127.0.0.1:9",
      { code: 2, err: /findings have no field port/ },
    ],
    ["connections --verdict wrong", { code: 2, err: /none of its choices, wrong/ }],
    ["connections --since yesterday", { code: 2, err: /--since is no time/ }],
    ["nodes show", { code: 2, err: /missing argument, NODE/ }],
    ["nodes show a b", { code: 2, err: /unexpected argument, b/ }],
    ["status", { code: 2, err: /no token, set TALLYSTICK_TOKEN/ }],
    ["status --token x --url nonsense", { code: 2, err: /no URL, nonsense/ }],
    [
      "status --token x --url http://127.0.0.1:9",
      {
        code: 1,
        err: /cannot reach the server, http:\/\/127.0.0.1:9 \(.*ECONNREFUSED.*\), check TALLYSTICK_URL/,
      },
    ],
    ["status --token x --url URL", { code: 1, err: /^tallystick: no valid token or session, / }],
    ["status --token x --url URL --ca sha256:00", { code: 2, err: /no SHA-256/ }],
    ["status --data NOWHERE", { code: 1, err: /cannot read, .*admin\.token \(ENOENT\)/ }],
    ["status --data DIR", { code: 0, out: /^WHAT .*VALUE\nboth ends, last hour +no connections/ }],
    ["status --data DIR --json", { code: 0, out: /^\{"coverage":/ }],
    ["nodes --data DIR", { code: 0, out: /^NAME +STATE .*\nweb-1 +enrolled +never +never/ }],
    ["nodes list --data DIR --json", { code: 0, out: /^\{"name":"web-1".*\}\n$/ }],
    ["nodes show web-1 --data DIR", { code: 0, out: /public key/ }],
    [
      "nodes show web-2 --data DIR",
      { code: 1, err: /^tallystick: no such node, .*web-2, list them/ },
    ],
    [
      "keys create --data DIR",
      { code: 0, out: /^tsk1\.[\w-]{8}\.[\w-]{32}\n$/, err: /^for one node, until / },
    ],
    [
      "keys create --ttl 7d --reusable --tag a --tag b --data DIR --json",
      { code: 0, out: /"reusable":true,"needs_approval":false,"tags":\["a","b"\]/ },
    ],
    ["keys create --ttl 0s --data DIR", { code: 1, err: /the lifetime is not allowed/ }],
    ["keys list --data DIR", { code: 0, out: /^ID +STATE +FOR/ }],
    ["keys revoke nothing --data DIR", { code: 1, err: /no such enrolment key/ }],
    ["connections --data DIR", { code: 0, out: /^OPENED/, err: /nothing in this time/ }],
    ["connections --data DIR --json", { code: 0, silent: "err" }],
    [
      "connections --node web-2 --data DIR",
      { code: 1, err: /unknown node web-2; known: web-1, .* \(bad_filter\)\n$/, silent: "out" },
    ],
    ["findings --node web-2 --data DIR", { code: 1, err: /unknown node web-2; known: web-1/ }],
    [
      "findings --kind odd --data DIR",
      { code: 2, err: /--kind is none of its choices, odd, accused, missing-half, / },
    ],
    ["findings --since 7d --data DIR", { code: 0, out: /^TIME +SEVERITY/ }],
    ["findings -o x --data DIR", { code: 2, err: /--output is for evidence/ }],
    ["findings --evidence x --json --data DIR", { code: 2, err: /evidence is text, not JSON/ }],
    ["findings --id x --data DIR", { code: 1, err: /no such finding, x is no id/, silent: "out" }],
    [
      "findings --evidence 47183b3c5026b986ba33d0ea863d604b -o NOWHERE --data DIR",
      { code: 1, err: /no finding has the id 4718.* \(unknown_finding\)\n$/, silent: "out" },
    ],
    ["verify", { code: 2, err: /missing argument, FILE/ }],
    ["verify NOWHERE", { code: 2, err: /cannot read, .*none \(ENOENT\)/, silent: "out" }],
    [
      "findings --evidence x --data DIR",
      { code: 1, err: /^tallystick: no such finding, x is no id: .*32 hex digits, list them with/ },
    ],
    ["sql --data DIR", { code: 2, err: /missing argument, QUERY/ }],
  ];
  for (const [words, expected] of transcripts) {
    it(`tallystick ${words}`, async () => {
      const ended = await runInside(placed(words));
      assert.equal(ended.code, expected.code, ended.stderr);
      if (expected.out !== undefined) assert.match(ended.stdout, expected.out);
      if (expected.err !== undefined) assert.match(ended.stderr, expected.err);
      if (expected.silent === "out") assert.equal(ended.stdout, "");
      if (expected.silent === "err") assert.equal(ended.stderr, "");
    });
  }
});

describe("sql", () => {
  const answers: [query: string, lines: string[]][] = [
    ["SELECT 1 AS n, 'a' AS t, NULL AS z", ['{"n":1,"t":"a","z":null}']],
    ["SELECT toUInt64(7) AS n", ['{"n":7}']],
    ["SELECT toUInt64(18446744073709551615) AS n", ['{"n":"18446744073709551615"}']],
    ["SELECT number AS n FROM numbers(2)", ['{"n":0}', '{"n":1}']],
  ];
  for (const [query, lines] of answers) {
    it(query, async () => {
      const ended = await server.command("sql", query, "--json");
      assert.equal(ended.stderr, "");
      assert.deepEqual(ended.stdout.trimEnd().split("\n"), lines);
    });
  }

  it("knows all public tables", async () => {
    for (const table of [
      "connections",
      "halves",
      "findings",
      "nodes",
      "logs",
      "audit",
      "batches",
    ]) {
      const ended = await server.command("sql", `SELECT * FROM ${table} LIMIT 1`);
      assert.equal(ended.code, 0, `${table}: ${ended.stderr}`);
    }
  });

  it("says when it cut", async () => {
    const ended = await server.command("sql", "SELECT number FROM numbers(100)", "--limit", "3");
    assert.equal(ended.stdout.trimEnd().split("\n").length, 4);
    assert.match(ended.stderr, /cut at 3 rows/);
  });
});

it("reads url and token from the environment too", async () => {
  const env = { TALLYSTICK_URL: server.url, TALLYSTICK_TOKEN: server.token };
  assert.equal((await run(["keys"], env)).code, 0);
});

it("creates, shows and revokes a key, whose secret is shown once", async () => {
  const made = await server.command("keys", "create", "--json");
  const { id, key } = JSON.parse(made.stdout) as { id: string; key: string };
  const listed = await server.command("keys", "list", "--json");
  assert.ok(listed.stdout.includes(id));
  assert.ok(!listed.stdout.includes(key.split(".")[2] ?? key));
  const revoked = await server.command("keys", "revoke", id, "--json");
  assert.match(revoked.stdout, /"state":"revoked"/);
});

describe("a server that cannot start says why and ends", () => {
  const file = join(scratch, "file");
  writeFileSync(file, "");
  const starts: [title: string, words: () => string[], code: number, err: RegExp][] = [
    [
      "on a directory in use",
      () => ["--data", server.dir, "--listen", "127.0.0.1:0"],
      1,
      /another server uses .*, or give this one its own --data/,
    ],
    ["on a file", () => ["--data", file], 1, /is a file/],
    ["in a file", () => ["--data", join(file, "a", "b")], 1, /cannot be made or owned/],
    ["where nothing can be made", () => ["--data", "/proc/x/y"], 1, /\/proc\/x\/y cannot be made/],
    [
      "at no address",
      () => ["--data", join(scratch, "a"), "--listen", "here"],
      2,
      /--listen is no address with a port, here/,
    ],
    [
      "at a port in use",
      () => ["--data", join(scratch, "b"), "--listen", new URL(server.url).host],
      1,
      /cannot listen, 127.0.0.1:\d+, choose another --listen.*EADDRINUSE/,
    ],
    [
      "at an address of somebody else",
      () => ["--data", join(scratch, "c"), "--listen", "203.0.113.9:0"],
      1,
      /cannot listen, 203.0.113.9:0/,
    ],
    [
      "with half a certificate",
      () => ["--data", join(scratch, "d"), "--tls-cert", file],
      2,
      /--tls-cert and --tls-key belong together/,
    ],
    [
      "with a certificate that is none",
      () => ["--data", join(scratch, "e"), "--tls-cert", file, "--tls-key", file],
      2,
      /cannot be used/,
    ],
    [
      "with no proxy",
      () => ["--data", join(scratch, "f"), "--listen", "127.0.0.1:0", "--trust-proxy", "x"],
      2,
      /--trust-proxy is no address, x/,
    ],
    [
      "with no public URL",
      () => ["--data", join(scratch, "g"), "--public-url", "logs"],
      2,
      /--public-url is no URL, logs/,
    ],
    [
      "with no store",
      () => ["--data", join(scratch, "h"), "--listen", "127.0.0.1:0", "--store", "ftp://x"],
      1,
      /the store's URL must begin with http/,
    ],
    [
      "with nobody who may lie",
      () => ["--data", join(scratch, "i"), "--max-liars", "0"],
      2,
      /--max-liars is out of range, 0, write 1 to 100/,
    ],
    [
      "with more who may lie than make sense",
      () => ["--data", join(scratch, "i"), "--max-liars", "101"],
      2,
      /--max-liars is out of range, 101, write 1 to 100/,
    ],
  ];
  for (const [title, words, code, err] of starts) {
    it(title, async () => {
      const ended: Ended = await run(["server", ...words()]);
      assert.match(ended.stderr, err);
      assert.equal(ended.code, code);
      assert.equal(ended.stdout, "");
    });
  }
});
