/** `POST /api/v1/sql`: one SELECT over the public tables. */
import type { Api, ApiParts } from "../api.ts";
import { sendProblem } from "../problem.ts";
import { SqlRequest, SqlResult } from "../schemas.ts";

const ROWS_MAX_DEFAULT = 10_000;

export function sqlRoutes(app: Api, { store }: ApiParts): void {
  app.post(
    "/sql",
    {
      config: { access: "admin" },
      schema: {
        summary: "Runs one read-only SELECT within limits of rows, time and memory",
        body: SqlRequest,
        response: { 200: SqlResult },
      },
    },
    async (request, reply) => {
      // Who hangs up stops the query too.
      const gone = new AbortController();
      request.raw.socket.once("close", () => gone.abort());
      const { sql, limit = ROWS_MAX_DEFAULT } = request.body;
      const answer = await store.sql(sql, limit, gone.signal);
      if (!answer.ok) return sendProblem(reply, { code: answer.code, detail: answer.message });
      const { columns, rows, cut } = answer;
      return reply.send({ columns, rows, cut: cut ?? null });
    },
  );
}
