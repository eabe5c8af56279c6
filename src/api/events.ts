/** What comes and what changes, as a stream. */
import { Type } from "typebox";
import { ConnectionQuery } from "./connections.ts";
import { FindingQuery } from "./findings.ts";
import { listFields } from "./list.ts";
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
