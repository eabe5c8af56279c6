/** `/api/v1/webhook`: where findings are sent, and how that goes. */
import type { Webhook } from "../../api/webhook.ts";
import { ControlError } from "../../control/control-error.ts";
import type { Webhook as StoredWebhook } from "../../control/webhook.ts";
import { SEVERITIES } from "../../format/entry.ts";
import { StoreError } from "../../store/store-error.ts";
import { principalOf } from "../access/guard.ts";
import { mayPrincipal } from "../access/principal.ts";
import { changes, unaudited } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";
import { FINDING_LISTING } from "../query/connection-list.ts";
import { followFrom } from "../query/list-statement.ts";
import { parseTarget } from "../webhook/target.ts";

export function webhookRoutes(api: ApiScope, parts: ApiParts): void {
  const { control, webhook: sender } = parts;
  const { webhooks } = control;
  api.onClose(() => sender.close());

  api.route("GET /webhook", unaudited("settings.read"), async ({ principal }) => {
    const known = webhooks.get();
    if (known === undefined) throw new ControlError("no_webhook", "findings are sent nowhere");
    const described = await describe(parts, known);
    if (mayPrincipal(principalOf({ principal }), "settings.write")) return described;
    // The rest may be all that it takes to write to the receiver.
    return { ...described, url: `${new URL(known.url).origin}/…` };
  });

  api.route(
    "PUT /webhook",
    changes("settings.write", "webhook.set"),
    async ({ body, principal }) => {
      const { url, severities = [...SEVERITIES], new_secret: newSecret = false } = body;
      parseTarget(url);
      // What is journaled from now on is sent, whether the store answers or not.
      const place = followFrom(FINDING_LISTING, parts.vitals().journalEnd);
      const asked = { url, severities: SEVERITIES.filter((each) => severities.includes(each)) };
      const { who } = principalOf({ principal });
      const set = await webhooks.set({ ...asked, newSecret, place }, who);
      sender.changed();
      return { ...(await describe(parts, set.webhook)), secret: set.secret ?? null };
    },
  );

  api.route("DELETE /webhook", changes("settings.write", "webhook.remove"), async (request) => {
    await webhooks.remove(principalOf(request).who);
    sender.changed();
  });

  api.route(
    "POST /webhook/test",
    changes("settings.write", "webhook.test"),
    async ({ principal }) => {
      const posted = await sender.test(await webhooks.test(principalOf({ principal }).who));
      return { delivered: posted.ok, reason: posted.ok ? null : posted.reason };
    },
  );
}

async function describe({ webhook: sender }: ApiParts, known: StoredWebhook): Promise<Webhook> {
  const { url, severities, urlSetAtMs, secretSetAtMs, delivered, failed } = known;
  return {
    url,
    severities: [...severities],
    url_set_at: time(urlSetAtMs),
    secret_set_at: time(secretSetAtMs),
    last_success_at: delivered === undefined ? null : time(delivered.atMs),
    last_error: failed === undefined ? null : { at: time(failed.atMs), reason: failed.reason },
    failures: sender.failures,
    next_try_at: sender.retryAtMs === undefined ? null : time(sender.retryAtMs),
    waiting: await orNull(sender.waiting(known)),
  };
}

function time(atMs: number): string {
  return new Date(atMs).toISOString();
}

async function orNull(count: Promise<number>): Promise<number | null> {
  try {
    return await count;
  } catch (error) {
    if (error instanceof StoreError) return null;
    throw error;
  }
}
