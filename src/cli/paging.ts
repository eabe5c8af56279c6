/** Lists of any length, and lists that go on: pages back in time, or changes as they come. */
import { setTimeout as sleep } from "node:timers/promises";
import { backOffMs } from "../std/retry.ts";
import type { ApiClient, Query } from "./api-client.ts";

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next?: string;
  readonly follow: string;
}

const PAGE_ITEMS_MAX = 1_000;
/** A new connection is to be seen within 3 s of its open; the store takes one of them. */
const FOLLOW_EVERY_MS = 500;
/** A restart takes seconds; who watches for days is not to hammer at a server that is away for one. */
const BACK_OFF = { firstDelayMs: 500, delayMsMax: 10_000 };

/** Newest first, at most `itemsMax` in all. */
export async function* pages<Item>(
  api: Pick<ApiClient, "get">,
  path: string,
  query: Query,
  itemsMax: number,
): AsyncGenerator<Page<Item>> {
  let left = itemsMax;
  let cursor: string | undefined;
  while (left > 0) {
    const limit = Math.min(left, PAGE_ITEMS_MAX);
    const page: Page<Item> = await api.get(path, { ...query, limit, cursor });
    yield page;
    left -= page.items.length;
    cursor = page.next;
    if (cursor === undefined) return;
  }
}

/** Every change after the place `follow`, for ever. `tell` hears when the server is away, and when it is back. */
export async function* changes<Item>(
  api: Pick<ApiClient, "ask" | "renew">,
  path: string,
  { query, follow: from, tell }: { query: Query; follow: string; tell: (line: string) => void },
): AsyncGenerator<readonly Item[]> {
  let follow = from;
  for (;;) {
    // Places count records of the journal: they outlive the server that gave them.
    const asked = { ...query, limit: PAGE_ITEMS_MAX, follow };
    const page: Page<Item> = await patiently(api, path, { query: asked, tell });
    if (page.items.length > 0) yield page.items;
    ({ follow } = page);
    if (page.items.length < PAGE_ITEMS_MAX) await sleep(FOLLOW_EVERY_MS);
  }
}

async function patiently<T>(
  api: Pick<ApiClient, "ask" | "renew">,
  path: string,
  { query, tell }: { query: Query; tell: (line: string) => void },
): Promise<T> {
  for (let failures = 0; ; failures++) {
    const outcome = await api.ask<T>(path, query);
    if (outcome.ok) {
      if (failures > 0) tell("the server answers again");
      return outcome.answer;
    }
    if (!outcome.mayPass) throw outcome.error;
    if (failures === 0) tell(`${outcome.error.message}; waiting until it answers`);
    await sleep(backOffMs(failures + 1, BACK_OFF, Math.random));
    api.renew();
  }
}
