/** The guarded fetch in the form in which openid-client takes it, and the way back of its errors. */
import type { CustomFetch } from "openid-client";
import { ServeError } from "../serve-error.ts";
import type { GuardedFetch } from "./guarded-fetch.ts";

export function libraryFetch(fetch: GuardedFetch): CustomFetch {
  return (url, { method, headers, body }) => {
    if (body === null || body === undefined) return fetch(url, { method, headers });
    // The library sends forms, and nothing else.
    if (!(body instanceof URLSearchParams)) throw new Error("a request has a body that is no form");
    return fetch(url, { method, headers, body: body.toString() });
  };
}

/** What the fetch threw, where the library has wrapped it. */
export function causeOf(error: unknown): ServeError | undefined {
  let at = error;
  for (let depth = 0; depth < 8 && at instanceof Error; depth++) {
    if (at instanceof ServeError) return at;
    at = at.cause;
  }
  return undefined;
}
