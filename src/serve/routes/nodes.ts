/** `/api/v1/nodes` and `/api/v1/status`. */
import { type Static, Type } from "typebox";
import type { ControlNode } from "../../control/node-table.ts";
import { isOwnAddress } from "../access/own-addresses.ts";
import { changes, unaudited } from "../access/route-config.ts";
import { principalOf } from "../access/guard.ts";
import type { Api, ApiParts } from "../api.ts";
import { CoverageReader } from "../coverage/read-coverage.ts";
import { nodeIdOf } from "../query/id-prefix.ts";
import { describeNode, readNodeRows } from "../node-status.ts";
import { Node, Status } from "../schemas.ts";
import { readStatus } from "../status.ts";

const Id = Type.Object({
  id: Type.String({
    description:
      "a node's name, its id, or the first 6 digits and more of it where no other id begins so; of several with one name the active one",
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
    "/nodes/:id",
    {
      config: unaudited("nodes.read"),
      schema: { summary: "One node", params: Id, response: { 200: Node } },
    },
    ({ params }) => show(parts, control.nodes.find(nodeIdOf(control.nodes.list(), params.id))),
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

async function show({ store, clock }: ApiParts, node: ControlNode): Promise<Static<typeof Node>> {
  return describeNode(node, await readNodeRows(store), clock.nowMs());
}
