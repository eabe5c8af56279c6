/** The webhook: where findings are sent. */
import { type Static, Type } from "typebox";
import { SEVERITIES } from "../format/entry.ts";
import type { RouteTable } from "./route.ts";
import { MaybeTime, shownOnce, Time } from "./schema.ts";

const Severities = Type.Array(Type.Enum([...SEVERITIES]), { minItems: 1, maxItems: 4 });

export const NewWebhook = Type.Object(
  {
    url: Type.String({
      maxLength: 2_000,
      description: "https; plain http to this machine's loopback alone",
    }),
    severities: Type.Optional(Severities),
    new_secret: Type.Optional(
      Type.Boolean({ description: "makes another secret; a new webhook has one anyway" }),
    ),
  },
  { additionalProperties: false },
);

export const Webhook = Type.Object({
  url: Type.String({ description: "whole for whoever may change it, else the origin and `/…`" }),
  severities: Severities,
  url_set_at: Time,
  secret_set_at: Time,
  last_success_at: MaybeTime,
  last_error: Type.Union([Type.Null(), Type.Object({ at: Time, reason: Type.String() })], {
    description: "the last one, also when others were delivered after it",
  }),
  failures: Type.Integer({ description: "since the last success, or the server's start" }),
  next_try_at: MaybeTime,
  waiting: Type.Union([Type.Integer(), Type.Null()], {
    description: "changes of findings that it has not taken; null: the store does not answer",
  }),
});
export type Webhook = Static<typeof Webhook>;

export const SetWebhook = Type.Interface([Webhook], {
  secret: shownOnce(Type.String(), "to check signatures by; null where it is the one of before"),
});

export const TestedWebhook = Type.Object({
  delivered: Type.Boolean(),
  reason: Type.Union([Type.String(), Type.Null()], { description: "why not" }),
});

export const WEBHOOK_ROUTES = {
  "GET /webhook": { summary: "Where findings are sent, and how that goes", answer: Webhook },
  "PUT /webhook": {
    summary: "Sends each change of a finding to a URL, signed (Standard Webhooks)",
    body: NewWebhook,
    answer: SetWebhook,
  },
  "DELETE /webhook": { summary: "Sends findings nowhere", status: 204 },
  "POST /webhook/test": {
    summary: "Sends a message that says nothing, and tells what became of it",
    answer: TestedWebhook,
  },
} as const satisfies RouteTable;
