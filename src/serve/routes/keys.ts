/** `/api/v1/keys`: enrolment keys. The text of a key is shown once, when it is made. */
import { type Static, Type } from "typebox";
import { keyState, type StoredKey } from "../../control/key-table.ts";
import { formatEnrolmentKey } from "../../format/enrolment.ts";
import { changes, unaudited } from "../access/route-config.ts";
import { principalOf } from "../access/guard.ts";
import type { Api, ApiParts } from "../api.ts";
import { Key, NewKey } from "../../api/keys.ts";
import { shownOnce } from "../../api/schema.ts";

const Id = Type.Object({ id: Type.String({ maxLength: 64 }) });
const CreatedKey = Type.Interface([Key], {
  key: shownOnce(Type.String(), "hand it to the node; shown once"),
});

export function keyRoutes(app: Api, { control, clock, fingerprint }: ApiParts): void {
  const describe = (key: StoredKey): Static<typeof Key> => describeKey(key, clock.nowMs());

  app.post(
    "/keys",
    {
      config: changes("keys.write", "enrolment_key.create"),
      schema: { summary: "Makes an enrolment key", body: NewKey, response: { 201: CreatedKey } },
    },
    async (request, reply) => {
      const { reusable, needs_approval: needsApproval, ttl_ms: ttlMs, tags } = request.body;
      const { key, secret } = await control.keys.create(
        {
          ...(reusable === undefined ? {} : { reusable }),
          ...(needsApproval === undefined ? {} : { needsApproval }),
          ...(ttlMs === undefined ? {} : { ttlMs }),
          ...(tags === undefined ? {} : { tags }),
        },
        principalOf(request).who,
      );
      const id = Buffer.from(key.id, "base64url");
      const pin = fingerprint === undefined ? {} : { fingerprint };
      reply.code(201);
      return { key: formatEnrolmentKey({ id, secret, ...pin }), ...describe(key) };
    },
  );

  app.get(
    "/keys",
    {
      config: unaudited("keys.read"),
      schema: {
        summary: "All enrolment keys, newest first",
        response: { 200: Type.Object({ items: Type.Array(Key) }) },
      },
    },
    () => ({ items: control.keys.list().map(describe) }),
  );

  app.delete(
    "/keys/:id",
    {
      config: changes("keys.write", "enrolment_key.revoke"),
      schema: {
        summary: "Revokes a key; nodes that used it stay",
        params: Id,
        response: { 200: Key },
      },
    },
    async ({ params, principal }) => {
      const { who } = principalOf({ principal });
      return describe(await control.keys.revoke(params.id, who));
    },
  );
}

function time(atMs: number): string {
  return new Date(atMs).toISOString();
}

function describeKey(key: StoredKey, nowMs: number): Static<typeof Key> {
  return {
    id: key.id,
    state: keyState(key, nowMs),
    reusable: key.reusable,
    needs_approval: key.needsApproval,
    tags: [...key.tags],
    uses: key.uses,
    created_at: time(key.createdAtMs),
    created_by: key.createdBy,
    expires_at: time(key.expiresAtMs),
    revoked_at: key.revokedAtMs === undefined ? null : time(key.revokedAtMs),
  };
}
