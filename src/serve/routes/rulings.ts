/** `/api/v1/findings/{id}/excuse`, `…/acknowledge`, `…/reopen`: a person's word, durable when answered. */
import type { Ruling } from "../../format/entry.ts";
import { principalOf } from "../access/guard.ts";
import { changes } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";
import { findFinding, findingAnswer } from "../find-finding.ts";
import { findingIdOf } from "../query/id-prefix.ts";
import { Rulings } from "../rulings.ts";

const RULINGS = [
  ["excuse", "excused"],
  ["acknowledge", "acknowledged"],
  ["reopen", "reopened"],
] as const satisfies readonly (readonly [action: string, Ruling])[];

export function rulingRoutes(api: ApiScope, parts: ApiParts): void {
  const rulings = new Rulings({
    clock: parts.clock,
    committed: () => parts.vitals().committed,
    find: (id) => findFinding(parts.store, id),
    control: parts.control,
  });
  for (const [action, ruling] of RULINGS) {
    api.route(
      `POST /findings/{id}/${action}` as const,
      changes("findings.rule", `finding.${action}`),
      async (request) => {
        const { params, body } = request;
        const { reason, expires_at: expiresAt } = body;
        const more = expiresAt === undefined ? {} : { expiresAt };
        const id = await findingIdOf(parts.store, params.id);
        const { who, user } = principalOf(request);
        const by = user === undefined ? { who } : { who, user };
        const ruled = await rulings.rule({ id, ruling, reason, ...by, ...more });
        return findingAnswer(ruled, parts.control.proposals);
      },
    );
  }

  api.route(
    "POST /findings/{id}/confirm",
    changes("findings.rule", "finding.confirm"),
    async ({ params, principal }) => {
      const id = await findingIdOf(parts.store, params.id);
      const { who, user } = principalOf({ principal });
      const ruled = await rulings.confirm(id, user === undefined ? { who } : { who, user });
      return findingAnswer(ruled, parts.control.proposals);
    },
  );
}
