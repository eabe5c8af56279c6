/** What a route of the public API takes and answers: data, from which server, description and client follow. */
import type { TSchema } from "typebox";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface Route {
  /** One line for the description of the API. */
  readonly summary: string;
  /** Of the path, each in braces there. */
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  /** When all is well; without it 200. */
  readonly status?: 201 | 204;
  /** Absent where there is nothing to say: 204, or a browser that is sent on. */
  readonly answer?: TSchema;
  /** What the answer is, where it is not JSON. */
  readonly media?: string;
}

/** By method and path below `/api/v1`: `GET /nodes/{id}`. */
export type RouteTable = Readonly<Record<`${Method} /${string}`, Route>>;

/** `GET /nodes/{id}` in its two parts. */
export function partsOf(name: string): { readonly method: Method; readonly path: string } {
  const at = name.indexOf(" ");
  return { method: name.slice(0, at) as Method, path: name.slice(at + 1) };
}
