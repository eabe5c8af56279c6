/** Making room on the server's disk by giving up the store's oldest days. */
import { Type } from "typebox";
import type { RouteTable } from "./route.ts";
import { exact } from "./schema.ts";

const Request = Type.Object(
  {
    before: Type.String({
      maxLength: 40,
      description:
        "days before this go: ISO 8601, or a duration ago (30d); the day itself stays, and at least the last one",
    }),
  },
  exact,
);

const Pruned = Type.Object({
  rows: Type.Integer(),
  bytes: Type.Integer({ description: "that they took on the disk" }),
  days: Type.Array(Type.String(), { description: "of which rows went, oldest first" }),
});

export const PRUNE_ROUTES = {
  "POST /prune": {
    summary:
      "Gives up searchable connections and logs of the oldest days; the journal, findings and their evidence stay",
    body: Request,
    answer: Pruned,
  },
} as const satisfies RouteTable;
