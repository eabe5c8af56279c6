/**
 * Attempts to reach peers that got no answer, as log records: what a person on the node wants to
 * see first. Watches the entries that pass and remembers, within a bound, whom each attempt was for.
 */
import type { Entry, Tuple } from "../format/entry.ts";
import type { AgentLog } from "./agent-log.ts";

/** Attempts remembered at a time; older ones end without a record. */
const ATTEMPTS_MAX = 16_384;

const ENDS: Readonly<Record<string, string>> = { S0: "no answer from", REJ: "refused by" };

export class Unanswered {
  readonly #log: AgentLog;
  readonly #attempts = new Map<number, Tuple>();

  constructor(log: AgentLog) {
    this.#log = log;
  }

  /** Looks at an entry that was numbered. */
  see(entry: Entry, seq: number): void {
    if (entry.kind === "open") {
      if (entry.role === "initiator" && !entry.pickup) this.#remember(seq, entry.tuple);
      return;
    }
    if (entry.kind !== "update" && entry.kind !== "close") return;
    const end = ENDS[entry.state];
    const tuple = this.#attempts.get(entry.openSeq);
    if (tuple === undefined || (end !== undefined && entry.kind === "update")) return;
    this.#attempts.delete(entry.openSeq);
    if (end === undefined) return;
    const { responderIp: peer, responderPort: port, protocol } = tuple;
    this.#log.info(`${end} ${peer} port ${port}`, { peer, port, protocol, state: entry.state });
  }

  #remember(seq: number, tuple: Tuple): void {
    this.#attempts.set(seq, tuple);
    if (this.#attempts.size <= ATTEMPTS_MAX) return;
    const oldest = this.#attempts.keys().next().value;
    if (oldest !== undefined) this.#attempts.delete(oldest);
  }
}
