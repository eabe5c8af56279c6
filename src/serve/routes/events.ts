/** `/api/v1/events`: what comes and what changes, as server-sent events. */
import type { EventQuery } from "../../api/events.ts";
import { principalOf, requirePermission } from "../access/guard.ts";
import { tails } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";
import { NOTHING } from "../audit/audit-entry.ts";
import { normalQuery } from "../audit/normal-query.ts";
import type { Given } from "../events/event-stream.ts";
import { ServeError } from "../serve-error.ts";

const MEDIA = "text/event-stream";

export function eventRoutes(api: ApiScope, { events, reads }: ApiParts): void {
  api.onClose(() => events.close());
  // Which permission it takes is known by the topic.
  api.route("GET /events", tails("self", "events.tail"), async (request, reply) => {
    const { last_event_id: given, ...watch } = request.query;
    const principal = principalOf(request);
    requirePermission(principal, `${watch.topic}.read`);
    checkFilters(watch);
    const after = given ?? [request.headers["last-event-id"]].flat()[0] ?? "";
    const from = after === "" ? {} : { after };
    const { who } = principal;
    const place = events.reserve(watch, {
      ...from,
      principal: `${who.actor.type} ${who.actor.id}`,
    });
    const action = `${watch.topic}.tail`;
    const tail = reads.tail({ who, action, target: NOTHING, query: normalQuery(request) });
    const onEnd = (gave: Given) => {
      place.release();
      tail.ended({ ...gave });
    };
    try {
      await tail.recorded;
      const stream = await events.open(watch, { ...from, signal: request.gone, onEnd });
      return reply.header("x-accel-buffering", "no").type(MEDIA).send(stream.body);
    } catch (error) {
      onEnd({ rows: 0, bytes: 0, dropped: 0 });
      throw error;
    }
  });
}

/** Throws `bad_request` for a filter of the other topic: it would be ignored, and look like good news. */
function checkFilters(query: EventQuery): void {
  const foreign =
    query.topic === "connections"
      ? (["kind", "severity", "state"] as const)
      : (["verdict"] as const);
  const given = foreign.find((name) => query[name] !== undefined);
  if (given === undefined) return;
  throw new ServeError("bad_request", `querystring ${given}: ${query.topic} have none`);
}
