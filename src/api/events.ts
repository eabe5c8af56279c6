/** What comes and what changes, as a stream. */
import { type Static, Type } from "typebox";
import { ConnectionQuery } from "./connections.ts";
import { FindingQuery } from "./findings.ts";
import { listFields } from "./list.ts";
import type { RouteTable } from "./route.ts";
import { exact } from "./schema.ts";

export const EventQuery = Type.Object(
  {
    topic: Type.Enum(["connections", "findings"]),
    until: listFields.until,
    node: listFields.node,
    where: listFields.where,
    verdict: ConnectionQuery.properties.verdict,
    kind: FindingQuery.properties.kind,
    severity: FindingQuery.properties.severity,
    state: FindingQuery.properties.state,
    last_event_id: Type.Optional(
      Type.String({
        maxLength: 200,
        description:
          "goes on after it: the `id` of the last event, or `follow` of a list; the header `Last-Event-ID` does the same",
      }),
    ),
  },
  exact,
);
export type EventQuery = Static<typeof EventQuery>;

const DESCRIPTION = `takes \`findings.read\` or \`connections.read\`, by the topic; events \`connection\` or \`finding\`: an item as the lists answer it, whose \`id\` is a \`follow\` cursor; \
\`hello\` (first, and after \`waiting\`): { cursor }; \`waiting\`: the store does not answer, and the stream goes on when it does; \
\`dropped\`: { count, from, to }, items between two cursors that were not read in time and are left out. A comment every 15 s`;

export const EVENT_ROUTES = {
  "GET /events": {
    summary: "What comes and what changes, live, in the order of the journal",
    media: "text/event-stream",
    query: EventQuery,
    answer: Type.String({ description: DESCRIPTION }),
  },
} as const satisfies RouteTable;
