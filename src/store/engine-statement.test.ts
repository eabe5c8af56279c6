import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { describe, it } from "node:test";
import { FaultError } from "./engine-fault.ts";
import { readRequest, type EngineRequest } from "./engine-request.ts";
import { planInsert, planQuery, takesData } from "./engine-statement.ts";

function requestOf(
  parameters: Record<string, string>,
  headers: Record<string, string> = {},
  method = "POST",
): EngineRequest {
  const url = `/?${new URLSearchParams(parameters).toString()}`;
  return readRequest({ url, headers, method } as unknown as IncomingMessage);
}

function codeOf(call: () => unknown): number | undefined {
  try {
    call();
  } catch (error) {
    return error instanceof FaultError ? error.fault.code : undefined;
  }
  return undefined;
}

describe("a request's parameters", () => {
  it("are settings, but for those meant for a ClickHouse server and the query's parameters", () => {
    const request = requestOf({
      query: "SELECT 1",
      wait_end_of_query: "1",
      max_threads: "3",
      insert_deduplication_token: "t",
      param_x: "it's",
    });
    assert.deepEqual(
      [...request.settings],
      [
        ["max_threads", "3"],
        ["insert_deduplication_token", "t"],
      ],
    );
    assert.deepEqual([...request.params], [["x", "it's"]]);
  });

  it("cannot carry a name that is more than a name", () => {
    assert.equal(
      codeOf(() => requestOf({ "max_threads=1, readonly": "0" })),
      115,
    );
    assert.equal(
      codeOf(() => requestOf({ "param_x='', param_y": "0" })),
      456,
    );
    assert.equal(
      codeOf(() => requestOf({ default_format: "CSV; DROP TABLE t" })),
      73,
    );
  });

  it("ask for no session: there is none", () => {
    assert.equal(
      codeOf(() => requestOf({ session_id: "s" })),
      48,
    );
  });

  it("are read-only in a GET", () => {
    assert.equal(requestOf({ query: "SELECT 1" }, {}, "GET").settings.get("readonly"), "2");
  });

  it("choose a response coding that the caller accepts", () => {
    const accept = { "accept-encoding": "gzip" };
    assert.equal(requestOf({ enable_http_compression: "1" }, accept).responseCoding, "gzip");
    assert.equal(requestOf({}, accept).responseCoding, undefined);
    assert.equal(requestOf({ enable_http_compression: "1" }).responseCoding, undefined);
  });
});

describe("an insert with data in the body", () => {
  it("is told from one with its rows in the text", () => {
    assert.ok(takesData("INSERT INTO t FORMAT Native"));
    assert.ok(takesData("insert into t (a, b) settings x = 1\nformat JSONEachRow "));
    assert.ok(!takesData("INSERT INTO t VALUES (1)"));
    assert.ok(!takesData("SELECT 1 FORMAT JSON"));
    assert.ok(!takesData(""));
  });

  it("reads the file that the body was written to, compressed as it came", () => {
    const request = requestOf({ query: "INSERT INTO t (a, b) SETTINGS x = 1 FORMAT Native" });
    const plan = planInsert(request, "/tmp/it's", "zstd");
    assert.match(
      plan.sql,
      /INSERT INTO t \(a, b\) FROM INFILE '\/tmp\/it\\'s' COMPRESSION 'zstd' SETTINGS x = 1 FORMAT Native$/,
    );
    assert.equal(plan.lane, "insert");
  });

  it("may not read its data by input()", () => {
    const request = requestOf({
      query: "INSERT INTO t SELECT a FROM input('a String') FORMAT Native",
    });
    assert.equal(
      codeOf(() => planInsert(request, "f", "none")),
      48,
    );
  });
});

describe("a statement", () => {
  it("writes a SELECT's result to the file, in the format that it ends with", () => {
    const plan = planQuery(requestOf({}), "-- note\nSELECT 1\nFORMAT JSON ;", "/f");
    assert.match(plan.sql, /; SELECT 1\nINTO OUTFILE '\/f' FORMAT JSON$/);
    assert.deepEqual([plan.output, plan.format, plan.lane], ["file", "JSON", "query"]);
  });

  it("takes the caller's default format when it names none", () => {
    assert.equal(planQuery(requestOf({ default_format: "CSV" }), "SELECT 1", "/f").format, "CSV");
    assert.equal(planQuery(requestOf({}), "SELECT 'x FORMAT y'", "/f").format, "TabSeparated");
  });

  it("keeps anything but a SELECT in memory", () => {
    assert.equal(planQuery(requestOf({}), "CREATE TABLE t (a UInt8)", "/f").output, "memory");
    assert.equal(planQuery(requestOf({}), "EXPLAIN SELECT 1", "/f").output, "memory");
  });

  it("runs in the guests' lane when it is read-only", () => {
    assert.equal(planQuery(requestOf({ readonly: "2" }), "SELECT 1", "/f").lane, "guest");
    assert.equal(planQuery(requestOf({ readonly: "0" }), "SELECT 1", "/f").lane, "query");
  });

  it("quotes what callers choose, and sets readonly last", () => {
    const request = requestOf({
      readonly: "2",
      database: "a`b",
      max_threads: "1', readonly='0",
      param_p: "back\\slash",
    });
    const { sql } = planQuery(request, "SELECT 1", "/f");
    assert.ok(sql.startsWith("USE `a\\`b`; SET "));
    assert.ok(sql.includes("max_threads='1\\', readonly=\\'0'"));
    assert.ok(sql.includes("param_p='back\\\\slash', readonly='2'; SELECT 1"));
  });
});
