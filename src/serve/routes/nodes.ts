/** `/api/v1/nodes` and `/api/v1/status`. */
import { type Static, Type } from "typebox";
import type { WaitingNode as WaitingNodeRow } from "../../control/waiting-nodes.ts";
import type { ControlNode } from "../../control/node-table.ts";
import { isOwnAddress } from "../access/own-addresses.ts";
import { changes, unaudited } from "../access/route-config.ts";
import { principalOf } from "../access/guard.ts";
import type { Api, ApiParts } from "../api.ts";
import { CoverageReader } from "../coverage/read-coverage.ts";
import { nodeIdOf } from "../query/id-prefix.ts";
import { describeNode, readNodeRows } from "../node-status.ts";
import { Node, NodeChange, WaitingNode } from "../../api/nodes.ts";
import { Status } from "../../api/status.ts";
import { readStatus } from "../status.ts";

const Id = Type.Object({
  id: Type.String({
    description:
      "a node's name, its id, or the first 6 digits and more of it where no other id begins so; of several with one name the active one",
  }),
});

const WaitingId = Type.Object({
  id: Type.String({
    maxLength: 63,
    description: "its id, or a name that no other waiting node has",
  }),
});

export function nodeRoutes(app: Api, parts: ApiParts): void {
  const { control, store, clock } = parts;
  const nodes = () => control.nodes.list().filter(({ state }) => state === "active");
  const isOwn = (address: string) => address === parts.publicHost || isOwnAddress(address);
  const coverage = new CoverageReader({ store, clock, nodes, isOwn });

  app.get(
    "/status",
    {
      config: unaudited("status.read"),
      schema: { summary: "The state of everything", response: { 200: Status } },
    },
    () => readStatus(parts, coverage),
  );

  app.get(
    "/nodes",
    {
      config: unaudited("nodes.read"),
      schema: { summary: "All nodes", response: { 200: Type.Object({ items: Type.Array(Node) }) } },
    },
    async () => {
      const rows = await readNodeRows(store);
      return { items: control.nodes.list().map((node) => describeNode(node, rows, clock.nowMs())) };
    },
  );

  app.get(
    "/nodes/waiting",
    {
      config: unaudited("nodes.read"),
      schema: {
        summary: "Nodes that asked to join and wait to be let in, the longest waiting first",
        response: { 200: Type.Object({ items: Type.Array(WaitingNode) }) },
      },
    },
    () => ({ items: control.nodes.waiting().map(describeWaiting) }),
  );

  app.post(
    "/nodes/waiting/:id/approve",
    {
      config: changes("nodes.write", "node.approve"),
      schema: { summary: "Lets a waiting node in", params: WaitingId, response: { 200: Node } },
    },
    async ({ params, principal }) => {
      const { who } = principalOf({ principal });
      return show(parts, await control.nodes.approve(params.id, who));
    },
  );

  app.post(
    "/nodes/waiting/:id/reject",
    {
      config: changes("nodes.write", "node.reject"),
      schema: {
        summary: "Turns a waiting node away; it may ask again",
        params: WaitingId,
        response: { 200: WaitingNode },
      },
    },
    async ({ params, principal }) => {
      const { who } = principalOf({ principal });
      return describeWaiting(await control.nodes.reject(params.id, who));
    },
  );

  app.get(
    "/nodes/:id",
    {
      config: unaudited("nodes.read"),
      schema: { summary: "One node", params: Id, response: { 200: Node } },
    },
    ({ params }) => show(parts, control.nodes.find(nodeIdOf(control.nodes.list(), params.id))),
  );

  app.patch(
    "/nodes/:id",
    {
      config: changes("nodes.write", "node.update"),
      schema: {
        summary: "Changes what people call a node, whose it is, and its tags",
        params: Id,
        body: NodeChange,
        response: { 200: Node },
      },
    },
    async ({ params, body, principal }) => {
      const id = nodeIdOf(control.nodes.list(), params.id);
      const { who } = principalOf({ principal });
      return show(parts, await control.nodes.update(id, body, who));
    },
  );

  app.post(
    "/nodes/:id/revoke",
    {
      config: changes("nodes.write", "node.revoke"),
      schema: {
        summary: "Refuses the node's key from now on; its history stays",
        params: Id,
        response: { 200: Node },
      },
    },
    async ({ params, principal }) => {
      const id = nodeIdOf(control.nodes.list(), params.id);
      const { who } = principalOf({ principal });
      return show(parts, await control.nodes.revoke(id, who));
    },
  );
}

function describeWaiting(node: WaitingNodeRow): Static<typeof WaitingNode> {
  const { id, name, address, askedAtMs, enrolmentKey, publicKey } = node;
  const asked_at = new Date(askedAtMs).toISOString();
  return { id, name, address, asked_at, enrolment_key: enrolmentKey, public_key: publicKey };
}

async function show({ store, clock }: ApiParts, node: ControlNode): Promise<Static<typeof Node>> {
  return describeNode(node, await readNodeRows(store), clock.nowMs());
}
