/** `tallystick audit`: who changed, tried or looked at what, from where, and what is different now. */
import { pipeline } from "node:stream/promises";
import type { AuditItem } from "../../api/audit.ts";
import type { Input } from "../../api/request.ts";
import { ORIGINS } from "../../format/entry.ts";
import { AUDIT_TEXT_CHARS_MAX } from "../../format/limits.ts";
import { AUDIT } from "../../query/catalogues/audit.ts";
import { CommandError } from "../../std/command-error.ts";
import type { Call } from "../../std/command-line.ts";
import { optionFlag, type OptionTable, type OptionValues } from "../../std/command-options.ts";
import type { ApiClient } from "../api-client.ts";
import { operationLines, operationsOf } from "../audit-lines.ts";
import { checkQuery, listOptions, timeBounds } from "../list-command.ts";
import { changes, type ListQuery, pages } from "../paging.ts";
import { remoteCommand } from "../remote-command.ts";
import { writeNewFile } from "../write-file.ts";

type Printer = Pick<Call<OptionTable>, "json" | "paint" | "printJson" | "say" | "terminal">;

const text = (summary: string, value: string) =>
  ({ type: "text", summary, value, charsMax: AUDIT_TEXT_CHARS_MAX }) as const;

const FOLLOW_FIRST_ITEMS = 100;
/** What a file holds is not limited, and ends. */
const NOT_FOR_FILES = ["follow", "limit"] as const;

export const auditCommand = remoteCommand({
  name: "audit",
  summary: "who changed or tried what, from where, and how it ended; newest first",
  options: {
    since: listOptions.since,
    until: listOptions.until,
    actor: text("only by this user, token or node; name or id", "NAME"),
    action: text("only this, or all that begins so: `node.`", "ACTION"),
    target: text("only what was done to this; name or id", "NAME"),
    property: text("only what changed this property", "NAME"),
    origin: {
      type: "text",
      summary: "only what was asked for this way",
      repeatable: true,
      choices: ORIGINS,
    },
    where: {
      ...listOptions.where,
      summary: "only what fits this query, such as 'outcome:refused -actor:ada' (docs/query.md)",
    },
    reads: {
      type: "flag",
      summary: "also who looked at what; without the right to, only one's own",
    },
    limit: listOptions.limit,
    follow: listOptions.follow,
    format: { type: "text", summary: "all that fits, for a file", choices: ["csv", "ndjson"] },
    output: {
      type: "text",
      value: "FILE",
      short: "o",
      summary: "where --format goes, `-` for stdout; never over another file",
    },
  },
  async run(call, api) {
    const { actor, action, target, property, origin, where, reads, format } = call.options;
    const { since, until } = timeBounds(call);
    if (where !== undefined) checkQuery(where, AUDIT, call.terminal.nowMs);
    const filters = { actor, action, target, property, origin, where, since, until };
    const query = { ...filters, ...(reads ? ({ reads: "true" } as const) : {}) };
    if (format !== undefined) return exportAudit(call, api, { ...query, format });
    if (call.options.output !== undefined) {
      const line = "--output is for files, without --format, give --format csv or ndjson too";
      throw new CommandError("wrong_usage", line);
    }
    await list(call, api, query);
  },
});

interface ListCall extends Printer {
  readonly options: Pick<OptionValues<typeof listOptions>, "follow" | "limit">;
}

async function list(call: ListCall, api: ApiClient, query: ListQuery<"GET /audit">): Promise<void> {
  const { follow, limit } = call.options;
  const itemsMax = limit ?? (follow ? FOLLOW_FIRST_ITEMS : Number.MAX_SAFE_INTEGER);
  const printer = new AuditPrinter(call);
  let from: string | undefined;
  const first: (readonly AuditItem[])[] = [];
  for await (const page of pages(api, "GET /audit", query, itemsMax)) {
    from ??= page.follow;
    if (follow) first.push(page.items);
    else printer.print(page.items, page.next === undefined);
  }
  if (follow) printer.print(first.flat().toReversed(), true);
  else printer.end();
  if (!follow || from === undefined) return;
  const tell = (line: string) => call.terminal.err(`tallystick: ${line}\n`);
  for await (const items of changes(api, "GET /audit", { query, follow: from, tell })) {
    printer.print(items, true);
  }
}

/** An operation may go on on the next page: the last one of a page waits for it. */
class AuditPrinter {
  readonly #call: Printer;
  #waiting: AuditItem[] = [];
  #hasAny = false;

  constructor(call: Printer) {
    this.#call = call;
  }

  print(items: readonly AuditItem[], isWhole: boolean): void {
    this.#hasAny ||= items.length > 0;
    if (this.#call.json) {
      for (const item of items) this.#call.printJson(item);
      return;
    }
    const operations = operationsOf([...this.#waiting, ...items]);
    this.#waiting = isWhole ? [] : (operations.pop() ?? []);
    this.#out(operations);
  }

  end(): void {
    this.#out(operationsOf(this.#waiting));
    if (this.#hasAny || this.#call.json) return;
    this.#call.terminal.err("nothing in this time; look further back with --since 7d\n");
  }

  #out(operations: readonly (readonly AuditItem[])[]): void {
    const { terminal, paint } = this.#call;
    for (const entries of operations) {
      terminal.out(`${operationLines(entries, paint).join("\n")}\n`);
    }
  }
}

interface ExportCall extends Printer {
  readonly options: ListCall["options"] & { readonly output: string | undefined };
}

async function exportAudit(
  call: ExportCall,
  api: ApiClient,
  query: Input<"GET /audit/export">["query"],
): Promise<void> {
  const other = NOT_FOR_FILES.find((name) => Boolean(call.options[name]));
  if (other !== undefined) {
    const line = `${optionFlag(other)} is for the list, beside --format, leave out one of them`;
    throw new CommandError("wrong_usage", line);
  }
  const { output: file = "-" } = call.options;
  if (file === "-" && call.json) {
    const line = "--format and --json both want stdout, name a file by --output";
    throw new CommandError("wrong_usage", line);
  }
  const content = await api.download("GET /audit/export", { query });
  if (file === "-") {
    return pipeline(content.setEncoding("utf8"), async (texts: AsyncIterable<string>) => {
      for await (const part of texts) call.terminal.out(part);
    });
  }
  const bytes = await writeNewFile(file, content);
  call.say(`the audit is in ${file}, ${bytes} bytes`);
  if (call.json) call.printJson({ file, bytes });
}
