/**
 * Tells the agent's own connections to the server from all others: they are recorded, but must not
 * start a batch, or each batch would cause the next.
 */
import type { Entry } from "../format/entry.ts";

/** More connections to the server than this at once are not the agent's. */
const OWN_MAX = 64;

export class OwnUplink {
  readonly #isServer: (address: string, port: number) => boolean;
  readonly #openSeqs = new Set<number>();

  constructor(isServer: (address: string, port: number) => boolean) {
    this.#isServer = isServer;
  }

  /** True for an entry that is about such a connection. */
  concerns(entry: Entry): boolean {
    if (entry.kind === "open") {
      const { responderIp, responderPort } = entry.tuple;
      return entry.role === "initiator" && this.#isServer(responderIp, responderPort);
    }
    return "openSeq" in entry && this.#openSeqs.has(entry.openSeq);
  }

  /** Remembers the number of an open that concerned it. */
  opened(seq: number): void {
    this.#openSeqs.add(seq);
    if (this.#openSeqs.size <= OWN_MAX) return;
    const oldest = this.#openSeqs.values().next().value;
    if (oldest !== undefined) this.#openSeqs.delete(oldest);
  }
}
