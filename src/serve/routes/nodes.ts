/** `/api/v1/nodes` and `/api/v1/status`. */
import type { Node, WaitingNode } from "../../api/nodes.ts";
import type { ControlNode } from "../../control/node-table.ts";
import type { WaitingNode as WaitingNodeRow } from "../../control/waiting-nodes.ts";
import { principalOf } from "../access/guard.ts";
import { isOwnAddress } from "../access/own-addresses.ts";
import { changes, unaudited } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";
import { CoverageReader } from "../coverage/read-coverage.ts";
import { describeNode, readNodeRows } from "../node-status.ts";
import { nodeIdOf } from "../query/id-prefix.ts";
import { readStatus } from "../status.ts";

export function nodeRoutes(api: ApiScope, parts: ApiParts): void {
  const { control, store, clock } = parts;
  const nodes = () => control.nodes.list().filter(({ state }) => state === "active");
  const isOwn = (address: string) => address === parts.publicHost || isOwnAddress(address);
  const coverage = new CoverageReader({ store, clock, nodes, isOwn });

  api.route("GET /status", unaudited("status.read"), () => readStatus(parts, coverage));

  api.route("GET /nodes", unaudited("nodes.read"), async () => {
    const rows = await readNodeRows(store);
    return { items: control.nodes.list().map((node) => describeNode(node, rows, clock.nowMs())) };
  });

  api.route("GET /nodes/waiting", unaudited("nodes.read"), () => ({
    items: control.nodes.waiting().map(describeWaiting),
  }));

  api.route(
    "POST /nodes/waiting/{id}/approve",
    changes("nodes.write", "node.approve"),
    async ({ params, principal }) => {
      const { who } = principalOf({ principal });
      return show(parts, await control.nodes.approve(params.id, who));
    },
  );

  api.route(
    "POST /nodes/waiting/{id}/reject",
    changes("nodes.write", "node.reject"),
    async ({ params, principal }) => {
      const { who } = principalOf({ principal });
      return describeWaiting(await control.nodes.reject(params.id, who));
    },
  );

  api.route("GET /nodes/{id}", unaudited("nodes.read"), ({ params }) =>
    show(parts, control.nodes.find(nodeIdOf(control.nodes.list(), params.id))),
  );

  api.route(
    "PATCH /nodes/{id}",
    changes("nodes.write", "node.update"),
    async ({ params, body, principal }) => {
      const id = nodeIdOf(control.nodes.list(), params.id);
      const { who } = principalOf({ principal });
      return show(parts, await control.nodes.update(id, body, who));
    },
  );

  api.route(
    "POST /nodes/{id}/revoke",
    changes("nodes.write", "node.revoke"),
    async ({ params, principal }) => {
      const id = nodeIdOf(control.nodes.list(), params.id);
      const { who } = principalOf({ principal });
      return show(parts, await control.nodes.revoke(id, who));
    },
  );
}

function describeWaiting(node: WaitingNodeRow): WaitingNode {
  const { id, name, address, askedAtMs, enrolmentKey, publicKey } = node;
  const asked_at = new Date(askedAtMs).toISOString();
  return { id, name, address, asked_at, enrolment_key: enrolmentKey, public_key: publicKey };
}

async function show({ store, clock }: ApiParts, node: ControlNode): Promise<Node> {
  return describeNode(node, await readNodeRows(store), clock.nowMs());
}
