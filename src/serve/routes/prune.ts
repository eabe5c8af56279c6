/** `POST /api/v1/prune`: makes room on a disk by giving up the store's oldest days. */
import { parseTime } from "../../std/duration.ts";
import { principalOf } from "../access/guard.ts";
import { changes } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";
import { ServeError } from "../serve-error.ts";

export function pruneRoutes(api: ApiScope, { clock, retention }: ApiParts): void {
  api.route(
    "POST /prune",
    changes("settings.write", "store.prune"),
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
