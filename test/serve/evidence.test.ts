/** One finding on the command line: shown, exported, checked; by the real server. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { isSound, verifyEvidence } from "../../src/evidence/verify.ts";
import type { Entry } from "../../src/format/entry.ts";
import type { SimNode } from "../simulate/sim-node.ts";
import { addresses, joined, open, send, tcp } from "./joined-node.ts";
import { run, runUnread, ServerProcess } from "./server-process.ts";

const A = "10.9.0.1";
const B = "10.9.0.2";
const scratch = mkdtempSync(join(tmpdir(), "tallystick-cli-evidence-"));
let server: ServerProcess;
/** Of the finding that the two ends count differently. */
let id = "";

/** One end of a connection of which 1 MB was sent, and `received` came. */
function entries(node: SimNode, role: "initiator" | "responder", initiatorBytes: number): Entry[] {
  const atMs = Date.now() - 2_000;
  const counters = {
    initiatorPackets: 9,
    initiatorBytes,
    responderPackets: 9,
    responderBytes: 700,
  };
  const how = { state: "SF", assured: true, inferred: false, counters } as const;
  return [
    // Before its agent began, what a kernel counted says nothing.
    { kind: "start", atMs: atMs - 1_000, facts: {} },
    addresses(atMs, role === "initiator" ? A : B),
    open(atMs, role, tcp(A, 40_000, B)),
    { kind: "close", atMs: atMs + 5, openSeq: node.nextSeq + 2, ageMs: 5, ...how },
  ];
}

before(async () => {
  server = await ServerProcess.start();
  const [a, b] = [await joined(server, "node-a"), await joined(server, "node-b")];
  await send(server, a, entries(a, "initiator", 1_000_000));
  await send(server, b, entries(b, "responder", 10));
  const { stdout } = await server.until(
    () => server.command("findings", "--kind", "counters-differ", "--json"),
    (ended) => ended.stdout !== "",
  );
  ({ id } = JSON.parse(stdout.split("\n")[0] ?? "") as { id: string });
});
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true });
});

it("is shown with both ledgers, the difference, the watermarks, causes and what to do", async () => {
  const { code, stdout } = await server.command("findings", "--id", id);
  assert.equal(code, 0);
  for (const pattern of [
    /^Connection\n {2}what {3}tcp 10\.9\.0\.1:40000 → 10\.9\.0\.2:443$/m,
    /^ +NODE-A +NODE-B +DIFFERENCE$/m,
    /^ {2}initiator sent +1000000 B +10 B +-999990$/m,
    /^Difference\n {2}sent by the initiator +1000000 B$/m,
    /^Watermarks\n {2}node-[ab] is complete to \d{4}-.*Z \(by now\)$/m,
    /^Possible causes\n.*\n.*were altered before they were signed$/m,
    /^What to do\n {2}compare with the interface counters/m,
    new RegExp(`tallystick findings --evidence ${id} -o FILE\\n$`),
  ]) {
    assert.match(stdout, pattern);
  }
});

it("is shown as JSON with its evidence", async () => {
  const { stdout } = await server.command("findings", "--id", id, "--json");
  const finding = JSON.parse(stdout) as { id: string; evidence: { halves: unknown[] } };
  assert.equal(finding.id, id);
  assert.equal(finding.evidence.halves.length, 2);
});

