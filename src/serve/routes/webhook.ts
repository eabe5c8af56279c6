/** `/api/v1/webhook`: where findings are sent, and how that goes. */
import { type Static, Type } from "typebox";
import type { Webhook as StoredWebhook } from "../../control/webhook.ts";
import { ControlError } from "../../control/control-error.ts";
import { SEVERITIES } from "../../format/entry.ts";
import { StoreError } from "../../store/store-error.ts";
import { changes, unaudited } from "../access/route-config.ts";
import { principalOf } from "../access/guard.ts";
import { mayPrincipal } from "../access/principal.ts";
import type { Api, ApiParts } from "../api.ts";
import { FINDING_LISTING } from "../query/connection-list.ts";
import { followFrom } from "../query/list-statement.ts";
import { NewWebhook, SetWebhook, TestedWebhook, Webhook } from "../../api/webhook.ts";
import { parseTarget } from "../webhook/target.ts";

export function webhookRoutes(app: Api, parts: ApiParts): void {
  const { control, webhook: sender } = parts;
  const { webhooks } = control;
  app.addHook("preClose", async () => sender.close());

  app.get(
    "/webhook",
    {
      config: unaudited("settings.read"),
      schema: { summary: "Where findings are sent, and how that goes", response: { 200: Webhook } },
    },
    async ({ principal }) => {
      const known = webhooks.get();
      if (known === undefined) throw new ControlError("no_webhook", "findings are sent nowhere");
      const described = await describe(parts, known);
      if (mayPrincipal(principalOf({ principal }), "settings.write")) return described;
      // The rest may be all that it takes to write to the receiver.
      return { ...described, url: `${new URL(known.url).origin}/…` };
    },
  );

  app.put(
    "/webhook",
    {
      config: changes("settings.write", "webhook.set"),
      schema: {
        summary: "Sends each change of a finding to a URL, signed (Standard Webhooks)",
        body: NewWebhook,
        response: { 200: SetWebhook },
      },
    },
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

  app.delete(
    "/webhook",
    {
      config: changes("settings.write", "webhook.remove"),
      schema: { summary: "Sends findings nowhere", response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      await webhooks.remove(principalOf(request).who);
      sender.changed();
      return reply.code(204).send();
    },
  );

  app.post(
    "/webhook/test",
    {
      config: changes("settings.write", "webhook.test"),
      schema: {
        summary: "Sends a message that says nothing, and tells what became of it",
        response: { 200: TestedWebhook },
      },
    },
    async ({ principal }) => {
      const posted = await sender.test(await webhooks.test(principalOf({ principal }).who));
      return { delivered: posted.ok, reason: posted.ok ? null : posted.reason };
    },
  );
}

async function describe(
  { webhook: sender }: ApiParts,
  known: StoredWebhook,
): Promise<Static<typeof Webhook>> {
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
