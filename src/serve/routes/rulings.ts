/** `/api/v1/findings/{id}/excuse`, `…/acknowledge`, `…/reopen`: a person's word, durable when answered. */
import { Type } from "typebox";
import type { Ruling } from "../../format/entry.ts";
import { REASON_CHARS_MAX } from "../../format/limits.ts";
import { changes } from "../access/route-config.ts";
import { principalOf } from "../access/guard.ts";
import type { Api, ApiParts } from "../api.ts";
import { findFinding, withProposal } from "../find-finding.ts";
import { findingIdOf, ID_DESCRIPTION } from "../query/id-prefix.ts";
import { Rulings } from "../rulings.ts";
import { Finding } from "../../api/findings.ts";

const exact = { additionalProperties: false } as const;

const Id = Type.Object({ id: Type.String({ description: ID_DESCRIPTION }) });
const Request = Type.Object(
  {
    reason: Type.String({
      minLength: 1,
      maxLength: REASON_CHARS_MAX,
      pattern: "\\S",
      description: "why; it is journaled with the ruling",
    }),
    expires_at: Type.Optional(
      Type.String({
        maxLength: 40,
        description:
          "ISO 8601, at most 90 days away, when it opens again. Without it an excuse ends after 90 days, an acknowledgement never; reopening takes none",
      }),
    ),
  },
  exact,
);

const ACTIONS = {
  excuse: ["excused", "The mismatch has a harmless reason: its connection is shown as excused"],
  acknowledge: ["acknowledged", "The finding is known and accepted, an opt-out say"],
  reopen: ["reopened", "Takes an excuse or acknowledgement back"],
} as const satisfies Readonly<Record<string, readonly [Ruling, summary: string]>>;

export function rulingRoutes(app: Api, parts: ApiParts): void {
  const rulings = new Rulings({
    clock: parts.clock,
    committed: () => parts.vitals().committed,
    find: (id) => findFinding(parts.store, id),
    control: parts.control,
  });
  for (const [action, [ruling, summary]] of Object.entries(ACTIONS)) {
    app.post(
      `/findings/:id/${action}`,
      {
        config: changes("findings.rule", `finding.${action}`),
        schema: { summary, params: Id, body: Request, response: { 200: Finding } },
      },
      async (request) => {
        const { params, body } = request;
        const { reason, expires_at: expiresAt } = body;
        const more = expiresAt === undefined ? {} : { expiresAt };
        const id = await findingIdOf(parts.store, params.id);
        const { who, user } = principalOf(request);
        const by = user === undefined ? { who } : { who, user };
        const ruled = await rulings.rule({ id, ruling, reason, ...by, ...more });
        return withProposal(ruled, parts.control.proposals);
      },
    );
  }

  app.post(
    "/findings/:id/confirm",
    {
      config: changes("findings.rule", "finding.confirm"),
      schema: {
        summary: "A second person confirms what the owner of a node proposed about a finding of it",
        params: Id,
        response: { 200: Finding },
      },
    },
    async ({ params, principal }) => {
      const id = await findingIdOf(parts.store, params.id);
      const { who, user } = principalOf({ principal });
      const ruled = await rulings.confirm(id, user === undefined ? { who } : { who, user });
      return withProposal(ruled, parts.control.proposals);
    },
  );
}
