/** `/api/v1/audit`: who did what, and who looked at what; and the same as a file. */
import { Readable } from "node:stream";
import type { Answer } from "../../api/routes.ts";
import { principalOf } from "../access/guard.ts";
import type { Principal } from "../access/principal.ts";
import { exports, reads } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";
import { auditExport, EXPORT_MEDIA, EXPORT_PAGE_ITEMS } from "../export/audit-export.ts";
import {
  AUDIT_LISTING,
  auditConditions,
  type AuditFilters,
  auditItem,
} from "../query/audit-list.ts";
import { listPage, type ListQuery } from "../query/list-page.ts";
import type { Page } from "../query/list-statement.ts";

type Asked = ListQuery & Omit<AuditFilters, "reads"> & { readonly reads?: "true" | "false" };

export function auditLogRoutes(api: ApiScope, parts: ApiParts): void {
  const ownTokens = ({ by, user }: Principal): readonly string[] => {
    if (by !== "session" || user === undefined) return [];
    return parts.control.tokens.list(user.id).map(({ id }) => id);
  };
  const page = async (query: Asked, principal: Principal, nowMs: number): Promise<Page> => {
    const filters = { ...query, reads: query.reads === "true" };
    const conditions = auditConditions(filters, principal, ownTokens(principal));
    const asOf = { ...parts, nowMs };
    await parts.makeRoom();
    const found = await listPage(asOf, AUDIT_LISTING, query, conditions);
    return { ...found, items: found.items.map(auditItem) };
  };

  api.route("GET /audit", reads("changes.read", "audit.read"), async (request) => {
    const found = await page(request.query, principalOf(request), parts.clock.nowMs());
    // The listing's columns are those of the schema, which the description's test compares.
    return found as Answer<"GET /audit">;
  });

  api.route("GET /audit/export", exports("export", "audit.export"), async (request, reply) => {
    const { format, ...query } = request.query;
    const principal = principalOf(request);
    // `1h` is an hour before the first page, for all of them.
    const nowMs = parts.clock.nowMs();
    const next = (cursor?: string): Promise<Page> => {
      const at = cursor === undefined ? {} : { cursor };
      return page({ ...query, ...at, limit: EXPORT_PAGE_ITEMS }, principal, nowMs);
    };
    const text = auditExport(format, await next(), next);
    reply.header("content-disposition", `attachment; filename="audit.${format}"`);
    // Who hangs up, or may not ask any more, ends the stream, and with it the generator: no further page is asked for.
    const stream = Readable.from(text, { highWaterMark: 1, signal: request.gone });
    return reply.type(EXPORT_MEDIA[format]).send(stream);
  });
}
