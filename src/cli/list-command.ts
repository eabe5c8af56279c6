/** What `connections` and `findings` have in common: filters, paging, following, printing. */
import { NAME_CHARS_MAX } from "../format/limits.ts";
import type { Catalogue } from "../query/catalogue.ts";
import { QUERY_CHARS_MAX } from "../query/limits.ts";
import { explain, QueryError } from "../query/query-error.ts";
import { understand } from "../query/understand.ts";
import { CommandError } from "../std/command-error.ts";
import type { Call } from "../std/command-line.ts";
import type { OptionTable, OptionValues } from "../std/command-options.ts";
import { formatTable, type Cell, type Heading } from "../std/table.ts";
import type { ApiClient } from "./api-client.ts";
import { type Filters, liveChanges } from "./live-changes.ts";
import { type Item as ListItem, type ListQuery, pages, type Page } from "./paging.ts";

export const listOptions = {
  since: { type: "time", summary: "from here on, `7d` (ago) or 2026-03-01T08:30Z; else 1h" },
  until: { type: "time", summary: "up to here, exclusive" },
  node: {
    type: "text",
    summary: "only with this node",
    value: "NAME",
    charsMax: NAME_CHARS_MAX,
  },
  where: {
    type: "text",
    summary: "only what fits this query, such as 'port:22 -node:web*' (docs/query.md)",
    value: "QUERY",
    charsMax: QUERY_CHARS_MAX,
  },
  limit: {
    type: "count",
    summary: "at most so many; without it all, 100 at first with -f",
    min: "1",
  },
  follow: { type: "flag", short: "f", summary: "go on: print what comes and what changes" },
} as const satisfies OptionTable;

/** Items that are asked for together; those of the round before come first. */
export interface Round {
  readonly filters: Filters;
  /** All of them, from whenever: `--since` does not bound them, nor how many come first with -f. */
  readonly isOfAnyAge?: boolean;
}

type Topic = "connections" | "findings";
type Item<Name extends Topic> = ListItem<`GET /${Name}`>;

/** How one kind of item is asked for and shown. */
export interface ListSpec<Name extends Topic> {
  readonly topic: Name;
  /** What can be asked of them. */
  readonly catalogue: Catalogue;
  readonly filters: Filters;
  readonly rounds: readonly Round[];
  readonly headings: readonly Heading[];
  readonly row: (item: Item<Name>) => Cell[];
  /** What it means that there is none. */
  readonly nothing: string;
}

type ListCall = Omit<Call<OptionTable>, "options"> & {
  readonly options: OptionValues<typeof listOptions>;
};

const SINCE_MS_DEFAULT = 3_600_000;
const FOLLOW_FIRST_ITEMS = 100;

export async function runList<Name extends Topic>(
  call: ListCall,
  api: ApiClient,
  spec: ListSpec<Name>,
): Promise<void> {
  const bounds = timeBounds(call);
  const printer = new ListPrinter(call, spec);
  const { follow, node, where } = call.options;
  if (where !== undefined) checkQuery(where, spec.catalogue, call.terminal.nowMs);
  const filters = { ...spec.filters, node, where, until: bounds.until };
  let from: string | undefined;
  const first: (readonly Item<Name>[])[] = [];
  for await (const page of inRounds(call, api, { ...spec, filters, since: bounds.since })) {
    // Of the first answer: what comes while the others are asked for is a change after it.
    from ??= page.follow;
    if (follow) first.push(page.items);
    else printer.print(page.items);
  }
  if (follow) printer.print(first.flat().toReversed());
  else if (!printer.hasAny && !call.json) call.terminal.err(`${spec.nothing}\n`);
  if (!follow || from === undefined) return;
  const tell = (line: string) => call.terminal.err(`tallystick: ${line}\n`);
  const { topic } = spec;
  for await (const items of liveChanges<Item<Name>>(api, {
    topic,
    query: filters,
    follow: from,
    tell,
  })) {
    printer.print(items);
  }
}

/** The server would refuse it too; here its place can be shown. Throws `wrong_usage`. */
export function checkQuery(query: string, catalogue: Catalogue, nowMs: number): void {
  try {
    understand(query, { catalogue, nowMs });
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    const line = "the query is not understood, --where, see docs/query.md";
    throw new CommandError("wrong_usage", line, { below: explain(query, error) });
  }
}

/** Throws `wrong_usage` where there is no time between the two. */
export function timeBounds({
  options,
  terminal,
}: {
  readonly options: { readonly since: number | undefined; readonly until: number | undefined };
  readonly terminal: { readonly nowMs: number };
}): { since: string; until: string | undefined } {
  const { since: givenMs, until: untilMs } = options;
  const sinceMs = givenMs ?? terminal.nowMs - SINCE_MS_DEFAULT;
  const [since, until] = [isoTime(sinceMs), untilMs === undefined ? undefined : isoTime(untilMs)];
  if (untilMs === undefined || sinceMs < untilMs) return { since, until };
  const which = `--since ${since} --until ${until}`;
  const todo = givenMs === undefined ? "give --since as well: without it, it is 1h" : "change one";
  throw new CommandError("wrong_usage", `no time lies between, ${which}, ${todo}`);
}

/** A time before 1970 is its beginning: nothing is older. */
function isoTime(atMs: number): string {
  return new Date(Math.max(0, atMs)).toISOString();
}

async function* inRounds<Name extends Topic>(
  { options: { limit, follow } }: ListCall,
  api: ApiClient,
  { topic, filters, rounds, since }: ListSpec<Name> & { readonly since: string },
): AsyncGenerator<Page<`GET /${Name}`>> {
  let left = limit ?? Number.MAX_SAFE_INTEGER;
  for (const { filters: more, isOfAnyAge = false } of rounds) {
    // What filters the other topic is never given.
    const query = {
      ...filters,
      ...more,
      ...(isOfAnyAge ? {} : { since }),
    } as ListQuery<`GET /${Name}`>;
    const isFirstOfMany = follow && limit === undefined && !isOfAnyAge;
    const itemsMax = isFirstOfMany ? FOLLOW_FIRST_ITEMS : left;
    for await (const page of pages(api, `GET /${topic}` as const, query, itemsMax)) {
      left -= page.items.length;
      yield page;
    }
  }
}

/** Headings once; later batches are lined up among themselves. */
class ListPrinter<Name extends Topic> {
  /** Something was printed besides the headings. */
  hasAny = false;
  readonly #call: ListCall;
  readonly #spec: ListSpec<Name>;
  #hasHeadings = false;

  constructor(call: ListCall, spec: ListSpec<Name>) {
    this.#call = call;
    this.#spec = spec;
  }

  print(items: readonly Item<Name>[]): void {
    const { json, paint, terminal, printJson } = this.#call;
    const { headings, row } = this.#spec;
    this.hasAny ||= items.length > 0;
    if (json) {
      for (const item of items) printJson(item);
    } else if (!this.#hasHeadings || items.length > 0) {
      const { columnsMax } = terminal;
      const style = { columnsMax, paint, isContinued: this.#hasHeadings };
      terminal.out(formatTable(headings, items.map(row), style));
      this.#hasHeadings = true;
    }
  }
}
