/** `POST /api/v1/prune`: makes room on a disk by giving up the store's oldest days. */
import { Type } from "typebox";
import { parseTime } from "../../std/duration.ts";
import { principalOf } from "../access/guard.ts";
import { changes } from "../access/route-config.ts";
import type { Api, ApiParts } from "../api.ts";
import { ServeError } from "../serve-error.ts";

const Request = Type.Object(
  {
    before: Type.String({
      maxLength: 40,
      description:
        "days before this go: ISO 8601, or a duration ago (30d); the day itself stays, and at least the last one",
    }),
  },
  { additionalProperties: false },
);

const Pruned = Type.Object({
  rows: Type.Integer(),
  bytes: Type.Integer({ description: "that they took on the disk" }),
  days: Type.Array(Type.String(), { description: "of which rows went, oldest first" }),
});

export function pruneRoutes(app: Api, { clock, retention }: ApiParts): void {
  app.post(
    "/prune",
    {
      config: changes("settings.write", "store.prune"),
      schema: {
        summary:
          "Gives up searchable connections and logs of the oldest days; the journal, findings and their evidence stay",
        body: Request,
        response: { 200: Pruned },
      },
    },
    async ({ body, principal }) => {
      const beforeMs = parseTime(body.before, clock.nowMs());
      if (beforeMs === undefined) {
        throw new ServeError("bad_request", "before is no time: write 30d (ago) or 2026-03-01");
      }
      const gone = await retention.prune(beforeMs, principalOf({ principal }).who);
      return {
        rows: gone.reduce((sum, { rows }) => sum + rows, 0),
        bytes: gone.reduce((sum, { bytes }) => sum + bytes, 0),
        days: [...new Set(gone.map(({ day }) => day))].toSorted(),
      };
    },
  );
}
