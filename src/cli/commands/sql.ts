/** `tallystick sql`: one SELECT over the public tables. */
import { remoteCommand } from "../remote-command.ts";
import { cuttable, type Heading } from "../../std/table.ts";

export const sqlCommand = remoteCommand({
  name: "sql",
  summary: "ask in SQL, read-only",
  options: {
    limit: {
      type: "count",
      summary: "at most so many rows",
      min: "1",
      max: "100000",
      default: "10000",
    },
  },
  positionals: [
    {
      name: "QUERY",
      summary: "SELECT … over connections, halves, findings, nodes, logs, changes, audit, batches",
    },
  ],
  async run(call, api) {
    const body = { sql: call.positionals[0] ?? "", limit: call.options.limit };
    const { columns, rows, cut } = await api.call("POST /sql", { body });
    const names = columns.map(({ name }) => name);
    if (call.json) {
      for (const row of rows) {
        call.printJson(Object.fromEntries(names.map((name, at) => [name, row[at]])));
      }
    } else {
      call.printTable(
        names.map((name, at) => headingOf(name, rows, at)),
        rows.map((row) => row.map(cell)),
      );
    }
    if (cut !== null)
      call.terminal.err(`cut at ${rows.length} rows (limit of ${cut}); ask for less\n`);
  },
});

/** What a person would copy from one query into the next is never cut. */
const ID_OR_TIME = /^(?:[0-9a-f]{32,64}|\d{4}-\d\d-\d\d[T ].*)$/;

function headingOf(name: string, rows: readonly (readonly unknown[])[], at: number): Heading {
  const cells = rows.map((row) => cell(row[at]));
  const isWhole = cells.every(
    (one) => one === "" || typeof one === "number" || ID_OR_TIME.test(one),
  );
  return isWhole ? name : cuttable(name);
}

function cell(value: unknown): string | number {
  if (value === null || value === undefined) return "";
  if (typeof value === "string" || typeof value === "number") return value;
  return JSON.stringify(value);
}
