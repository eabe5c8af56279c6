/** The HTTP API, ready to be registered on a server: `/healthz`, `/readyz`, `/metrics`, `/api/v1/*`. */
import type { FastifyInstance, FastifyPluginAsync } from "fastify";
import { type GuardOptions, guardRoutes } from "./access/guard.ts";
import { OPEN } from "./access/route-config.ts";
import { addSecurityHeaders } from "./access/security-headers.ts";
import type { ApiParts } from "./api.ts";
import { ApiScope } from "./api-scope.ts";
import { type AuditHooks, auditRoutes } from "./audit/audit-hooks.ts";
import { rememberAnswers } from "./idempotency/idempotency-hooks.ts";
import { describeRoutes } from "./openapi.ts";
import { problemOf, sendProblem } from "./problem.ts";
import { eventRoutes } from "./routes/events.ts";
import { auditLogRoutes } from "./routes/audit.ts";
import { evidenceRoutes } from "./routes/evidence.ts";
import { fieldRoutes } from "./routes/fields.ts";
import { healthRoutes } from "./routes/health.ts";
import { keyRoutes } from "./routes/keys.ts";
import { listRoutes } from "./routes/lists.ts";
import { nodeRoutes } from "./routes/nodes.ts";
import { oidcRoutes } from "./routes/oidc.ts";
import { oidcSettingsRoutes } from "./routes/oidc-settings.ts";
import { passkeyRoutes } from "./routes/passkeys.ts";
import { profileRoutes } from "./routes/profile.ts";
import { pruneRoutes } from "./routes/prune.ts";
import { rulingRoutes } from "./routes/rulings.ts";
import { viewRoutes } from "./routes/views.ts";
import { sessionRoutes } from "./routes/sessions.ts";
import { signInSettingRoutes } from "./routes/sign-in-settings.ts";
import { signInRoutes } from "./routes/sign-in.ts";
import { settingRoutes } from "./routes/settings.ts";
import { sqlRoutes } from "./routes/sql.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { userRoutes } from "./routes/users.ts";
import { webhookRoutes } from "./routes/webhook.ts";
import { sendFailurePage, wantsPage } from "./failure-page.ts";
import { checkBySchemas } from "./validation.ts";

/** The largest honest body is a query of 64 KiB. */
const BODY_BYTES_MAX = 128 * 1024;

export interface ApiOptions extends GuardOptions {
  readonly parts: ApiParts;
  readonly audit: AuditHooks;
  /** Told about our own mistakes: what the client saw as `internal`. */
  readonly onError: (error: unknown) => void;
}

/** To be called on the root, before other routes: their answers get the headers too. */
export function prepareApp(app: FastifyInstance, onError: (error: unknown) => void): void {
  addSecurityHeaders(app);
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    if (problem.code === "internal") onError(error);
    return wantsPage(request)
      ? sendFailurePage(request, reply, problem)
      : sendProblem(reply, problem);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, { code: "not_found", detail: `${request.method} ${pathOf(request.url)}` }),
  );
}

export const apiRoutes: FastifyPluginAsync<ApiOptions> = async (root, options) => {
  checkBySchemas(root);
  root.addHook("onRoute", (route) => {
    route.bodyLimit ??= BODY_BYTES_MAX;
  });
  guardRoutes(root, options);
  auditRoutes(root, options.audit);
  const { parts } = options;
  rememberAnswers(root, parts.control.answers);
  healthRoutes(root, parts);
  await root.register(
    async (scope) => {
      acceptEmptyJson(scope);
      const document = describeRoutes(scope, {
        version: parts.version,
        cookieName: parts.cookie.name,
      });
      const api = new ApiScope(scope);
      nodeRoutes(api, parts);
      keyRoutes(api, parts);
      listRoutes(api, parts);
      eventRoutes(api, parts);
      auditLogRoutes(api, parts);
      evidenceRoutes(api, parts);
      rulingRoutes(api, parts);
      settingRoutes(api, parts);
      pruneRoutes(api, parts);
      sqlRoutes(api, parts);
      viewRoutes(api, parts);
      fieldRoutes(api, parts);
      signInRoutes(api, parts);
      signInSettingRoutes(api, parts);
      oidcRoutes(api, parts);
      oidcSettingsRoutes(api, parts);
      passkeyRoutes(api, parts);
      profileRoutes(api, parts);
      sessionRoutes(api, parts);
      tokenRoutes(api, parts);
      userRoutes(api, parts);
      webhookRoutes(api, parts);
      api.route("GET /openapi.json", OPEN, () => document());
    },
    { prefix: "/api/v1" },
  );
};

/** Many clients name the media type also where they send nothing (POST …/revoke, DELETE). */
function acceptEmptyJson(scope: FastifyInstance): void {
  scope.removeContentTypeParser("text/plain");
  const parse = scope.getDefaultJsonParser("error", "error");
  scope.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    return parse(request, body as string, done);
  });
}

function pathOf(url: string): string {
  return url.split("?")[0]?.slice(0, 200) ?? "";
}
