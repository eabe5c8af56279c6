/** What the routes leave in the audit, by what they say of themselves (access/route-config.ts). */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { isAudited } from "../../control/change-writer.ts";
import type { Who } from "../../control/who.ts";
import type { Target } from "../../format/entry.ts";
import { AUDIT_TEXT_CHARS_MAX } from "../../format/limits.ts";
import { originOf } from "../access/authenticate.ts";
import { principalOf } from "../access/guard.ts";
import { auditAddress } from "../access/principal.ts";
import { type Problem, problemOf } from "../problem.ts";
import { NOTHING } from "./audit-entry.ts";
import { normalQuery } from "./normal-query.ts";
import type { ReadAudit, ReadUnderWay } from "./read-audit.ts";
import type { RefusalAudit } from "./refusal-audit.ts";

declare module "fastify" {
  interface FastifyRequest {
    read: ReadUnderWay | undefined;
  }
}

export interface AuditHooks {
  readonly reads: ReadAudit;
  readonly refusals: RefusalAudit;
}

export function auditRoutes(scope: FastifyInstance, { reads, refusals }: AuditHooks): void {
  scope.decorateRequest("read", undefined);
  scope.addHook("onRoute", ({ url, config }) => {
    if (config?.audit === undefined)
      throw new Error(`${url} does not say what it leaves in the audit`);
  });

  scope.addHook("preHandler", async (request) => {
    const { audit, action = "" } = request.routeOptions.config;
    if (audit !== "read" && audit !== "export") return;
    const { who, session } = principalOf(request);
    const query = normalQuery(request);
    const isExport = audit === "export";
    const target = targetOf(request, action);
    // It becomes durable while the query runs.
    request.read = reads.begin({ who, session, action, target, query, isExport });
  });

  scope.addHook("preSerialization", async (request, _reply, payload) => {
    const { items } = (payload ?? {}) as { items?: unknown };
    request.read?.gave(Array.isArray(items) ? items.length : 1, 0);
    return payload;
  });

  scope.addHook("onSend", async (request, _reply, payload) => {
    const { read } = request;
    if (read === undefined) return payload;
    request.read = undefined;
    await read.recorded;
    if (typeof payload === "string") read.gave(0, Buffer.byteLength(payload));
    return payload;
  });

  scope.addHook("onError", async (request, _reply, error) => {
    const { audit } = request.routeOptions.config;
    if (audit === "none" || isAudited(error)) return;
    refusals.add(refusedOf(request, problemOf(error)));
  });
}

function refusedOf(request: FastifyRequest, { code, status }: Problem) {
  const { action = "" } = request.routeOptions.config;
  const target = targetOf(request, action);
  return { who: whoOf(request), action, target, code, isFailure: status >= 500 };
}

/** Also of who did not say who they are. */
function whoOf(request: FastifyRequest): Who {
  if (request.principal !== undefined) return request.principal.who;
  const actor = { type: "nobody", id: "", name: "" } as const;
  return { actor, address: auditAddress(request.ip), origin: originOf(request) };
}

/** `node.revoke` of `/nodes/:id/revoke` is about the node with that id. */
function targetOf({ params }: FastifyRequest, action: string): Target {
  const { id } = (params ?? {}) as { id?: unknown };
  if (typeof id !== "string") return NOTHING;
  const [type = ""] = action.split(".");
  return { type, id: id.slice(0, AUDIT_TEXT_CHARS_MAX), name: "" };
}
