/** Where routes of the public API are registered: what each takes and answers stands in its table (src/api). */
import type {
  FastifyContextConfig,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  FastifySchema,
} from "fastify";
import { Type } from "typebox";
import { partsOf, type Route } from "../api/route.ts";
import { type Answer, type Given, type RouteName, ROUTES } from "../api/routes.ts";

export type RouteRequest<Name extends RouteName> = FastifyRequest<{
  Params: Given<Name, "params">;
  Querystring: Given<Name, "query">;
  Body: Given<Name, "body">;
}>;

type Answered<Name extends RouteName> =
  | (Answer<Name> extends undefined ? void : Answer<Name>)
  | FastifyReply;

export type RouteHandler<Name extends RouteName> = (
  request: RouteRequest<Name>,
  reply: FastifyReply,
) => Answered<Name> | Promise<Answered<Name>>;

const NO_CONTENT = 204;

export class ApiScope {
  readonly #scope: FastifyInstance;

  constructor(scope: FastifyInstance) {
    this.#scope = scope;
  }

  /** `config` is what the table does not say: who may, and what is left in the audit. */
  route<Name extends RouteName>(
    name: Name,
    config: FastifyContextConfig,
    handler: RouteHandler<Name>,
  ): void {
    const { method, path } = partsOf(name);
    const route: Route = ROUTES[name];
    this.#scope.route({
      method,
      url: path.replaceAll(/\{(\w+)\}/g, ":$1"),
      config,
      schema: schemaOf(route),
      handler: async (request, reply) => {
        if (route.status !== undefined) reply.code(route.status);
        // The request has been checked by the schemas of the same route.
        const answer = await handler(request as RouteRequest<Name>, reply);
        return route.status === NO_CONTENT ? reply.send() : answer;
      },
    });
  }

  /** When the server closes, before it waits for requests that go on. */
  onClose(close: () => void | Promise<void>): void {
    this.#scope.addHook("preClose", async () => close());
  }
}

function schemaOf({ summary, media, params, query, body, status, answer }: Route) {
  const answers = status === NO_CONTENT ? Type.Null() : answer;
  const schema: FastifySchema = {
    summary,
    ...(media === undefined ? {} : { media }),
    ...(params === undefined ? {} : { params }),
    ...(query === undefined ? {} : { querystring: query }),
    ...(body === undefined ? {} : { body }),
    ...(answers === undefined ? {} : { response: { [status ?? 200]: answers } }),
  };
  return schema;
}
