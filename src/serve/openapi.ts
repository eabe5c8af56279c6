/** The API's description, from the schemas that check it: OpenAPI 3.1 takes JSON Schema as it is. */
import type { FastifyInstance, RouteOptions } from "fastify";
import type { Access } from "./access/route-config.ts";
import { type ProblemCode, PROBLEMS } from "./problem-rows.ts";
import { problemsOf } from "./route-problems.ts";

declare module "fastify" {
  interface FastifySchema {
    /** One line for the description of the API. */
    summary?: string;
    /** What the answer is, where it is not JSON. */
    media?: string;
  }
}

interface PathParameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly required: boolean;
  readonly schema: unknown;
}

type Operations = Record<string, unknown>;

/** Collects the routes registered after it; call the result when all are. */
export function describeRoutes(
  scope: FastifyInstance,
  { version, cookieName }: { readonly version: string; readonly cookieName: string },
): () => Record<string, unknown> {
  const paths: Record<string, Operations> = {};
  scope.addHook("onRoute", (route) => {
    const methods = [route.method].flat().filter((method) => method !== "HEAD");
    const path = route.url.replaceAll(/:(\w+)/g, "{$1}");
    for (const method of methods) {
      paths[path] = { ...paths[path], [method.toLowerCase()]: operation(route, method, path) };
    }
  });
  return () => ({
    openapi: "3.1.0",
    info: {
      title: "Tallystick",
      version,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags: [...new Set(Object.keys(paths).map(tagOf))].toSorted().map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer" },
        session: {
          type: "apiKey",
          in: "cookie",
          name: cookieName,
          description: "of POST /api/v1/signin; writes need JSON from the server's own pages",
        },
      },
      schemas: { Problem: problemSchema },
    },
    security: [{ token: [] }, { session: [] }],
  });
}

function operation(route: RouteOptions, method: string, path: string): object {
  const { schema, config } = route;
  const body = schema?.body;
  const isKeyed = config?.audit === "change" && config.access !== "sign-in";
  return {
    operationId: operationIdOf(method, path),
    tags: [tagOf(path)],
    summary: schema?.summary ?? "",
    ...(isOpen(config?.access) ? { security: [] } : {}),
    // Who may, by permission (docs/access.md), and what is left in the audit.
    "x-access": config?.access ?? "nobody",
    "x-audit": { leaves: config?.audit ?? "none", action: config?.action ?? null },
    parameters: [
      ...parameters("path", schema?.params),
      ...parameters("query", schema?.querystring),
      ...(isKeyed ? [keyParameter] : []),
    ],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: body } } } }),
    responses: { ...problemAnswers(problemsOf(route)), ...answers(route), default: problemAnswer },
  };
}

function answers({ schema }: RouteOptions): Record<string, object> {
  const response = (schema?.response ?? {}) as Record<string, unknown>;
  const media = schema?.media ?? "application/json";
  const described = Object.entries(response).map(([status, body]) => [
    status,
    Number(status) === NO_CONTENT
      ? { description: "done; there is nothing to say" }
      : { description: "the answer", content: { [media]: { schema: body } } },
  ]);
  return Object.fromEntries(described) as Record<string, object>;
}

/** By status, with the codes that it can stand for. */
function problemAnswers(codes: readonly ProblemCode[]): Record<string, object> {
  const byStatus = Map.groupBy(codes, (code) => PROBLEMS[code].status);
  const described = [...byStatus].map(([status, some]) => {
    const schema = { allOf: [problemReference, { properties: { code: { enum: some } } }] };
    const titles = some.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`);
    const content = { "application/problem+json": { schema } };
    return [String(status), { description: titles.join("; "), content }];
  });
  return Object.fromEntries(described) as Record<string, object>;
}

/** `GET /api/v1/nodes/{id}` is `getNodesById`. */
function operationIdOf(method: string, path: string): string {
  const words = path.split("/").slice(3);
  const named = words.map((word) => {
    const [, parameter] = /^\{(\w+)\}$/.exec(word) ?? [];
    return parameter === undefined ? camel(word) : `By${camel(parameter)}`;
  });
  return `${method.toLowerCase()}${named.join("")}`;
}

function camel(word: string): string {
  const parts = word.split(/[-._]/).filter((part) => part !== "");
  return parts.map((part) => `${part[0]?.toUpperCase() ?? ""}${part.slice(1)}`).join("");
}

/** The noun that a path begins with. */
function tagOf(path: string): string {
  return path.split("/")[3] ?? "";
}

function isOpen(access: Access | undefined): boolean {
  return access === "public" || access === "sign-in";
}

function parameters(place: "path" | "query", schema: unknown): PathParameter[] {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    properties?: Record<string, unknown>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, each]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: each,
  }));
}

const problemSchema = {
  type: "object",
  required: ["status", "code", "title", "detail", "hint"],
  properties: {
    status: { type: "integer" },
    code: { enum: Object.keys(PROBLEMS) },
    title: { type: "string" },
    detail: { type: "string" },
    hint: { type: "string", description: "what to do" },
    from: { type: "integer", description: "of `bad_query`: where it is wrong, from 0" },
    to: { type: "integer", description: "exclusive" },
  },
};

const problemReference = { $ref: "#/components/schemas/Problem" };

const problemAnswer = {
  description: "a problem",
  content: { "application/problem+json": { schema: problemReference } },
};

const keyParameter = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: "the change is made once, however often it is asked for by this key: docs/api.md",
  schema: { type: "string", minLength: 1, maxLength: 128, pattern: "^[\\x20-\\x7e]+$" },
};

const NO_CONTENT = 204;
