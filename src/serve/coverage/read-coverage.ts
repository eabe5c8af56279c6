/**
 * Coverage from the store. An hour of 4 million connections costs half a second of one core; the last
 * day is counted hour by hour, each within the limits of a query, so that 100 million take seconds
 * that nobody waits for: the answer before is shown, with its time, while it is counted.
 */
import { FORWARDER_ROLE, NO_HALF } from "../../store/schema.ts";
import { StoreError } from "../../store/store-error.ts";
import type { Clock } from "../../std/clock.ts";
import type { StoreReader } from "../query/store-reader.ts";
import type { Coverage, CoverageSpan } from "../../api/status.ts";
import { Recount } from "./recount.ts";
import { type GroupRow, type PeerRow, Tally } from "./tally.ts";
import { readClaims, toEnrol } from "./to-enrol.ts";

export interface CoverageParts {
  readonly store: StoreReader;
  readonly clock: Clock;
  /** Those that take part, with or without connections. */
  readonly nodes: () => readonly { readonly id: string; readonly name: string }[];
  /** An address is this server's. */
  readonly isOwn: (address: string) => boolean;
}

type Span = CoverageSpan;
interface Stretch {
  readonly from: number;
  readonly to: number;
}

const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;
/** Whoever asks for the state of everything waits no longer. */
const HOUR_WAIT_MS = 5_000;
const DAY_WAIT_MS = 1_000;
/** What one query counts within a second or two. */
const ROWS_AT_ONCE = 5_000_000;
/** Of one query: enough that what is rare in each and frequent in all is hardly missed. */
const PEERS_AT_ONCE_MAX = 1_000;

/** What a forwarder recorded is no end. */
const WHERE = `k_opened >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
  AND k_opened < fromUnixTimestamp64Milli({to:Int64}, 'UTC') AND a_role != ${FORWARDER_ROLE}`;

/** Rows that were written more than once counted so often: it is the work that is asked for. */
const SIZE = `SELECT count() AS rows FROM connection_rows WHERE ${WHERE}`;

const PART = `multiIf(grouping(network) = 0, 'network', grouping(initiator_node) = 0, 'initiator', 'responder') AS part,
  multiIf(part = 'network', network, part = 'initiator', initiator_node, responder_node) AS name`;

/** Nearly all connections, so by one column at a time: several cost three times as much. */
const PAIRS = `SELECT ${PART}, '' AS verdict, '' AS excuse, 1 AS two_halves, count() AS connections
FROM connection_rows FINAL WHERE ${WHERE} AND b_role != ${NO_HALF}
GROUP BY GROUPING SETS ((network), (initiator_node), (responder_node))`;

const LONE = `SELECT ${PART}, toString(verdict) AS verdict, excuse, 0 AS two_halves, count() AS connections
FROM connection_rows FINAL WHERE ${WHERE} AND b_role = ${NO_HALF}
GROUP BY GROUPING SETS ((network, verdict, excuse), (initiator_node, verdict, excuse), (responder_node, verdict, excuse))`;

const PEERS = `SELECT network, CAST(if(a_role = 0, responder_ip, initiator_ip), 'String') AS address,
  count() AS connections, uniq(k_node) AS nodes
FROM connection_rows FINAL WHERE ${WHERE} AND verdict = 'external'
GROUP BY network, address ORDER BY connections DESC, address LIMIT ${PEERS_AT_ONCE_MAX}`;

export class CoverageReader {
  readonly #parts: CoverageParts;
  readonly #hour: Recount<Span>;
  readonly #day: Recount<Span>;

  constructor(parts: CoverageParts) {
    this.#parts = parts;
    const { clock } = parts;
    const make = (hours: number) => () => this.#count(hours);
    this.#hour = new Recount({ clock, waitMs: HOUR_WAIT_MS, make: make(1) });
    this.#day = new Recount({ clock, waitMs: DAY_WAIT_MS, make: make(DAY_HOURS) });
  }

  /** Null is what nobody can say now. */
  async read(): Promise<Coverage> {
    // One after the other: together they would wait for each other in the store.
    const hour = await orNull(this.#hour.get());
    const day = await orNull(this.#day.get());
    const { store, nodes, isOwn } = this.#parts;
    const ids = nodes().map(({ id }) => id);
    // By now: who enrolled is to vanish at once, whenever it was counted.
    const claims = (await orNull(readClaims(store, ids))) ?? new Map<string, Set<string>>();
    const named = (span: Span | null): Span | null =>
      span && { ...span, unmonitored_peers: toEnrol(span.unmonitored_peers, { claims, isOwn }) };
    return { hour: named(hour), day: named(day) };
  }

  async #count(hours: number): Promise<Span> {
    const { store, clock, nodes } = this.#parts;
    const nowMs = clock.nowMs();
    // A clock that is ahead opens connections after now: they count.
    const all = { from: nowMs - hours * HOUR_MS, to: nowMs + HOUR_MS };
    const [size] = await store.rows<{ rows: number }>({ text: SIZE, params: { ...all } });
    const tally = new Tally();
    for (const stretch of split(all, Math.ceil((size?.rows ?? 0) / ROWS_AT_ONCE))) {
      const params = { ...stretch };
      for (const text of [PAIRS, LONE]) {
        for (const row of await store.rows<GroupRow>({ text, params })) tally.addGroup(row);
      }
      for (const row of await store.rows<PeerRow>({ text: PEERS, params })) tally.addPeer(row);
    }
    const from = new Date(all.from).toISOString();
    return {
      from,
      counted_at: new Date(nowMs).toISOString(),
      ...tally.span(nodes().map(({ name }) => name)),
    };
  }
}

function split({ from, to }: Stretch, parts: number): Stretch[] {
  const bound = (part: number) => from + Math.round(((to - from) * part) / parts);
  return Array.from({ length: parts }, (_, part) => ({ from: bound(part), to: bound(part + 1) }));
}

async function orNull<T>(answer: Promise<T | undefined>): Promise<T | null> {
  try {
    return (await answer) ?? null;
  } catch (error) {
    if (error instanceof StoreError) return null;
    throw error;
  }
}
