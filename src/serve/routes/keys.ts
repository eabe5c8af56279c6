/** `/api/v1/keys`: enrolment keys. The text of a key is shown once, when it is made. */
import type { Key } from "../../api/keys.ts";
import { keyState, type StoredKey } from "../../control/key-table.ts";
import { formatEnrolmentKey } from "../../format/enrolment.ts";
import { principalOf } from "../access/guard.ts";
import { changes, unaudited } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";

export function keyRoutes(api: ApiScope, { control, clock, fingerprint }: ApiParts): void {
  const describe = (key: StoredKey): Key => describeKey(key, clock.nowMs());

  api.route("POST /keys", changes("keys.write", "enrolment_key.create"), async (request) => {
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
    return { key: formatEnrolmentKey({ id, secret, ...pin }), ...describe(key) };
  });

  api.route("GET /keys", unaudited("keys.read"), () => ({
    items: control.keys.list().map(describe),
  }));

  api.route(
    "DELETE /keys/{id}",
    changes("keys.write", "enrolment_key.revoke"),
    async ({ params, principal }) => {
      const { who } = principalOf({ principal });
      return describe(await control.keys.revoke(params.id, who));
    },
  );
}

function time(atMs: number): string {
  return new Date(atMs).toISOString();
}

function describeKey(key: StoredKey, nowMs: number): Key {
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
