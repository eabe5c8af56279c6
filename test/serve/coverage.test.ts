/** How much of the traffic has two witnesses, from the real server: by node, by network, and whom to enrol next. */
import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { after, before, it } from "node:test";
import type { Entry } from "../../src/format/entry.ts";
import type { SimNode } from "../simulate/sim-node.ts";
import { addresses, joined, open, send, tcp } from "./joined-node.ts";
import { ServerProcess } from "./server-process.ts";

interface Share {
  readonly name: string;
  readonly connections: number;
  readonly both_ends: number;
  readonly share: number | null;
  readonly between_nodes: { readonly connections: number; readonly share: number | null };
  readonly one_end_by_reason: Readonly<Record<string, number>>;
}
interface Span extends Share {
  readonly from: string;
  readonly counted_at: string;
  readonly networks: readonly Share[];
  readonly nodes: readonly Share[];
  readonly unmonitored_peers: readonly object[];
}
interface Status {
  readonly coverage: { readonly hour: Span; readonly day: Span | null };
  readonly findings: object;
}

const A = "10.9.2.1";
const B = "10.9.2.2";
const PRINTER = "10.9.2.77";
const PHONE = "10.9.2.99";
let server: ServerProcess;
let a: SimNode;
let b: SimNode;

before(async () => {
  server = await ServerProcess.start();
  [a, b] = [await joined(server, "node-a"), await joined(server, "node-b")];
  await joined(server, "node-idle");
});
after(() => server[Symbol.asyncDispose]());

/** Opens and closes in the state `state`, as one end saw them. */
function seen(node: SimNode, role: "initiator" | "responder", ends: readonly End[]): Entry[] {
  const atMs = Date.now() - 2_000;
  const entries: Entry[] = [addresses(atMs, role === "initiator" ? A : B)];
  for (const { port, to, state = "SF", network } of ends) {
    const at = entries.push({
      ...open(atMs, role, tcp(A, port, to)),
      ...(network === undefined ? {} : { network }),
    });
    const openSeq = node.nextSeq + at - 1;
    const close = { kind: "close", openSeq, atMs: atMs + 5, ageMs: 5, state } as const;
    entries.push({ ...close, assured: true, inferred: false });
  }
  return entries;
}

interface End {
  readonly port: number;
  readonly to: string;
  readonly state?: "SF" | "S0";
  readonly network?: string;
}

const brief = ({ name, connections, both_ends, between_nodes }: Share) => [
  name,
  connections,
  both_ends,
  between_nodes.connections,
];

async function coverage(satisfies: (hour: Span) => boolean): Promise<Status> {
  const ask = async () => (await server.call<Status>("GET", "/api/v1/status")).body;
  return server.until(ask, ({ coverage: { hour } }) => satisfies(hour));
}

it("is counted by node and network, with the reasons of the rest", async () => {
  const pairs = [1, 2, 3, 4].map((port) => ({ port, to: B }));
  const lone: End[] = [
    { port: 11, to: PRINTER },
    { port: 12, to: PRINTER },
    { port: 13, to: PHONE },
    { port: 14, to: B, state: "S0" },
    { port: 15, to: PHONE, network: "lab" },
  ];
  assert.equal((await send(server, a, seen(a, "initiator", [...pairs, ...lone]))).status, 200);
  assert.equal((await send(server, b, seen(b, "responder", pairs))).status, 200);
  const { coverage: covered, findings } = await coverage(
    ({ one_end_by_reason: reasons }) => reasons["external"] === 4 && reasons["pending"] === 1,
  );
  const { hour } = covered;
  assert.deepEqual(hour.one_end_by_reason, { external: 4, pending: 1 });
  assert.deepEqual([hour.connections, hour.both_ends], [9, 4]);
  assert.deepEqual([hour.share, hour.between_nodes], [4 / 9, { connections: 5, share: 4 / 5 }]);
  assert.deepEqual(hour.networks.map(brief), [
    ["default", 8, 4, 5],
    ["lab", 1, 0, 0],
  ]);
  assert.deepEqual(hour.nodes.map(brief), [
    ["node-a", 9, 4, 5],
    ["node-b", 5, 4, 5],
    ["node-idle", 0, 0, 0],
  ]);
  assert.deepEqual(hour.unmonitored_peers, [
    { network: "default", address: PRINTER, connections: 2, nodes: 1 },
    { network: "default", address: PHONE, connections: 1, nodes: 1 },
    { network: "lab", address: PHONE, connections: 1, nodes: 1 },
  ]);
  assert.deepEqual(findings, {
    open: 0,
    open_by_severity: { critical: 0, high: 0, medium: 0, low: 0 },
    excused: 0,
    acknowledged: 0,
  });
});

it("of the last day holds that of the last hour, and says from when it is", async () => {
  const { coverage: covered } = await coverage(({ connections }) => connections === 9);
  const ask = async () => (await coverage(() => true)).coverage.day;
  const day = await server.until(ask, (span) => span !== null && span.connections === 9);
  assert.ok(day !== null);
  const { from, counted_at, ...counted } = day;
  const { from: hourFrom, counted_at: _, ...hourCounted } = covered.hour;
  assert.deepEqual(counted, hourCounted);
  assert.ok(Date.parse(counted_at) - Date.parse(from) === 24 * 3_600_000);
  assert.ok(hourFrom > from);
});

it("comes first in `status`, and names nodes without any connection and whom to enrol", async () => {
  const { code, stdout } = await server.command("status");
  assert.equal(code, 0);
  const lines = stdout.split("\n").map((line) => line.replaceAll(/ {2,}/g, "  ").trimEnd());
  assert.match(
    lines[1] ?? "",
    /^both ends, last hour {2}44\.4 % of 9 connections \(80 % of those between nodes\); one end only: 4 external, 1 pending$/,
  );
  assert.match(lines[2] ?? "", /^both ends, last day {2}44\.4 % of 9/);
  assert.ok(
    lines.includes(
      "  in network lab  0 % of 1 connections (none is between nodes); one end only: 1 external",
    ),
  );
  assert.ok(lines.includes(`enrol next  ${PRINTER} (2), ${PHONE} (1), ${PHONE} (1)`), stdout);
  assert.match(stdout, /^node-idle .* no connections/m);
  assert.match(stdout, /^node-b .* 80 % of 5/m);
  const { stdout: json } = await server.command("status", "--json");
  assert.equal((JSON.parse(json) as Status).coverage.hour.nodes.length, 3);
});

it("names nobody to enrol who is a node by now, nor the server", async () => {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const [{ address: server4 } = { address: "127.0.0.1" }] = own.filter(
    ({ family, internal }) => family === "IPv4" && !internal,
  );
  assert.equal(
    (await send(server, a, seen(a, "initiator", [{ port: 21, to: server4 }]))).status,
    200,
  );
  const printer = await joined(server, "printer");
  const atMs = Date.now();
  assert.equal((await send(server, printer, [addresses(atMs, PRINTER)])).status, 200);
  const { coverage: covered } = await coverage(
    ({ connections, unmonitored_peers: peers }) => connections === 10 && peers.length < 3,
  );
  const named = covered.hour.unmonitored_peers as { address: string }[];
  assert.deepEqual(
    named.map(({ address }) => address),
    [PHONE, PHONE],
  );
});
