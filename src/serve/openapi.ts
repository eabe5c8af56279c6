/** The API's description, from the schemas that check it: OpenAPI 3.1 takes JSON Schema as it is. */
import type { FastifyInstance, RouteOptions } from "fastify";
import type { Access } from "./access/route-config.ts";
import { PROBLEMS } from "./problem-rows.ts";

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
): () => object {
  const paths: Record<string, Operations> = {};
  scope.addHook("onRoute", (route) => {
    const methods = [route.method].flat().filter((method) => method !== "HEAD");
    const path = route.url.replaceAll(/:(\w+)/g, "{$1}");
    for (const method of methods) {
      paths[path] = { ...paths[path], [method.toLowerCase()]: operation(route) };
    }
  });
  return () => ({
    openapi: "3.1.0",
    info: { title: "Tallystick", version, license: { name: "Apache-2.0" } },
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

function operation({ schema, config }: RouteOptions): object {
  const response = (schema?.response ?? {}) as Record<string, unknown>;
  const answers = Object.entries(response).map(([status, body]) => [
    status,
    {
      description: "the answer",
      content: { [schema?.media ?? "application/json"]: { schema: body } },
    },
  ]);
  const body = schema?.body;
  return {
    summary: schema?.summary ?? "",
    ...(isOpen(config?.access) ? { security: [] } : {}),
    parameters: [
      ...parameters("path", schema?.params),
      ...parameters("query", schema?.querystring),
    ],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: body } } } }),
    responses: { ...Object.fromEntries(answers), default: problemAnswer },
  };
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

const problemAnswer = {
  description: "a problem",
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
};
