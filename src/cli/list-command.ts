/** What `connections` and `findings` have in common: filters, paging, following, printing. */
import type { Call } from "../std/command-line.ts";
import type { OptionTable, OptionValues } from "../std/command-options.ts";
import { formatTable, type Cell, type Heading } from "../std/table.ts";
import type { ApiClient, Query } from "./api-client.ts";
import { following, pages } from "./paging.ts";

export const listOptions = {
  since: { type: "time", summary: "from here on, `7d` (ago) or 2026-03-01T08:30Z", default: "1h" },
  until: { type: "time", summary: "up to here, exclusive" },
  node: { type: "text", summary: "only with this node", value: "NAME" },
  limit: { type: "count", summary: "at most so many; without it all, 100 at first with -f" },
  follow: { type: "flag", short: "f", summary: "go on: print what comes and what changes" },
} as const satisfies OptionTable;

/** How one kind of item is asked for and shown. */
export interface ListSpec<Item> {
  readonly path: string;
  readonly filters: Query;
  /** More filters, one after the other, so that some items come first; not when following. */
  readonly rounds?: readonly Query[];
  readonly headings: readonly Heading[];
  readonly row: (item: Item) => Cell[];
}

type ListCall = Omit<Call<OptionTable>, "options"> & {
  readonly options: OptionValues<typeof listOptions>;
};

const FOLLOW_FIRST_ITEMS = 100;

export async function runList<Item>(
  call: ListCall,
  api: ApiClient,
  spec: ListSpec<Item>,
): Promise<void> {
  const { since, until, node, limit, follow } = call.options;
  const query: Query = { ...spec.filters, since, until, node };
  const batches = follow
    ? following<Item>(api, spec.path, query, limit ?? FOLLOW_FIRST_ITEMS)
    : inRounds<Item>(api, spec, query, limit ?? Number.MAX_SAFE_INTEGER);
  let isFirst = true;
  let printed = 0;
  for await (const items of batches) {
    if (call.json) for (const item of items) call.printJson(item);
    else if (isFirst || items.length > 0) printRows(call, spec, items, isFirst);
    isFirst = false;
    printed += items.length;
  }
  if (printed === 0 && !call.json)
    call.terminal.err("nothing in this time; look further back with --since 7d\n");
}

async function* inRounds<Item>(
  api: ApiClient,
  { path, rounds = [{}] }: ListSpec<Item>,
  query: Query,
  itemsMax: number,
): AsyncGenerator<readonly Item[]> {
  let left = itemsMax;
  for (const round of rounds) {
    for await (const items of pages<Item>(api, path, { ...query, ...round }, left)) {
      left -= items.length;
      yield items;
    }
  }
}

/** Headings once; later batches are lined up among themselves. */
function printRows<Item>(
  { terminal, paint }: ListCall,
  { headings, row }: ListSpec<Item>,
  items: readonly Item[],
  isFirst: boolean,
): void {
  const style = { columnsMax: terminal.columnsMax, paint, isContinued: !isFirst };
  terminal.out(formatTable(headings, items.map(row), style));
}
