/** `POST /api/v1/sql`: one SELECT over the public tables. */
import { type SqlRefusal, sqlRefusals } from "../../store/sql-guard.ts";
import { principalOf } from "../access/guard.ts";
import { mayPrincipal } from "../access/principal.ts";
import { exports } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";
import { sendProblem } from "../problem.ts";

const ROWS_MAX_DEFAULT = 10_000;

export function sqlRoutes(api: ApiScope, { store }: ApiParts): void {
  api.route("POST /sql", exports("sql", "sql.read"), async (request, reply) => {
    const { sql, limit = ROWS_MAX_DEFAULT } = request.body;
    // Who hangs up, or may not ask any more, stops the query too.
    const readsToo = mayPrincipal(principalOf(request), "reads.read");
    const answer = await store.sql(sql, { rowsMax: limit, readsToo }, request.gone);
    if (!answer.ok) return sendProblem(reply, { code: answer.code, detail: detailOf(answer) });
    const { columns, cut } = answer;
    const rows = answer.rows.map((row) => row.map((value, at) => exact(value, columns[at]?.type)));
    return reply.send({ columns, rows, cut: cut ?? null });
  });
}

/** Without what the title says already. */
function detailOf({ code, message }: SqlRefusal): string {
  const general = `${sqlRefusals[code]}: `;
  return message.startsWith(general) ? message.slice(general.length) : message;
}

/** 64-bit integers come as text; those that a JavaScript number holds exactly become one. */
function exact(value: unknown, type = ""): unknown {
  if (typeof value !== "string" || !/^(?:Nullable\()?U?Int64\)?$/.test(type)) return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
