/**
 * The main job in three minutes: five hosts with an agent each, a server, real traffic; then three
 * hosts are tampered with, and the comparison says which connections do not fit. Exit status 0 only
 * if it found exactly that.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { readOptions } from "../scripts/read-options.ts";
import { ensureSystem } from "../scripts/system-requirements.ts";
import { unshareWords } from "../scripts/system/kernel.ts";
import { checkEvidence } from "./evidence.ts";
import { Machines } from "./machines.ts";
import { namespaceProblem } from "../test/lab/namespaces.ts";
import { printReport, type Report } from "./report.ts";
import { Story } from "./story.ts";
import { compare, type Found, type Seen } from "./verify.ts";

const HOSTS = ["alice", "bob", "carol", "dave", "erin"] as const;
const DECIDED_WITHIN_MS = 100_000;
const ASK_EVERY_MS = 2_000;
/** Set in the process that runs as root of a user namespace of its own. */
const IN_USER_NAMESPACE = "TALLYSTICK_DEMO_USER_NAMESPACE";

const HELP = `Five hosts with an agent each, a server and real traffic; three hosts are tampered with, and what was found of it.

Usage: npm run demo [-- OPTIONS]

  --json      one JSON object a line
  -h, --help  show this text

Takes about three minutes. As root it installs what is missing from the system (conntrack, nftables, …) and says so; without
root it uses user namespaces. Exit code 0: exactly what was injected was found; 1: not so, or it cannot be run here.
`;

const { json } = readOptions(
  { name: "demo", help: HELP },
  { json: { type: "boolean", default: false } },
);
const startedMs = Date.now();

function say(line: string): void {
  const elapsedS = Math.round((Date.now() - startedMs) / 1000);
  if (json) console.log(JSON.stringify({ type: "progress", elapsedS, text: line }));
  else console.log(`${String(elapsedS).padStart(4)} s  ${line}`);
}

/**
 * Without root the same program runs again as root of a user namespace, where the kernel allows it;
 * `ip netns` keeps its names below /run, which therefore has to be one's own.
 */
function rerunInUserNamespace(): never {
  const self = [process.execPath, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const env = { ...process.env, [IN_USER_NAMESPACE]: "1" };
  const ownRun = 'mount -t tmpfs tmpfs /run && exec "$@"';
  const args = [...unshareWords(false), "sh", "-c", ownRun, "demo", ...self];
  const ended = spawnSync("unshare", args, { stdio: "inherit", env });
  if (ended.status === null)
    fail("this kernel gives no user namespaces to people without root; run the demo as root");
  process.exit(ended.status);
}

function fail(reason: string): never {
  console.error(`tallystick demo: ${reason}`);
  process.exit(1);
}

async function decided(machines: Machines, story: Story): Promise<Report> {
  const deadlineMs = Date.now() + DECIDED_WITHIN_MS;
  for (;;) {
    await machines.sweepAll();
    const [seen, found] = await Promise.all([
      ask<Seen>(
        machines,
        "SELECT * EXCEPT (community_id, closed_at) FROM connections ORDER BY opened_at",
      ),
      ask<Found>(
        machines,
        "SELECT id, kind, severity, state, node, connection_id, title FROM findings WHERE state = 'open' ORDER BY time",
      ),
    ]);
    const comparison = compare(story.made, seen, found);
    const done = comparison.wrong.length === 0 && !comparison.unfinished;
    if (done || Date.now() > deadlineMs) return { made: story.made, seen, found, ...comparison };
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
}

async function ask<Row>(machines: Machines, query: string): Promise<Row[]> {
  const out = await machines.tallystick("sql", query, "--json");
  return out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Row);
}

async function tell(machines: Machines): Promise<Report> {
  const story = new Story(machines, say);
  await story.honest();
  await machines.settled();
  await story.forget();
  await story.alter();
  await story.lose();
  say("Waiting until both ends of everything have spoken");
  return decided(machines, story);
}

async function main(): Promise<boolean> {
  const withLogin = process.env[IN_USER_NAMESPACE] === undefined;
  if (withLogin) {
    const system = ensureSystem(["conntrack", "ip", "nft", "ss", "ssh", "sshd"]);
    for (const line of system.lines) say(line);
    if (!system.isRoot) rerunInUserNamespace();
  }
  const problem = await namespaceProblem();
  if (problem !== undefined)
    fail(`cannot make network namespaces (${problem}); run the demo as root`);
  say(`Five hosts (${HOSTS.join(", ")}), an agent on each, one server`);
  if (!withLogin) say("Without root OpenSSH cannot run in a namespace: the login is left out");
  const machines = await Machines.open({ hosts: HOSTS, withLogin });
  const end = (signal: NodeJS.Signals) =>
    void machines.close().then(() => process.exit(signal === "SIGINT" ? 130 : 143));
  process.once("SIGINT", end).once("SIGTERM", end);
  try {
    const told = await tell(machines);
    say("Taking one finding of each kind along as evidence, and checking it without the server");
    const report = {
      ...told,
      wrong: [...told.wrong, ...(await checkEvidence(machines, told.found))],
    };
    printReport(report, { json, elapsedMs: Date.now() - startedMs });
    return report.wrong.length === 0;
  } finally {
    await machines.close();
  }
}

process.exitCode = (await main()) ? 0 : 1;
