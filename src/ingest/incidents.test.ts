import assert from "node:assert/strict";
import { test } from "node:test";
import type { FindingEntry } from "../format/entry.ts";
import { encodeLine, decodeLine } from "../format/entry-line.ts";
import { ManualClock } from "../std/clock.ts";
import { findingId, type Incident, type IncidentKind } from "./incident.ts";
import { Incidents } from "./incidents.ts";
import { INGEST_LIMITS, type IngestLimits } from "./limits.ts";
import { SimNode } from "../../test/simulate/sim-node.ts";

const HOUR_MS = 3_600_000;
const node = new SimNode("one");
const { header } = node.sign();

interface Bench {
  readonly clock: ManualClock;
  readonly findings: FindingEntry[];
  readonly incidents: Incidents;
  broken: boolean;
  report(kind: IncidentKind, nodeId?: string): void;
}

function open(limits: Partial<IngestLimits> = {}): Bench {
  const clock = new ManualClock(500_000 * HOUR_MS);
  const findings: FindingEntry[] = [];
  const write = async (finding: FindingEntry): Promise<void> => {
    if (bench.broken) throw new Error("full");
    findings.push(finding);
  };
  const bench: Bench = {
    clock,
    findings,
    incidents: new Incidents({ write, clock, limits: { ...INGEST_LIMITS, ...limits } }),
    broken: false,
    report: (kind, nodeId = node.id) => {
      const incident: Incident = { kind, nodeId, remote: "192.0.2.1", atMs: clock.nowMs(), header };
      bench.incidents.report(incident);
    },
  };
  return bench;
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test("incidents: the first is written at once, the rest once with the count", async () => {
  const bench = open();
  for (let again = 0; again < 100; again++) bench.report("forged");
  await settle();
  assert.equal(bench.findings.length, 1);
  assert.equal(bench.findings[0]?.evidence["count"], 1);
  bench.clock.advance(HOUR_MS);
  await settle();
  assert.equal(bench.findings.length, 2);
  assert.equal(bench.findings[1]?.evidence["count"], 100);
  assert.equal(bench.findings[0]?.id, bench.findings[1]?.id);
  bench.clock.advance(HOUR_MS);
  await bench.incidents.close();
  assert.equal(bench.findings.length, 2);
});

test("incidents: kinds, nodes and hours are apart; the id follows from them alone", async () => {
  const bench = open();
  bench.report("forged");
  bench.report("replayed");
  bench.report("forged", "0".repeat(32));
  bench.clock.advance(HOUR_MS);
  bench.report("forged");
  await settle();
  assert.equal(new Set(bench.findings.map((finding) => finding.id)).size, 4);
  const id = findingId({ kind: "forged", nodeId: node.id, hour: 500_000 });
  assert.equal(bench.findings[0]?.id, id);
});

test("incidents: a finding is a valid entry and says what is known", async () => {
  const bench = open();
  const genuine = { epoch: 0, batchNo: 0, hash: Buffer.alloc(32), index: 7, receivedMs: 1 };
  const atMs = bench.clock.nowMs();
  const more = { reason: "why", genuine, evidenceIndex: 9 };
  bench.incidents.report({ kind: "fork", nodeId: node.id, remote: "::1", atMs, header, ...more });
  await settle();
  const finding = bench.findings[0];
  assert.ok(finding !== undefined);
  const line = encodeLine(finding, { seq: 0, previousAtMs: 0 });
  assert.deepEqual(decodeLine(line, { seq: 0, previousAtMs: 0 }), finding);
  const [sample] = finding.evidence["samples"] as Record<string, unknown>[];
  assert.deepEqual(
    [sample?.["remote"], sample?.["genuineIndex"], sample?.["evidenceIndex"], sample?.["batchNo"]],
    ["::1", 7, 9, 0],
  );
});

test("incidents: what could not be written is written later", async () => {
  const bench = open();
  bench.broken = true;
  bench.report("replayed");
  await settle();
  bench.broken = false;
  bench.clock.advance(10_000);
  await settle();
  assert.equal(bench.findings.length, 1);
});

test("incidents: a stop writes the count that is not written yet", async () => {
  const bench = open();
  bench.report("replayed");
  bench.report("replayed");
  await bench.incidents.close();
  assert.deepEqual(
    bench.findings.map((finding) => finding.evidence["count"]),
    [1, 2],
  );
});

test("incidents: a revoked key is a finding when it goes on, counted from then on", async () => {
  const bench = open();
  for (let minute = 0; minute <= 10; minute++) {
    bench.report("revoked_key_used");
    bench.clock.advance(60_000);
  }
  await settle();
  assert.equal(bench.findings.length, 0);
  bench.report("revoked_key_used");
  await settle();
  assert.deepEqual(
    bench.findings.map(({ finding, node: about, evidence }) => [finding, about, evidence["count"]]),
    [["revoked_key_used", node.id, 1]],
  );
  assert.equal(bench.incidents.counts.get("revoked_key_used"), 12);
});

test("incidents: unknown nodes are a finding only as a flood, and about nobody", async () => {
  const bench = open({ unknownNodesFinding: 50 });
  for (let sent = 0; sent < 49; sent++) bench.report("unknown_node", `${sent}`.padStart(32, "0"));
  await settle();
  assert.equal(bench.findings.length, 0);
  bench.report("unknown_node", "f".repeat(32));
  await settle();
  assert.equal(bench.findings.length, 1);
  assert.equal(bench.findings[0]?.node, "");
  assert.equal(bench.incidents.counts.get("unknown_node"), 50);
});

test("incidents: more nodes than are remembered become one finding", async () => {
  const bench = open({ incidentsMax: 10 });
  for (let sent = 0; sent < 1_000; sent++) bench.report("forged", `${sent}`.padStart(32, "0"));
  await settle();
  assert.equal(bench.findings.length, 11);
  assert.equal(bench.findings.at(-1)?.node, "");
});
