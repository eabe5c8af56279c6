import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CONNECTIONS } from "./catalogues/connections.ts";
import { findingCatalogue } from "./catalogues/findings.ts";
import type { Row } from "./catalogue.ts";
import { toPredicate } from "./predicate.ts";
import { QueryError } from "./query-error.ts";
import { toSql } from "./sql.ts";
import { understand } from "./understand.ts";

const nowMs = Date.parse("2026-11-28T12:00:00Z");
const connections = { catalogue: CONNECTIONS, nowMs };
const findings = { catalogue: findingCatalogue(["missing-half", "opt-out"]), nowMs };

const connection: Row = {
  network: "default",
  opened_at: "2026-11-28T10:30:15.250Z",
  closed_at: "2026-11-28T10:35:15.250Z",
  proto: "tcp",
  initiator_ip: "10.1.2.3",
  initiator_port: 40_000,
  responder_ip: "fd00::7",
  responder_port: 443,
  initiator_node: "Web-1",
  responder_node: "",
  verdict: "missing",
  excuse: "",
  initiator_bytes: 2_048,
  responder_bytes: 1_000_000,
  counters: "final",
  connection_id: "ab12",
};
const open: Row = { ...connection, closed_at: null };

const asked: [query: string, row: Row, passes: boolean][] = [
  ["", connection, true],
  ["verdict:missing", connection, true],
  ["verdict:MISSING", connection, true],
  ["verdict:(missing OR differs)", connection, true],
  ["-verdict:missing", connection, false],
  ["verdict:m*", connection, true],
  ["node:web-1", connection, true],
  ["node:web", connection, false],
  ["node:web*", connection, true],
  ["node:*1", connection, true],
  ["node:/^Web-[0-9]$/", connection, true],
  ["node:/^web/", connection, false],
  ["node:/(?i)^web/", connection, true],
  ["initiator_node:*", connection, true],
  ["responder_node:*", connection, false],
  ["node:*", connection, true],
  ['responder_node:""', connection, true],
  ["closed_at:*", connection, true],
  ["closed_at:*", open, false],
  ["-closed_at:*", open, true],
  ["closed_at<now", open, false],
  ["-closed_at<now", open, true],
  ["duration:5m", connection, true],
  ["duration>5m", connection, false],
  ["duration>=1s", open, false],
  ["ip:10.1.2.3", connection, true],
  ["ip:10.0.0.0/8", connection, true],
  ["ip:10.2.0.0/16", connection, false],
  ["ip:0.0.0.0/0", connection, true],
  ["initiator_ip:::/0", connection, true],
  ["responder_ip:0.0.0.0/0", connection, false],
  ["ip:fd00:0::7", connection, true],
  ["ip:fd00::/8", connection, true],
  ["ip:10.1.*", connection, true],
  ["port:443", connection, true],
  ["port:400..500", connection, true],
  ["port:..100", connection, false],
  ["port:40000..", connection, true],
  ["initiator_bytes:2KiB", connection, true],
  ["responder_bytes:1MB", connection, true],
  ["bytes>1MB", connection, true],
  ["bytes<1.1MB", connection, true],
  ["opened_at:2026-11-28", connection, true],
  ["opened_at:2026-11-27", connection, false],
  ["opened_at:2026-11-28T10:30", connection, true],
  ["opened_at>2026-11-28T10:30", connection, false],
  ["opened_at>=2026-11-28T10:30", connection, true],
  ["opened_at<=2026-11-28", connection, true],
  ["opened_at:2026-11-01..2026-11-28", connection, true],
  ["opened_at>=2h", connection, true],
  ["opened_at<2h", connection, false],
  ["web", connection, true],
  ["WEB", connection, true],
  ["db", connection, false],
  ["10.1.2.3", connection, true],
  ["10.1.2.4", connection, false],
  ["10.0.0.0/8", connection, true],
  ["10.1.2", connection, true],
  ["443", connection, true],
  ["44", connection, false],
  ["10.1.2.3:40000", connection, true],
  ["10.1.2.3:443", connection, false],
  ["[fd00::7]:443", connection, true],
  ["Verdict:missing Proto:TCP", connection, true],
  ["web 443 OR nothing", connection, true],
  ["severity>=high", { severity: "critical" }, true],
  ["severity>=high", { severity: "medium" }, false],
  ["severity:medium..high", { severity: "high" }, true],
  ["severity<low", { severity: "low" }, false],
  ["kind:opt-out", { kind: "opt-out" }, true],
  ['title:"Web-1 has"', { title: "web-1 HAS no half" }, true],
  ["ruled_until:*", { ruled_until: null }, false],
  ["evidence:ab12", { evidence: { connection: "ab12" } }, true],
];
for (const [query, row, passes] of asked) {
  it(`${query} ${passes ? "passes" : "does not pass"}`, () => {
    const context =
      "severity" in row || "kind" in row || !("verdict" in row) ? findings : connections;
    assert.equal(toPredicate(understand(query, context))(row), passes);
  });
}

const refused: [query: string, from: number, message: RegExp][] = [
  ["a verdct:missing", 2, /have no field verdct; did you mean verdict\? Quote it/],
  ["http://x", 0, /no field http; Quote it/],
  ["verdict:mising", 8, /verdict is never mising; it is one of pending, matched/],
  ["verdict>=missing", 9, /no order/],
  ["node>web", 5, /no order that > could compare; write initiator_node:value/],
  ["port:web", 5, /a number, and web is none; write digits/],
  ["port:1KB", 5, /a number/],
  ["bytes>1XB", 6, /write 1500, 64KiB/],
  ["bytes>9007199254740993", 6, /a number/],
  ["duration>soon", 9, /write milliseconds/],
  ["opened_at:2026-02-30", 10, /a time, and 2026-02-30 is none/],
  ["opened_at:/x/", 10, /compared as a time/],
  ["port:4*", 5, /compared as a number/],
  ["port>1..2", 5, /> takes one value/],
  ["severity>=low..high", 10, />= takes one value/],
  ["ip:10.0.0.256", 3, /an address, and 10.0.0.256 is none/],
  ["ip:10.0.0.0/33", 3, /an address/],
  ["node:/[/", 5, /missing closing \]/],
  ["node:/(?=x)/", 5, /write it in the syntax of RE2/],
];
describe("a value that does not fit is explained at its place", () => {
  for (const [query, from, message] of refused) {
    it(query, () => {
      assert.throws(
        () => understand(query, query.startsWith("severity") ? findings : connections),
        (error) => {
          assert.ok(error instanceof QueryError, String(error));
          assert.match(error.message, message);
          assert.equal(error.from, from);
          return true;
        },
      );
    });
  }
});

it("SQL holds nothing of the query", () => {
  const evil = `'") OR 1=1 --`;
  const queries = [
    `node:"${evil.replaceAll('"', String.raw`\"`)}"`,
    `node:/${evil.replace(")", "[)]")}/`,
    `node:'*`,
  ];
  for (const query of queries) {
    const { sql, params } = toSql(understand(query, connections));
    assert.doesNotMatch(sql, /1=1|--|'[^']/);
    assert.ok(Object.values(params).length >= 2, sql);
  }
});
