/** Questions to a server that may be away for a while: asked again, later and later, until it answers. */
import { setTimeout as sleep } from "node:timers/promises";
import { backOffMs } from "../std/retry.ts";
import type { ApiClient, Outcome } from "./api-client.ts";

/** A restart takes seconds; who watches for days is not to hammer at a server that is away for one. */
const BACK_OFF = { firstDelayMs: 500, delayMsMax: 10_000 };

export interface Patience<T> {
  readonly ask: () => Promise<Outcome<T>>;
  /** Hears when the server is away, and when it is back. */
  readonly tell: (line: string) => void;
}

/** The first answer. Throws what no waiting would change. */
export async function patiently<T>(
  api: Pick<ApiClient, "renew">,
  { ask, tell }: Patience<T>,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    const outcome = await ask();
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
