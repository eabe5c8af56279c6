/**
 * How long after a connection opened, and after a TCP connection closed, `tallystick connections`
 * tells it: real agents and a real server in namespaces, a follower that reads the tool's output.
 *
 *   node bench/visibility.ts [--count 200]
 */
import { parseArgs } from "node:util";
import { Follower } from "../test/lab/follower.ts";
import { MeshLab, type Host } from "../test/lab/mesh-lab.ts";
import { Talks, type Talk } from "../test/lab/talk.ts";
import { until } from "../test/lab/until.ts";

export interface Delays {
  readonly samples: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface VisibilityFigures {
  /** TCP and UDP. */
  readonly openToVisible: Delays;
  /** TCP. */
  readonly closeToVisible: Delays;
}

const PACE_MS = 50;
/** Long enough to be seen open and then closed. */
const HELD_MS = 1_000;

/** One connection every 50 ms between two hosts, TCP and UDP in turn. */
export async function benchVisibility(count = 200): Promise<VisibilityFigures> {
  await using lab = await MeshLab.open({
    prefix: `tsmesh-v${process.pid}`,
    hosts: ["ann", "ben"],
  });
  await Promise.all(lab.hosts.map((host) => lab.startAgent(host)));
  const talks = await Talks.open(lab);
  const follower = new Follower(lab);
  const made = await talkAtPace(talks, lab.hosts, count);
  const tcp = made.filter(({ protocol }) => protocol === "tcp");
  await until("all are seen", () => made.every(({ key }) => follower.openSeenMs.has(key)));
  await until("all ends are seen", () => tcp.every(({ key }) => follower.closeSeenMs.has(key)));
  return {
    openToVisible: delays(made, ({ key, openedMs }) => since(follower.openSeenMs, key, openedMs)),
    closeToVisible: delays(tcp, ({ key, closedMs }) => since(follower.closeSeenMs, key, closedMs)),
  };
}

async function talkAtPace(talks: Talks, hosts: readonly Host[], count: number): Promise<Talk[]> {
  const [from, to] = hosts;
  if (from === undefined || to === undefined) throw new Error("two hosts are needed");
  const over: Promise<Talk>[] = [];
  for (let index = 0; index < count; index++) {
    const isTcp = index % 2 === 0;
    over.push(isTcp ? held(talks, from, to) : talks.talk({ do: "udp", from, to }));
    await new Promise((resolve) => setTimeout(resolve, PACE_MS));
  }
  return Promise.all(over);
}

async function held(talks: Talks, from: Host, to: Host): Promise<Talk> {
  const begun = await talks.begin({ do: "tcp", from, to, hold: true });
  setTimeout(() => begun.end(), HELD_MS);
  return begun.over;
}

function since(seenMs: ReadonlyMap<string, number>, key: string, atMs: number): number {
  return (seenMs.get(key) ?? Number.NaN) - atMs;
}

function delays(talks: readonly Talk[], delayMs: (talk: Talk) => number): Delays {
  const sorted = talks.map(delayMs).toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
  return { samples: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { count: { type: "string", default: "200" } } });
  console.log(JSON.stringify(await benchVisibility(Number(values.count)), null, 2));
}
