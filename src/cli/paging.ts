/** Lists of any length, and lists that go on: pages back in time, or changes as they come. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ApiClient, Query } from "./api-client.ts";

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next?: string;
  readonly follow: string;
}

const PAGE_ITEMS_MAX = 1_000;
/** A new connection is to be seen within 3 s of its open; the store takes one of them. */
const FOLLOW_EVERY_MS = 500;

/** Newest first, at most `itemsMax`. */
export async function* pages<Item>(
  api: ApiClient,
  path: string,
  query: Query,
  itemsMax: number,
): AsyncGenerator<readonly Item[]> {
  let left = itemsMax;
  let cursor: string | undefined;
  while (left > 0) {
    const limit = Math.min(left, PAGE_ITEMS_MAX);
    const page: Page<Item> = await api.get(path, { ...query, limit, cursor });
    yield page.items;
    left -= page.items.length;
    cursor = page.next;
    if (cursor === undefined) return;
  }
}

/** The last `itemsMax` first, oldest of them first; then every change, for ever. */
export async function* following<Item>(
  api: ApiClient,
  path: string,
  query: Query,
  itemsMax: number,
): AsyncGenerator<readonly Item[]> {
  const first: Page<Item> = await api.get(path, { ...query, limit: itemsMax });
  yield first.items.toReversed();
  let { follow } = first;
  // The beginning was given as a time ago: it must not move along.
  const { since: _since, ...filters } = query;
  for (;;) {
    const page: Page<Item> = await api.get(path, { ...filters, limit: PAGE_ITEMS_MAX, follow });
    if (page.items.length > 0) yield page.items;
    ({ follow } = page);
    if (page.items.length < PAGE_ITEMS_MAX) await sleep(FOLLOW_EVERY_MS);
  }
}
