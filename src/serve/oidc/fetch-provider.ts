/** What is to be known of an OpenID provider, asked from it when an owner says so: where it is spoken to, and its keys. */
import {
  allowInsecureRequests,
  ClientError,
  customFetch,
  discovery,
  type ServerMetadata,
} from "openid-client";
import type { OidcProvider } from "../../control/sign-in/oidc-settings.ts";
import type { Clock } from "../../std/clock.ts";
import { ServeError } from "../serve-error.ts";
import { checkedUrl, type GuardedFetch } from "./guarded-fetch.ts";
import { causeOf, libraryFetch } from "./library-fetch.ts";

/** Of a provider's keys; it has one or two of each kind. */
const KEYS_MAX = 100;

/** All that signing in uses of the document; the rest is not kept. */
const KEPT = [
  "authorization_endpoint",
  "token_endpoint",
  "jwks_uri",
  "token_endpoint_auth_methods_supported",
  "id_token_signing_alg_values_supported",
  "code_challenge_methods_supported",
  "authorization_response_iss_parameter_supported",
] as const satisfies readonly (keyof ServerMetadata)[];

/** The public part of each kind of key; whatever else stands there is not kept. */
const KEY_FIELDS = ["kty", "kid", "use", "alg", "key_ops", "n", "e", "crv", "x", "y"];

/** Throws `bad_issuer`, `oidc_unreachable`. */
export async function fetchProvider(
  issuer: string,
  { fetch, clock }: { readonly fetch: GuardedFetch; readonly clock: Clock },
): Promise<OidcProvider> {
  const asked = checkedUrl(issuer);
  if (asked.search !== "" || asked.hash !== "") {
    throw new ServeError("bad_issuer", "an issuer has neither query nor fragment");
  }
  const found = await discover(asked, fetch);
  // A provider of many tenants answers with a pattern, and would let all of them in.
  if (URL.parse(found.issuer)?.href !== asked.href) throw otherIssuer();
  for (const name of ["authorization_endpoint", "token_endpoint", "jwks_uri"] as const) {
    if (typeof found[name] !== "string") {
      throw new ServeError("bad_issuer", `the discovery document has no ${name}`);
    }
    checkedUrl(found[name]);
  }
  const keys = keysIn(await jsonOf(await fetch(String(found.jwks_uri))));
  const metadata = { issuer: found.issuer, ...picked(found, KEPT) };
  return { metadata, keys, fetchedAtMs: clock.nowMs() };
}

async function discover(issuer: URL, fetch: GuardedFetch): Promise<ServerMetadata> {
  try {
    const configuration = await discovery(issuer, "nobody", undefined, undefined, {
      [customFetch]: libraryFetch(fetch),
      // What may be asked without TLS is decided by the fetch.
      execute: [allowInsecureRequests],
    });
    return configuration.serverMetadata();
  } catch (error) {
    const cause = causeOf(error);
    if (cause !== undefined) throw cause;
    if (error instanceof ClientError && error.code === "OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED") {
      throw otherIssuer();
    }
    throw new ServeError("bad_issuer", "its answer is no discovery document", { cause: error });
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  try {
    if (response.status === 200) return await response.json();
  } catch {
    // No JSON.
  }
  throw new ServeError("bad_issuer", "its keys cannot be read");
}

function keysIn(json: unknown): OidcProvider["keys"] {
  const { keys } = (json ?? {}) as { keys?: unknown };
  const list = Array.isArray(keys) ? keys.filter(isObject) : [];
  const usable = list
    .filter(({ kty, use }) => kty !== "oct" && (use === undefined || use === "sig"))
    .map((key) => picked(key, KEY_FIELDS));
  if (usable.length > 0 && usable.length <= KEYS_MAX) return usable;
  throw new ServeError("bad_issuer", `it has ${usable.length} keys to sign with`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function picked(from: Readonly<Record<string, unknown>>, names: readonly string[]) {
  return Object.fromEntries(
    names.filter((name) => Object.hasOwn(from, name)).map((name) => [name, from[name]]),
  );
}

function otherIssuer(): ServeError {
  return new ServeError("bad_issuer", "the discovery document is another issuer's");
}
