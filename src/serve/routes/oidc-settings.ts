/** `/api/v1/signin/oidc/settings`: the OpenID provider. It is asked what it says of itself when an owner says so, here. */
import type { FastifyRequest } from "fastify";
import type { OidcSettings, OidcSettingsRequest } from "../../api/oidc.ts";
import {
  keyNames,
  type OidcRequest,
  type StoredOidc,
} from "../../control/sign-in/oidc-settings.ts";
import { principalOf } from "../access/guard.ts";
import { changes, unaudited } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";
import { fetchProvider } from "../oidc/fetch-provider.ts";
import { redirectUri } from "./oidc.ts";

const DEFAULTS = {
  scopes: ["profile", "groups"],
  groupsClaim: "groups",
  label: "Single sign-on",
} as const;

export function oidcSettingsRoutes(api: ApiScope, parts: ApiParts): void {
  const { oidcRules } = parts.control;
  const provider = (issuer: string) =>
    fetchProvider(issuer, { fetch: parts.oidc.fetch, clock: parts.clock });

  const save = async (request: FastifyRequest, body: OidcSettingsRequest) => {
    const found = await provider(body.issuer);
    const asked = requestOf(body, found.metadata.issuer);
    const stored = await oidcRules.set(asked, found, principalOf(request).who);
    return described(request, parts, stored);
  };

  const refresh = async (request: FastifyRequest) => {
    const found = await provider(oidcRules.required().issuer);
    const stored = await oidcRules.refresh(found, principalOf(request).who);
    return described(request, parts, stored);
  };

  api.route("GET /signin/oidc/settings", unaudited("settings.read"), (request) =>
    described(request, parts, oidcRules.get()),
  );

  api.route("PUT /signin/oidc/settings", changes("settings.write", "setting.update"), (request) =>
    save(request, request.body),
  );

  api.route(
    "POST /signin/oidc/settings/refresh",
    changes("settings.write", "setting.refresh"),
    (request) => refresh(request),
  );

  api.route(
    "DELETE /signin/oidc/settings",
    changes("settings.write", "setting.delete"),
    async (request) => {
      await oidcRules.delete(principalOf(request).who);
    },
  );
}

function requestOf(body: OidcSettingsRequest, issuer: string): OidcRequest {
  const { client_id: clientId, client_secret: clientSecret, roles } = body;
  return {
    issuer,
    clientId,
    ...(clientSecret === undefined ? {} : { clientSecret }),
    scopes: [...new Set(["openid", ...(body.scopes ?? DEFAULTS.scopes)])],
    groupsClaim: body.groups_claim ?? DEFAULTS.groupsClaim,
    roles,
    label: body.label ?? DEFAULTS.label,
  };
}

function described(
  request: FastifyRequest,
  parts: ApiParts,
  stored: StoredOidc | undefined,
): OidcSettings {
  const redirect_uri = redirectUri(request, parts);
  if (stored === undefined) return { redirect_uri, settings: null };
  const { issuer, clientId, scopes, groupsClaim, roles, label, provider } = stored;
  const settings = {
    issuer,
    client_id: clientId,
    scopes: [...scopes],
    groups_claim: groupsClaim,
    roles: [...roles],
    label,
    keys: keyNames(provider),
    fetched_at: new Date(provider.fetchedAtMs).toISOString(),
  };
  return { redirect_uri, settings };
}
