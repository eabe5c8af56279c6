/**
 * The two steps of signing in at the provider, as openid-client makes them: where the browser goes,
 * and what its answer proves. Of the provider's words none get out but the names of errors.
 */
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  AuthorizationResponseError,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  type ClientAuth,
  ClientError,
  ClientSecretBasic,
  ClientSecretPost,
  Configuration,
  customFetch,
  enableNonRepudiationChecks,
  type IDToken,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  ResponseBodyError,
  type ServerMetadata,
  setJwksCache,
} from "openid-client";
import { OIDC_SUBJECT_CHARS_MAX } from "../../control/limits.ts";
import type { ProvenPerson } from "../../control/sign-in/oidc-sign-in.ts";
import type { StoredOidc } from "../../control/sign-in/oidc-settings.ts";
import { ServeError } from "../serve-error.ts";
import type { Flow } from "./flow-cookie.ts";
import type { GuardedFetch } from "./guarded-fetch.ts";
import { causeOf, libraryFetch } from "./library-fetch.ts";

/** Groups of one person that are looked at; a token with more does not fit the answer anyway. */
const GROUPS_MAX = 5_000;

/** `where.redirectUri` has to be registered with the provider. */
export async function beginAtProvider(
  stored: StoredOidc,
  where: Pick<Flow, "redirectUri" | "next">,
): Promise<{ readonly url: string; readonly flow: Flow }> {
  const flow = {
    ...where,
    state: randomState(),
    nonce: randomNonce(),
    verifier: randomPKCECodeVerifier(),
  };
  const url = buildAuthorizationUrl(configurationOf(stored), {
    redirect_uri: flow.redirectUri,
    scope: stored.scopes.join(" "),
    state: flow.state,
    nonce: flow.nonce,
    code_challenge: await calculatePKCECodeChallenge(flow.verifier),
    code_challenge_method: "S256",
  });
  return { url: url.href, flow };
}

/**
 * Exchanges the code and checks the token: signature by a key that is known, issuer, audience, times,
 * nonce. `search` is that of the callback. Throws `oidc_refused`, `oidc_bad_token`, `oidc_keys_changed`,
 * `oidc_unreachable`, `bad_issuer`.
 */
export async function provenAtProvider(
  stored: StoredOidc,
  { flow, search, fetch }: { flow: Flow; search: string; fetch: GuardedFetch },
): Promise<ProvenPerson> {
  const configuration = configurationOf(stored);
  configuration[customFetch] = libraryFetch(exchangeOnly(fetch, stored));
  const back = new URL(flow.redirectUri);
  back.search = search;
  try {
    const tokens = await authorizationCodeGrant(configuration, back, {
      expectedState: flow.state,
      expectedNonce: flow.nonce,
      pkceCodeVerifier: flow.verifier,
      idTokenExpected: true,
    });
    return personOf(tokens.claims(), stored);
  } catch (error) {
    throw refusalOf(error);
  }
}

/** Keys are fetched when an owner says so; signing in asks for the token and nothing else. */
function exchangeOnly(fetch: GuardedFetch, { provider }: StoredOidc): GuardedFetch {
  const allowed = URL.parse(String(provider.metadata["token_endpoint"]))?.href;
  return async (url, init) => {
    if (url !== allowed) throw keysChanged();
    return fetch(url, init);
  };
}

function configurationOf(stored: StoredOidc): Configuration {
  const { clientId, clientSecret, provider } = stored;
  const metadata = provider.metadata as ServerMetadata;
  const configuration = new Configuration(
    metadata,
    clientId,
    { client_secret: clientSecret },
    authenticationOf(metadata, clientSecret),
  );
  // What may be asked without TLS is decided by the fetch.
  allowInsecureRequests(configuration);
  enableNonRepudiationChecks(configuration);
  // As of now, whatever their age: the library would fetch older ones again.
  const keys = structuredClone(provider.keys) as Parameters<typeof setJwksCache>[1]["jwks"]["keys"];
  setJwksCache(configuration, { jwks: { keys }, uat: Math.floor(Date.now() / 1_000) });
  return configuration;
}

/** The standard's default is `client_secret_basic`. */
function authenticationOf(
  { token_endpoint_auth_methods_supported: methods }: ServerMetadata,
  secret: string,
): ClientAuth {
  const isPost = methods?.includes("client_secret_basic") === false;
  return isPost ? ClientSecretPost(secret) : ClientSecretBasic(secret);
}

function personOf(claims: IDToken | undefined, { groupsClaim }: StoredOidc): ProvenPerson {
  if (claims === undefined) throw new ServeError("oidc_bad_token", "there is no ID token");
  const { iss, sub, preferred_username: userName, email } = claims;
  if (sub.length > OIDC_SUBJECT_CHARS_MAX) {
    throw new ServeError("oidc_bad_token", "the subject is longer than the standard allows");
  }
  const groups = Object.hasOwn(claims, groupsClaim) ? claims[groupsClaim] : [];
  return {
    issuer: iss,
    subject: sub,
    groups: textsIn(groups).slice(0, GROUPS_MAX),
    names: textsIn([userName, email]),
  };
}

/** A single one may stand without a list around it. */
function textsIn(value: unknown): string[] {
  return [value].flat().filter((each) => typeof each === "string");
}

function refusalOf(error: unknown): ServeError {
  const cause = causeOf(error);
  if (cause !== undefined) return cause;
  if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) {
    const why = `the provider says ${wordOf(error.error)}`;
    return new ServeError("oidc_refused", why, { cause: error });
  }
  const code = error instanceof ClientError ? wordOf(error.code) : "it is none";
  if (code === "OAUTH_KEY_SELECTION_FAILED") return keysChanged(error);
  return new ServeError("oidc_bad_token", `the answer is not valid: ${code}`, { cause: error });
}

function keysChanged(cause?: unknown): ServeError {
  return new ServeError(
    "oidc_keys_changed",
    "the token is signed with a key that is unknown here",
    {
      cause,
    },
  );
}

/** Names of errors are letters and underscores; other words of the provider are not repeated. */
function wordOf(text: unknown): string {
  return typeof text === "string" && /^\w{1,60}$/.test(text) ? text : "no, in odd words";
}
