/** For load balancers and Prometheus: open to whoever reaches the port, so they tell no names. */
import type { FastifyInstance } from "fastify";
import { OPEN } from "../access/route-config.ts";
import type { ApiParts } from "../api.ts";
import { formatMetrics, metricsOf, type NodeTotals } from "../metrics.ts";
import { describeNode, readNodeRows } from "../node-status.ts";

const open = { config: OPEN };

export function healthRoutes(app: FastifyInstance, parts: ApiParts): void {
  app.get("/healthz", open, async () => ({ status: "ok" }));

  // Ready means that agents are served. They are, while the store is away.
  app.get("/readyz", open, async (_request, reply) => {
    const failed = parts.vitals().journalFailure !== undefined;
    return reply.code(failed ? 503 : 200).send({ status: failed ? "journal_failed" : "ready" });
  });

  app.get("/metrics", open, async (_request, reply) => {
    const text = formatMetrics(metricsOf(parts.vitals(), await nodeTotals(parts)));
    return reply.type("text/plain; version=0.0.4; charset=utf-8").send(text);
  });
}

async function nodeTotals({ control, store, clock }: ApiParts): Promise<NodeTotals> {
  const rows = await readNodeRows(store);
  const nowMs = clock.nowMs();
  const byState = new Map<string, number>();
  let lagMaxS: number | undefined;
  for (const node of control.nodes.list()) {
    const { state, lag_ms } = describeNode(node, rows, nowMs);
    byState.set(state, (byState.get(state) ?? 0) + 1);
    if (state === "active" && lag_ms !== null) lagMaxS = Math.max(lagMaxS ?? 0, lag_ms / 1000);
  }
  return { isStoreUp: rows !== undefined, byState, ...(lagMaxS === undefined ? {} : { lagMaxS }) };
}
