/**
 * The main job on a real kernel: three hosts with a real agent each, a real server, real traffic.
 * Every connection is told once, both ends agree, and nobody is accused of anything.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cannotRun } from "../lab/namespaces.ts";
import { connectionKey } from "../lab/connection-key.ts";
import { Follower, type Seen } from "../lab/follower.ts";
import { KernelEnds, type Counted } from "../lab/kernel-ends.ts";
import { MeshLab, type Host } from "../lab/mesh-lab.ts";
import { Talks, type Begun, type Talk, type Wish } from "../lab/talk.ts";
import { until } from "../lab/until.ts";

const TCP_SHORT = 48;
const TCP_LASTING = 6;
const TCP_AT_ONCE = 30;
const UDP = 40;

test(
  "every connection of three hosts is told once, matched, with the kernel's counters",
  { skip: cannotRun(), timeout: 180_000 },
  async () => {
    await using lab = await MeshLab.open({
      prefix: `tsmesh-${process.pid}`,
      hosts: ["ann", "ben", "cat"],
    });
    await Promise.all(lab.hosts.map((host) => lab.startAgent(host)));
    const ends = await watchAll(lab);
    const talks = await Talks.open(lab);
    const follower = new Follower(lab);

    await honest(lab, talks);
    const made = [...talks.done];
    assert.equal(made.length, TCP_SHORT + TCP_LASTING + TCP_AT_ONCE + UDP);
    await until("all are seen and final", async () => {
      await lab.sweepAll();
      return made.every(({ key }) => follower.last.get(key)?.counters === "final");
    });
    assertTold(await between(lab), made);
    assertCounted(follower, ends, made);

    await restart(lab, talks, "SIGTERM");
    await restart(lab, talks, "SIGKILL");
    await assertQuiet(lab, talks.done);
  },
);

/** Short ones one after the other, some that last, many at once; TCP and UDP, over both address families. */
async function honest(lab: MeshLab, talks: Talks): Promise<void> {
  const lasting = await beginLasting(lab, talks);
  for (const wish of wishes(lab, TCP_SHORT)) await talks.talk({ ...wish, do: "tcp" });
  await Promise.all(wishes(lab, TCP_AT_ONCE).map((wish) => talks.talk({ ...wish, do: "tcp" })));
  await Promise.all(wishes(lab, UDP).map((wish) => talks.talk({ ...wish, do: "udp" })));
  await endAll(lasting);
}

function beginLasting(lab: MeshLab, talks: Talks): Promise<Begun[]> {
  const held = wishes(lab, TCP_LASTING).map(
    (wish) => ({ ...wish, do: "tcp", hold: true }) as const,
  );
  return Promise.all(held.map((wish) => talks.begin(wish)));
}

async function endAll(lasting: readonly Begun[]): Promise<void> {
  for (const one of lasting) one.end();
  await Promise.all(lasting.map(({ over }) => over));
}

/** Between all pairs in turn, with sizes from one byte to some segments; each fourth over IPv6. */
function wishes(lab: MeshLab, count: number): Omit<Wish, "do">[] {
  const pairs = lab.hosts.flatMap((from) =>
    lab.hosts.filter((to) => to !== from).map((to) => ({ from, to })),
  );
  return Array.from({ length: count }, (_, index) => ({
    ...(pairs[index % pairs.length] ?? { from: lab.host("ann"), to: lab.host("ben") }),
    over: index % 4 === 3 ? "ipv6" : "ipv4",
    bytes: 1 + ((index * 911) % 5_000),
  }));
}

async function watchAll(lab: MeshLab): Promise<Map<Host, KernelEnds>> {
  const watched = lab.hosts.map(async (host) => [host, await KernelEnds.watch(lab, host)] as const);
  return new Map(await Promise.all(watched));
}

/** All rows of connections between nodes; the agents' own to the server are external. */
function between(lab: MeshLab): Promise<Seen[]> {
  return lab.sql<Seen>("SELECT * FROM connections WHERE verdict != 'external'");
}

function assertTold(rows: readonly Seen[], made: readonly Talk[]): void {
  assert.equal(rows.length, made.length, "one row each, and no other");
  for (const row of rows) assert.equal(row.verdict, "matched", JSON.stringify(row));
}

/** Each end's kernel counted what the row says; without loss and offload both count alike. */
function assertCounted(
  follower: Follower,
  ends: ReadonlyMap<Host, KernelEnds>,
  made: readonly Talk[],
): void {
  for (const { key, from, to, protocol } of made) {
    const row = follower.last.get(key);
    assert.ok(row, key);
    assert.deepEqual([row.initiator_node, row.responder_node], [from.name, to.name], key);
    assert.deepEqual([row.end_state, row.verdict], ["SF", "matched"], key);
    const [sent, sentBytes] = ends.get(from)?.ends.get(key) ?? NOTHING;
    const [, , answered, answeredBytes] = ends.get(to)?.ends.get(key) ?? NOTHING;
    assert.deepEqual(counted(row), [sent, sentBytes, answered, answeredBytes], key);
    assert.ok(sentBytes > 0 && answeredBytes > 0, `${protocol} was counted`);
  }
}

/** Two heartbeats of nodes that have become idle, and some ticks. */
const DECIDED_MS_MAX = 80_000;

const NOTHING: Counted = [-1, -1, -1, -1];

function counted(row: Seen): number[] {
  const { initiator_packets, initiator_bytes, responder_packets, responder_bytes } = row;
  return [initiator_packets, initiator_bytes, responder_packets, responder_bytes].map(Number);
}

/** An agent ends and comes back while connections live, begin and end. */
async function restart(lab: MeshLab, talks: Talks, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  const ben = lab.host("ben");
  const lasting = await beginLasting(lab, talks);
  await lab.agentOf(ben).end(signal);
  await Promise.all(wishes(lab, 12).map((wish) => talks.talk({ ...wish, do: "tcp" })));
  await lab.startAgent(ben);
  await Promise.all(wishes(lab, 12).map((wish) => talks.talk({ ...wish, do: "tcp" })));
  await endAll(lasting);
}

/** Everything is decided, each connection is told once, and there is nothing to worry about. */
async function assertQuiet(lab: MeshLab, made: readonly Talk[]): Promise<void> {
  let rows: Seen[] = [];
  const isDecided = async (): Promise<boolean> => {
    await lab.sweepAll();
    rows = await between(lab);
    if (rows.length < made.length) return false;
    return rows.every(({ verdict, counters }) => verdict !== "pending" && counters !== "pending");
  };
  await until("all is decided", isDecided, DECIDED_MS_MAX);
  assert.deepEqual(rows.map(connectionKey).toSorted(), made.map(({ key }) => key).toSorted());
  for (const row of rows) {
    const said = `${row.verdict} ${row.excuse}`;
    assert.match(said, /^(matched |excused (offline|gap))$/, JSON.stringify(row));
  }
  assert.deepEqual(await lab.sql("SELECT kind, title, evidence FROM findings"), []);
}
