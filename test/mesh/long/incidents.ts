/** What befalls hosts in the long run, each at its share of the time. */
import { cp, rm } from "node:fs/promises";
import { until } from "../../lab/until.ts";
import type { Name } from "./cast.ts";
import type { World } from "./world.ts";

export interface Incident {
  /** Of the whole duration, 0 to 1. */
  readonly at: number;
  readonly what: string;
  happen(world: World): Promise<void>;
}

/** Whom something befalls. */
export const BEFALLEN = ["eve", "fay", "gus"] as const satisfies readonly Name[];

export const INCIDENTS: readonly Incident[] = [
  { at: 0.1, what: "fay's state directory is copied", happen: copy },
  { at: 0.25, what: "eve's agent is restarted", happen: (world) => restart(world, "SIGTERM") },
  { at: 0.4, what: "fay's state directory is put back from the copy", happen: putBack },
  { at: 0.55, what: "gus opts out", happen: optOut },
  { at: 0.6, what: "the opt-out is acknowledged", happen: acknowledge },
  {
    at: 0.7,
    what: "eve's agent is killed and started",
    happen: (world) => restart(world, "SIGKILL"),
  },
];

async function copy(world: World): Promise<void> {
  const state = world.lab.stateOf(world.host("fay"));
  await cp(state, `${state}-copy`, { recursive: true });
}

async function putBack(world: World): Promise<void> {
  const fay = world.host("fay");
  const state = world.lab.stateOf(fay);
  await world.lab.agentOf(fay).end("SIGKILL");
  await rm(state, { recursive: true });
  await cp(`${state}-copy`, state, { recursive: true });
  await world.startAgent(fay);
}

async function restart(world: World, signal: NodeJS.Signals): Promise<void> {
  const eve = world.host("eve");
  await world.lab.agentOf(eve).end(signal);
  await world.startAgent(eve);
}

/** By the administrator, once it is found. */
async function acknowledge({ lab }: World): Promise<void> {
  const query = "SELECT id FROM findings WHERE kind = 'opted-out'";
  let id = "";
  await until("the opt-out is found", async () => {
    const [found] = await lab.sql<{ id: string }>(query);
    id = found?.id ?? "";
    return id !== "";
  });
  await lab.tallystick("findings", "acknowledge", id, "--reason", "his own laptop");
}

async function optOut(world: World): Promise<void> {
  const gus = world.host("gus");
  await world.lab.agentOf(gus).end("SIGTERM");
  await world.startAgent(gus, ["--no-logs-no-support"]);
}
