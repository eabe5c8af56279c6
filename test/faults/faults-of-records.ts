/** What nodes can leave out of their records of connections, put into them, or say to have lost. */
import { type FaultClass, type Name } from "./fault-class.ts";
import type { HttpNode } from "./http-node.ts";
import type { FoundFinding, Talk, World } from "./world.ts";

/** More than a node may have excused on a day on which that is most of what it had. */
const DECLARED_LOST = 60;
/** Well before what the node had said to be complete, on a machine that does much besides. */
const BACK_DATED_MS = 60_000;

/** Readings of interfaces that are nearer to each other are one. */
const APART_MS = 20_000;
const CAME_IN_BYTES = 1_000_000;
const INFLATED_BYTES = 5_000_000;

const PAIR = ["causes", "todo"];

/** A connection between two nodes, recorded honestly unless `fault` changes it. */
function pair(
  name: Name,
  more: Pick<FaultClass, "evidence" | "says">,
  fault: Partial<Talk>,
): FaultClass {
  const [first = "", second = ""] = ["a", "b"].map((end) => `${name.node.slice(0, -1)}${end}`);
  return {
    ...name,
    ...more,
    async prepare(world) {
      const from = await world.node(first);
      const to = await world.node(second);
      return (faulty) => world.talk({ from, to, sentBytes: 1_000_000, ...(faulty ? fault : {}) });
    },
  };
}

/** Its interface has carried so much since the test began, and more before. */
function readInterface(world: World, node: HttpNode, bytes: number): void {
  const counts = { receivedBytes: 2e9 + bytes, sentBytes: 0, receivedPackets: 2e6, sentPackets: 0 };
  const interfaces = [{ index: 2, name: "eth0", claimed: true, ...counts }];
  node.hand({ kind: "totals", atMs: world.nowMs, interfaces });
}

const isImpossible = (expected: boolean) => (evidence: FoundFinding["evidence"]) =>
  (evidence["difference"] as { impossible?: unknown }).impossible === expected;

function namesOf(witnesses: unknown): string[] {
  return (witnesses as readonly { name: string }[]).map(({ name }) => name).toSorted();
}

export const FAULTS_OF_RECORDS: readonly FaultClass[] = [
  pair(
    {
      fault: "half forgotten by the initiator",
      kind: "missing-half",
      severity: "high",
      node: "forgets-1a",
    },
    { evidence: ["recorded", "missing", ...PAIR] },
    { forgottenBy: "initiator" },
  ),
  pair(
    {
      fault: "half forgotten by the responder",
      kind: "missing-half",
      severity: "high",
      node: "forgets-2b",
    },
    { evidence: ["recorded", "missing", ...PAIR] },
    { forgottenBy: "responder" },
  ),
  {
    ...pair(
      {
        fault: "counters altered: received more than sent",
        kind: "counters-differ",
        severity: "high",
        node: "alters-1a",
      },
      { evidence: ["difference", "halves", ...PAIR], says: isImpossible(true) },
      { sentBytes: 1_000, receivedBytes: 500_000 },
    ),
    node: "",
  },
  {
    ...pair(
      {
        fault: "counters altered: sent far more than received",
        kind: "counters-differ",
        severity: "high",
        node: "alters-2a",
      },
      { evidence: ["difference", "halves", ...PAIR], says: isImpossible(false) },
      { sentBytes: 1_000_000, receivedBytes: 10_000 },
    ),
    node: "",
  },
  {
    fault: "one node forgets what it had with two others",
    kind: "accused",
    severity: "critical",
    node: "lies",
    evidence: ["sinceMs", "witnesses", "todo"],
    says: ({ witnesses }) => namesOf(witnesses).join() === "witness-1,witness-2",
    restsOn: { kind: "missing-half", count: 2 },
    async prepare(world) {
      const to = await world.node("lies");
      const witnesses = [await world.node("witness-1"), await world.node("witness-2")];
      return (faulty) => {
        const how = faulty ? { forgottenBy: "responder" as const } : {};
        for (const from of witnesses) world.talk({ from, to, ...how });
      };
    },
  },
  {
    fault: "more declared lost than an honest node loses",
    kind: "gap-abuse",
    severity: "high",
    node: "abuses",
    evidence: ["kind", "excused", "connections", "causes", "sinceMs", "untilMs", "todo"],
    says: ({ kind, excused, causes }) =>
      kind === "budget" &&
      excused === DECLARED_LOST &&
      (causes as Record<string, unknown>)["gap"] === DECLARED_LOST,
    async prepare(world) {
      const from = await world.node("is-hidden");
      const to = await world.node("abuses");
      return (faulty) => {
        const how = faulty ? { forgottenBy: "responder" as const } : {};
        const fromMs = world.nowMs;
        for (let more = 0; more < DECLARED_LOST; more++) world.talk({ from, to, ...how });
        const atMs = world.nowMs;
        const what = { cause: "overflow", count: DECLARED_LOST, fromMs, toMs: atMs } as const;
        if (faulty) to.hand({ kind: "gap", atMs, ...what });
      };
    },
  },
  {
    fault: "counters altered at both ends: more than came in",
    kind: "exceeds-interfaces",
    severity: "medium",
    node: "exceeds-b",
    evidence: [
      "fromMs",
      "toMs",
      "carriedBytes",
      "connectionBytes",
      "allowedBytes",
      "first",
      "journalIndex",
      "seq",
      ...PAIR,
    ],
    says: ({ carriedBytes, connectionBytes }) =>
      carriedBytes === CAME_IN_BYTES && connectionBytes === INFLATED_BYTES,
    async prepare(world) {
      const from = await world.node("exceeds-a");
      const to = await world.node("exceeds-b");
      return async (faulty) => {
        readInterface(world, to, 0);
        await world.pass(APART_MS);
        world.talk({ from, to, sentBytes: faulty ? INFLATED_BYTES : CAME_IN_BYTES / 2 });
        await world.pass(APART_MS);
        await world.compared(to);
        for (const bytes of [CAME_IN_BYTES / 2, CAME_IN_BYTES]) {
          readInterface(world, to, bytes);
          await world.pass(APART_MS);
        }
      };
    },
  },
  {
    fault: "a connection dated back past what was said to be complete",
    kind: "back-dated",
    severity: "high",
    node: "dates-back",
    evidence: ["count", "journalIndex", "seq", "openedMs", "claimedMs", "todo"],
    says: ({ count, openedMs, claimedMs }) => count === 1 && Number(openedMs) < Number(claimedMs),
    async prepare(world) {
      const node = await world.node("dates-back");
      return async (faulty) => {
        await world.deliver(node);
        world.callOutside(node, faulty ? BACK_DATED_MS : 0);
      };
    },
  },
];
