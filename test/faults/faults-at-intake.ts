/** What somebody tries against the server in the name of a node. */
import { keyIdOf } from "../../src/format/identity.ts";
import { INGEST_LIMITS } from "../../src/ingest/limits.ts";
import { SimNode } from "../simulate/sim-node.ts";
import { alone, type FaultClass } from "./fault-class.ts";
import type { HttpNode } from "./http-node.ts";
import type { FoundFinding, World } from "./world.ts";

const INCIDENT = ["count", "firstAtMs", "lastAtMs", "samples"];

/** Another batch at the place of the node's next one, signed by the node's own key. */
function twinOf(world: World, { sim }: HttpNode): Buffer {
  const twin = new SimNode(sim.name);
  Object.assign(twin, {
    epoch: sim.epoch,
    batchNo: sim.batchNo,
    nextSeq: sim.nextSeq,
    head: sim.head,
  });
  twin.emit(world.line("another history"));
  return twin.seal(world.nowMs);
}

function forgery(world: World, victim: HttpNode): Buffer {
  const { nodeId, publicKey, batchNo, nextSeq, head } = victim.sim;
  const forger = new SimNode("forger");
  Object.assign(forger, { batchNo, nextSeq, head });
  forger.emit(world.line("not mine"));
  return forger.seal(world.nowMs, { nodeId, keyId: keyIdOf(publicKey) });
}

async function refused(node: HttpNode, frame: Buffer, code: string): Promise<void> {
  const { body } = await node.sendRaw(frame);
  if (body["code"] !== code) throw new Error(`expected ${code}, got ${JSON.stringify(body)}`);
}

function hasKeptFrame(evidence: FoundFinding["evidence"]): boolean {
  const [sample] = evidence["samples"] as readonly {
    evidenceIndex?: unknown;
    genuineIndex?: unknown;
  }[];
  return typeof sample?.evidenceIndex === "number" && typeof sample.genuineIndex === "number";
}

export const FAULTS_AT_INTAKE: readonly FaultClass[] = [
  alone(
    { fault: "batch replayed", kind: "replayed", severity: "high", node: "replayed" },
    { evidence: INCIDENT },
    async (world, node) => {
      const old = node.lastFrame;
      for (let more = 0; more < 2; more++) await world.deliver(node);
      await refused(node, old, "replayed");
    },
  ),
  alone(
    { fault: "chain forked", kind: "fork", severity: "critical", node: "forked" },
    { evidence: INCIDENT, says: hasKeptFrame },
    async (world, node) => {
      const twin = twinOf(world, node);
      world.say(node);
      await world.deliver(node);
      await refused(node, twin, "fork");
    },
  ),
  alone(
    { fault: "node forged", kind: "forged", severity: "high", node: "victim" },
    { evidence: INCIDENT },
    (world, node) => refused(node, forgery(world, node), "bad_signature"),
  ),
  {
    fault: "revoked key used on and on",
    kind: "revoked_key_used",
    severity: "high",
    node: "revoked",
    evidence: INCIDENT,
    async prepare(world) {
      const node = await world.node("revoked");
      const attempt = (): Promise<void> => refused(node, twinOf(world, node), "revoked_key");
      return async (faulty) => {
        await world.api.call("POST", `/api/v1/nodes/${node.id}/revoke`);
        world.quieten(node);
        // An honest node learns it by this answer.
        await attempt();
        if (!faulty) return;
        const { revokedTriesMax, revokedGraceMs } = INGEST_LIMITS;
        for (let more = 0; more < revokedTriesMax; more++) {
          await world.pass(Math.ceil(revokedGraceMs / revokedTriesMax) + 1);
          await attempt();
        }
      };
    },
  },
  alone(
    {
      fault: "batches of nodes that nobody enrolled",
      kind: "unknown_node",
      severity: "low",
      node: "",
    },
    { evidence: INCIDENT },
    async (world, node) => {
      const frame = new SimNode("stranger").seal(world.nowMs);
      const each = Array.from({ length: INGEST_LIMITS.unknownNodesFinding }, () => frame);
      while (each.length > 0) {
        await Promise.all(each.splice(0, 50).map((one) => refused(node, one, "unknown_node")));
      }
    },
  ),
];
