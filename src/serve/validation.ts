/**
 * Schemas check what comes in. Values of a query string are texts, so there alone a number or a
 * list of one is read from text; bodies must have the right types by themselves.
 */
import type { FastifyInstance } from "fastify";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { ServeError } from "./serve-error.ts";

export function checkBySchemas(app: FastifyInstance): void {
  app.setValidatorCompiler<TSchema>(({ schema, httpPart }) => {
    const compiled = Compile(schema);
    return (given: unknown) => {
      const value = httpPart === "querystring" ? fromTexts(schema, given) : given;
      if (compiled.Check(value)) return { value };
      return { error: new ServeError("bad_request", describe(httpPart, compiled.Errors(value))) };
    };
  });
  // Answers are written by us alone: schemas describe them, they need no second filter.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
}

interface SchemaProblem {
  readonly instancePath: string;
  readonly message: string;
  readonly params?: unknown;
}

function describe(part: string | undefined, errors: Iterable<SchemaProblem>): string {
  const found = [...errors].filter((error) => error.message !== "schema is false");
  const deepest = found.toSorted((a, b) => b.instancePath.length - a.instancePath.length)[0];
  const unknown = [...errors].find((error) => error.message === "schema is false");
  if (unknown !== undefined) return `${part}: unknown field ${unknown.instancePath.slice(1, 60)}`;
  const path = deepest?.instancePath.slice(1).replaceAll("/", ".") ?? "";
  return `${part}${path === "" ? "" : ` ${path.slice(0, 60)}`}: ${messageOf(deepest)}`;
}

/** A value that is none of a few is told which there are. */
function messageOf(error: SchemaProblem | undefined): string {
  const { allowedValues } = (error?.params ?? {}) as { allowedValues?: readonly unknown[] };
  if (allowedValues !== undefined) return `must be one of ${allowedValues.join(", ")}`;
  return error?.message ?? "not allowed";
}

function fromTexts(schema: TSchema, given: unknown): unknown {
  const properties =
    (schema as { properties?: Record<string, { type?: string }> }).properties ?? {};
  const value: Record<string, unknown> = { ...(given as Record<string, unknown>) };
  for (const [name, { type }] of Object.entries(properties)) {
    const text = value[name];
    if (typeof text !== "string") continue;
    if (type === "array") value[name] = [text];
    if (type === "integer" && /^\d{1,15}$/.test(text)) value[name] = Number(text);
  }
  return value;
}
