/** `/api/v1/views`: saved views, one's own and those that others share. */
import { type Static, Type } from "typebox";
import { type SavedView, VIEW_TOPICS, type ViewTopic } from "../../control/views.ts";
import { ownerOf } from "../../control/who.ts";
import { QUERY_CHARS_MAX } from "../../query/limits.ts";
import type { Catalogue } from "../../query/catalogue.ts";
import { AUDIT } from "../../query/catalogues/audit.ts";
import { CONNECTIONS } from "../../query/catalogues/connections.ts";
import { principalOf } from "../access/guard.ts";
import { changes, unaudited } from "../access/route-config.ts";
import type { Api, ApiParts } from "../api.ts";
import { FINDING_LISTING } from "../query/connection-list.ts";
import { whereConditions } from "../query/where.ts";
import { ServeError } from "../serve-error.ts";

const SETTINGS_CHARS_MAX = 4_000;
const exact = { additionalProperties: false } as const;

const content = {
  name: Type.String({ minLength: 1, maxLength: 128, pattern: "\\S" }),
  topic: Type.Enum([...VIEW_TOPICS]),
  query: Type.String({ maxLength: QUERY_CHARS_MAX, description: "docs/query.md" }),
  settings: Type.Record(Type.String(), Type.Unknown(), {
    description: `columns, range and the like, as they were given; at most ${SETTINGS_CHARS_MAX} characters of JSON`,
  }),
  shared: Type.Boolean({ description: "everybody sees it; its owner alone changes it" }),
};

const View = Type.Object({
  id: Type.String(),
  ...content,
  owner: Type.String({ description: "name of whose it is" }),
  is_own: Type.Boolean(),
  created_at: Type.String(),
});
const NewView = Type.Object(
  { ...content, settings: Type.Optional(content.settings), shared: Type.Optional(content.shared) },
  exact,
);
const ViewUpdate = Type.Partial(Type.Object(content), exact);
const Id = Type.Object({ id: Type.String({ maxLength: 64 }) });

const CATALOGUES: Readonly<Record<ViewTopic, Catalogue>> = {
  audit: AUDIT,
  connections: CONNECTIONS,
  findings: FINDING_LISTING.catalogue,
};

export function viewRoutes(app: Api, { control, clock }: ApiParts): void {
  const check = (topic: ViewTopic, query: string) => {
    whereConditions(query, CATALOGUES[topic], clock.nowMs());
  };

  app.get(
    "/views",
    {
      config: unaudited("views.write"),
      schema: {
        summary: "Saved views: one's own, and those that are shared",
        response: { 200: Type.Object({ items: Type.Array(View) }) },
      },
    },
    ({ principal }) => {
      const { id } = ownerOf(principalOf({ principal }).who);
      return { items: control.views.list(id).map((view) => describe(view, id)) };
    },
  );

  app.post(
    "/views",
    {
      config: changes("views.write", "view.create"),
      schema: { summary: "Saves a view", body: NewView, response: { 201: View } },
    },
    async (request, reply) => {
      const { settings = {}, shared = false, ...said } = request.body;
      checkSettings(settings);
      check(said.topic, said.query);
      const { who } = principalOf(request);
      reply.code(201);
      return describe(
        await control.views.create({ ...said, settings, shared }, who),
        ownerOf(who).id,
      );
    },
  );

  app.patch(
    "/views/:id",
    {
      config: changes("views.write", "view.update"),
      schema: {
        summary: "Changes one's own view",
        params: Id,
        body: ViewUpdate,
        response: { 200: View },
      },
    },
    async ({ params, body, principal }) => {
      const { who } = principalOf({ principal });
      checkSettings(body.settings ?? {});
      const before = control.views.list(ownerOf(who).id).find(({ id }) => id === params.id);
      if (before !== undefined) check(body.topic ?? before.topic, body.query ?? before.query);
      return describe(await control.views.update(params.id, body, who), ownerOf(who).id);
    },
  );

  app.delete(
    "/views/:id",
    {
      config: changes("views.write", "view.delete"),
      schema: { summary: "Removes one's own view", params: Id, response: { 200: Type.Object({}) } },
    },
    async ({ params, principal }) => {
      await control.views.remove(params.id, principalOf({ principal }).who);
      return {};
    },
  );
}

function checkSettings(settings: object): void {
  const { length } = JSON.stringify(settings);
  if (length <= SETTINGS_CHARS_MAX) return;
  throw new ServeError(
    "bad_request",
    `settings have ${length} characters, of ${SETTINGS_CHARS_MAX}`,
  );
}

function describe(view: SavedView, callerId: string): Static<typeof View> {
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
