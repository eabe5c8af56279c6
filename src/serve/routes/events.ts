/** `/api/v1/events`: what comes and what changes, as server-sent events. */
import { type Static, Type } from "typebox";
import { NOTHING } from "../audit/audit-entry.ts";
import { normalQuery } from "../audit/normal-query.ts";
import { principalOf, requirePermission } from "../access/guard.ts";
import { tails } from "../access/route-config.ts";
import type { Api, ApiParts } from "../api.ts";
import type { Given } from "../events/event-stream.ts";
import { EventQuery } from "../../api/events.ts";
import { ServeError } from "../serve-error.ts";

const MEDIA = "text/event-stream";

const DESCRIPTION = `takes \`findings.read\` or \`connections.read\`, by the topic; events \`connection\` or \`finding\`: an item as the lists answer it, whose \`id\` is a \`follow\` cursor; \
\`hello\` (first, and after \`waiting\`): { cursor }; \`waiting\`: the store does not answer, and the stream goes on when it does; \
\`dropped\`: { count, from, to }, items between two cursors that were not read in time and are left out. A comment every 15 s`;

export function eventRoutes(app: Api, { events, reads }: ApiParts): void {
  app.addHook("preClose", async () => events.close());
  app.get(
    "/events",
    {
      // Which permission it takes is known by the topic.
      config: tails("self", "events.tail"),
      schema: {
        summary: "What comes and what changes, live, in the order of the journal",
        media: MEDIA,
        querystring: EventQuery,
        response: { 200: Type.String({ description: DESCRIPTION }) },
      },
    },
    async (request, reply) => {
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
    },
  );
}

/** Throws `bad_request` for a filter of the other topic: it would be ignored, and look like good news. */
function checkFilters(query: Static<typeof EventQuery>): void {
  const foreign =
    query.topic === "connections"
      ? (["kind", "severity", "state"] as const)
      : (["verdict"] as const);
  const given = foreign.find((name) => query[name] !== undefined);
  if (given === undefined) return;
  throw new ServeError("bad_request", `querystring ${given}: ${query.topic} have none`);
}
