/** `/api/v1/views`: saved views, one's own and those that others share. */
import { type View, VIEW_SETTINGS_CHARS_MAX, type ViewTopic } from "../../api/views.ts";
import type { SavedView } from "../../control/views.ts";
import { ownerOf } from "../../control/who.ts";
import { principalOf } from "../access/guard.ts";
import { changes, unaudited } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";
import { LISTINGS } from "../query/listings.ts";
import { whereConditions } from "../query/where.ts";
import { ServeError } from "../serve-error.ts";

export function viewRoutes(api: ApiScope, { control, clock }: ApiParts): void {
  const check = (topic: ViewTopic, query: string) => {
    whereConditions(query, LISTINGS[topic].catalogue, clock.nowMs());
  };

  api.route("GET /views", unaudited("views.write"), ({ principal }) => {
    const { id } = ownerOf(principalOf({ principal }).who);
    return { items: control.views.list(id).map((view) => describe(view, id)) };
  });

  api.route("POST /views", changes("views.write", "view.create"), async (request) => {
    const { settings = {}, shared = false, ...said } = request.body;
    checkSettings(settings);
    check(said.topic, said.query);
    const { who } = principalOf(request);
    return describe(
      await control.views.create({ ...said, settings, shared }, who),
      ownerOf(who).id,
    );
  });

  api.route(
    "PATCH /views/{id}",
    changes("views.write", "view.update"),
    async ({ params, body, principal }) => {
      const { who } = principalOf({ principal });
      checkSettings(body.settings ?? {});
      const before = control.views.list(ownerOf(who).id).find(({ id }) => id === params.id);
      if (before !== undefined) check(body.topic ?? before.topic, body.query ?? before.query);
      return describe(await control.views.update(params.id, body, who), ownerOf(who).id);
    },
  );

  api.route(
    "DELETE /views/{id}",
    changes("views.write", "view.delete"),
    async ({ params, principal }) => {
      await control.views.remove(params.id, principalOf({ principal }).who);
      return {};
    },
  );
}

function checkSettings(settings: object): void {
  const { length } = JSON.stringify(settings);
  if (length <= VIEW_SETTINGS_CHARS_MAX) return;
  throw new ServeError(
    "bad_request",
    `settings have ${length} characters, of ${VIEW_SETTINGS_CHARS_MAX}`,
  );
}

function describe(view: SavedView, callerId: string): View {
  const { id, name, topic, query, settings, shared, ownerId, ownerName, createdAtMs } = view;
  return {
    id,
    name,
    topic,
    query,
    settings,
    shared,
    owner: ownerName,
    is_own: ownerId === callerId,
    created_at: new Date(createdAtMs).toISOString(),
  };
}
