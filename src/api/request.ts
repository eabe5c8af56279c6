/** A call of the public API as it travels: made from a route's name and what its schemas take. */
import { partsOf } from "./route.ts";
import type { Given, RouteName } from "./routes.ts";

/** Ready to be sent: a path with its query, and JSON. */
export interface ApiRequest {
  readonly method: string;
  /** From `/api/v1` on. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What a route must be given is a must here; `undefined` is as good as absent. */
export type Input<Name extends RouteName> = Part<Name, "params"> &
  Part<Name, "query"> &
  Part<Name, "body"> &
  (Name extends `GET ${string}`
    ? unknown
    : {
        /** Sent again with the same key, the change is made once: docs/api.md. */
        readonly idempotencyKey?: string | undefined;
      });

/** May be left out where nothing in it is a must. */
export type InputArguments<Name extends RouteName> =
  Partial<Input<Name>> extends Input<Name> ? [input?: Input<Name>] : [input: Input<Name>];

type PartName = "params" | "query" | "body";

type Part<Name extends RouteName, Key extends PartName> = [Given<Name, Key>] extends [undefined]
  ? { readonly [K in Key]?: never }
  : MayBeAbsent<Key, Given<Name, Key>> extends true
    ? { readonly [K in Key]?: Loose<Given<Name, Key>> | undefined }
    : { readonly [K in Key]: Loose<Given<Name, Key>> };

/** A body is sent even where all in it is optional. */
type MayBeAbsent<Key extends PartName, Value> = Key extends "query"
  ? Partial<Value> extends Value
    ? true
    : false
  : false;

/** What a caller has at hand: lists that are not to be changed, and `undefined` for what is optional. */
type Loose<Value> = Value extends readonly (infer Item)[]
  ? readonly Loose<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Loose<Value[Key]> | AbsentAs<Value, Key> }
    : Value;

type AbsentAs<Value, Key extends keyof Value> =
  Partial<Pick<Value, Key>> extends Pick<Value, Key> ? undefined : never;

type Single = string | number | boolean | undefined;
type Query = Readonly<Record<string, Single | readonly Single[]>>;

interface AnyInput {
  readonly params?: Readonly<Record<string, string>> | undefined;
  readonly query?: Query | undefined;
  readonly body?: object | undefined;
  readonly idempotencyKey?: string | undefined;
}

export function requestOf<Name extends RouteName>(
  name: Name,
  ...[input]: InputArguments<Name>
): ApiRequest {
  const { params = {}, query = {}, body, idempotencyKey: key } = (input ?? {}) as AnyInput;
  const { method, path } = partsOf(name);
  return {
    method,
    path: `/api/v1${filled(path, params)}${queryText(query)}`,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
}

function filled(path: string, params: Readonly<Record<string, string>>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
}

/** A list is its name with each of its values. */
function queryText(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of [value].flat()) {
      if (each !== undefined) params.append(name, String(each));
    }
  }
  return params.size === 0 ? "" : `?${params.toString()}`;
}