describe("its evidence", () => {
  it("is a file for its owner alone, which verifies", async () => {
    const file = join(scratch, "one");
    const ended = await server.command("findings", "--evidence", id, "-o", file);
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /is in .*one; check it with: tallystick verify /);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const status = JSON.parse((await server.command("status", "--json")).stdout) as {
      server_key: string;
    };
    const verified = await run(["verify", file, "--server-key", status.server_key]);
    assert.equal(verified.code, 0, verified.stdout);
    assert.match(
      verified.stdout,
      /^holds {2}difference: 1000000 B and 10 B are what the two ends counted/m,
    );
  });

  it("says where it is, under --json", async () => {
    const file = join(scratch, "json");
    const { stdout } = await server.command("findings", "--evidence", id, "-o", file, "--json");
    assert.deepEqual(JSON.parse(stdout), { id, file, bytes: statSync(file).size });
  });

  it("is never written over another file", async () => {
    const file = join(scratch, "mine");
    writeFileSync(file, "mine");
    const ended = await server.command("findings", "--evidence", id, "-o", file);
    assert.equal(ended.code, 1);
    assert.match(
      ended.stderr,
      /^tallystick: there is a file already, .*mine, remove it or name another/,
    );
    assert.equal(readFileSync(file, "utf8"), "mine");
  });

  it("leaves nothing where it cannot be had or written", async () => {
    const unknown = join(scratch, "unknown");
    const none = "00".repeat(16);
    assert.equal((await server.command("findings", "--evidence", none, "-o", unknown)).code, 1);
    assert.ok(!existsSync(unknown));
    const nowhere = join(scratch, "none", "x");
    const ended = await server.command("findings", "--evidence", id, "-o", nowhere);
    assert.match(ended.stderr, /cannot write, .*none\/x, name another file: .*ENOENT/);
  });

  it("goes to stdout with -, and without a file", async () => {
    const [dash, none] = [
      await server.command("findings", "--evidence", id, "-o", "-"),
      await server.command("findings", "--evidence", id),
    ];
    assert.match(dash.stdout, /^Tallystick evidence, version 1\n/);
    // Between the two more may have come that belongs to it.
    assert.match(none.stdout, /\n=== signed data ===\nfinding /);
  });

  it("and other answers say in one line that stdout takes no more", async () => {
    for (const words of [["findings", "--evidence", id], ["status"]]) {
      const { code, stderr } = await runUnread([...words, "--data", server.dir], "full");
      assert.match(stderr, /^tallystick: cannot write the answer, stdout \(ENOSPC\), .*\n$/);
      assert.equal(code, 1);
    }
    const closed = await runUnread(["findings", "--data", server.dir], "closed");
    assert.deepEqual(closed, { code: 0, stderr: "" });
  });

  it("is text with a name, for the administrator alone", async () => {
    const path = `/api/v1/findings/${id}/evidence`;
    const { status, headers } = await server.call("GET", path);
    assert.equal(status, 200);
    assert.equal(headers.get("content-type"), "text/plain; charset=utf-8");
    assert.equal(
      headers.get("content-disposition"),
      `attachment; filename="finding-${id}.evidence.txt"`,
    );
    assert.equal((await fetch(new URL(path, server.url))).status, 401);
  });

  it("is refused with a reason", async () => {
    const cases: [id: string, status: number, code: string][] = [
      ["x", 404, "unknown_finding"],
      ["00".repeat(16), 404, "unknown_finding"],
    ];
    for (const [given, status, code] of cases) {
      const answer = await server.call<{ code: string }>(
        "GET",
        `/api/v1/findings/${given}/evidence`,
      );
      assert.equal(answer.status, status);
      assert.match(JSON.stringify(answer.body), new RegExp(`"?code\\\\?"?:\\\\?"${code}`));
    }
  });

  it("is made for two at once; others are told to come back", async () => {
    const path = `/api/v1/findings/${id}/evidence`;
    const answers = await Promise.all(Array.from({ length: 8 }, () => server.call("GET", path)));
    const statuses = new Set(answers.map(({ status }) => status));
    assert.ok(
      statuses.has(200) && statuses.isSubsetOf(new Set([200, 429])),
      [...statuses].join(" "),
    );
    assert.equal((await server.call("GET", path)).status, 200);
  });

  it("is in the API's description as text", async () => {
    const { body } = await server.call<{
      paths: Record<string, { get: { responses: Record<string, { content: object }> } }>;
    }>("GET", "/api/v1/openapi.json");
    const answer = body.paths["/api/v1/findings/{id}/evidence"]?.get.responses["200"];
    assert.deepEqual(Object.keys(answer?.content ?? {}), ["text/plain"]);
  });
});

it("says how it stands by what people decided, in full and in its evidence", async () => {
  const why = "a broken counter";
  assert.equal((await server.command("findings", "excuse", id, "--reason", why)).code, 0);
  const shown = await server.until(
    () => server.command("findings", "--id", id),
    ({ stdout }) => /^ {2}state +excused by admin until \d{4}-/m.test(stdout),
  );
  const [, until = "never"] = /^ {2}state .* until (\S+ [\d:]+)/m.exec(shown.stdout) ?? [];
  const { stdout: file } = await server.command("findings", "--evidence", id);
  assert.match(file, new RegExp(`^ {2}state +excused until ${until}`, "m"));
  assert.match(
    file,
    /^What people decided about it\n.* excused until .* by admin: a broken counter;/m,
  );
  const checks = verifyEvidence(file);
  const said = checks.find(({ subject }) => subject === "finding");
  assert.match(said?.detail ?? "", /^counters-differ, excused: /);
  assert.equal(checks.find(({ subject }) => subject === "decisions")?.outcome, "open");
  assert.ok(isSound(checks));
});
