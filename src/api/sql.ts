/** One SELECT over the public tables. */
import { Type } from "typebox";
import type { RouteTable } from "./route.ts";
import { exact } from "./schema.ts";

export const SqlRequest = Type.Object(
  {
    sql: Type.String({ maxLength: 65_536 }),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
  },
  exact,
);

export const SqlResult = Type.Object({
  columns: Type.Array(Type.Object({ name: Type.String(), type: Type.String() })),
  rows: Type.Array(Type.Array(Type.Unknown()), {
    description: "integers beyond 2^53 are texts, so that none is rounded",
  }),
  cut: Type.Union([Type.Null(), Type.Enum(["rows", "bytes"])]),
});

export const SQL_ROUTES = {
  "POST /sql": {
    summary: "Runs one read-only SELECT within limits of rows, time and memory",
    body: SqlRequest,
    answer: SqlResult,
  },
} as const satisfies RouteTable;
