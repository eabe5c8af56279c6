/** Lists of any length, and lists that go on: pages back in time, or changes as they come. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Input, InputArguments } from "../api/request.ts";
import type { Answer } from "../api/routes.ts";
import type { ApiClient } from "./api-client.ts";
import { patiently } from "./patiently.ts";

export type ListName = "GET /audit" | "GET /connections" | "GET /findings";
export type Item<Name extends ListName> =
  Answer<Name> extends { readonly items: readonly (infer One)[] } ? One : never;
export interface Page<Name extends ListName> {
  readonly items: readonly Item<Name>[];
  readonly next?: string;
  readonly follow: string;
}
/** What can be asked of a list, besides the place. */
export type ListQuery<Name extends ListName> = Omit<
  NonNullable<Input<Name>["query"]>,
  "cursor" | "follow" | "limit"
>;

const PAGE_ITEMS_MAX = 1_000;
/** A new connection is to be seen within 3 s of its open; the store takes one of them. */
const FOLLOW_EVERY_MS = 500;

/** Newest first, at most `itemsMax` in all. */
export async function* pages<Name extends ListName>(
  api: Pick<ApiClient, "call">,
  name: Name,
  query: ListQuery<Name>,
  itemsMax: number,
): AsyncGenerator<Page<Name>> {
  let left = itemsMax;
  let cursor: string | undefined;
  while (left > 0) {
    const limit = Math.min(left, PAGE_ITEMS_MAX);
    const answer = await api.call(name, ...asked(name, { ...query, limit, cursor }));
    const page = answer as Page<Name>;
    yield page;
    left -= page.items.length;
    cursor = page.next;
    if (cursor === undefined) return;
  }
}

/** Every change after the place `follow`, for ever. `tell` hears when the server is away, and when it is back. */
export async function* changes<Name extends ListName>(
  api: Pick<ApiClient, "ask" | "renew">,
  name: Name,
  {
    query,
    follow: from,
    tell,
  }: { query: ListQuery<Name>; follow: string; tell: (line: string) => void },
): AsyncGenerator<readonly Item<Name>[]> {
  let follow = from;
  for (;;) {
    // Places count records of the journal: they outlive the server that gave them.
    const input = asked(name, { ...query, limit: PAGE_ITEMS_MAX, follow });
    const answer = await patiently(api, { ask: () => api.ask(name, ...input), tell });
    const page = answer as Page<Name>;
    if (page.items.length > 0) yield page.items;
    ({ follow } = page);
    if (page.items.length < PAGE_ITEMS_MAX) await sleep(FOLLOW_EVERY_MS);
  }
}

/** All lists take them; the compiler does not see that for one that is still open. */
function asked<Name extends ListName>(_name: Name, query: object): InputArguments<Name> {
  return [{ query }] as unknown as InputArguments<Name>;
}
