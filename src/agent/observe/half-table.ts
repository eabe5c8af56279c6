/**
 * The halves that this node has open, found by what the kernel calls them: its id and the tuple.
 * The id alone is a 32-bit hash, so among a quarter of a million entries some collide: halves of
 * one id form a chain and the tuple decides.
 */
import type { ConnectionState, Counters, PayloadBytes } from "../../format/entry.ts";
import type { ConntrackEvent } from "./conntrack-line.ts";

/** One half, plain data: a snapshot is a copy of it. */
export interface Half {
  /** The kernel's id; null for a half known only from the spool's entries, until its entry is seen. */
  id: number | null;
  readonly zone: number;
  readonly protocol: number;
  readonly initiatorIp: string;
  readonly initiatorPort: number;
  readonly responderIp: string;
  readonly responderPort: number;
  readonly openSeq: number;
  readonly openedAtMs: number;
  readonly pickup: boolean;
  /** Ended before this agent observed: known so that its end is not taken for a new connection. */
  readonly muted: boolean;
  kernelState: string;
  established: boolean;
  assured: boolean;
  /** The server knows already that it is established. */
  prompted: boolean;
  /** How it ended; null while it lives. Afterwards only its final counters are awaited. */
  ended: ConnectionState | null;
  /** Its NEW was not read: if that comes after all, it begins no other instance. */
  unbegun: boolean;
  /** The dump that saw it last, or in whose course it was born. */
  generation: number;
  /** As last read from a dump. */
  counters: Counters | undefined;
  /** As its socket counted (payload-notes.ts). Null: what came, or may come, could be another connection's. */
  payload: PayloadBytes | null | undefined;
}

interface Link {
  readonly half: Half;
  next: Link | undefined;
}

export class HalfTable {
  readonly #byId = new Map<number, Link>();
  /** Halves without an id, by tuple: few, and only after a crash. */
  readonly #byTuple = new Map<string, Half>();
  #size = 0;

  get size(): number {
    return this.#size + this.#byTuple.size;
  }

  /** The half of this very entry. One without an id is adopted by the first entry that fits. */
  find(event: ConntrackEvent): Half | undefined {
    for (let link = this.#byId.get(event.id); link !== undefined; link = link.next) {
      if (isOf(link.half, event)) return link.half;
    }
    return this.#byTuple.size === 0 ? undefined : this.#adopt(event);
  }

  add(half: Half): void {
    if (half.id === null) {
      this.#byTuple.set(tupleKey(half), half);
      return;
    }
    this.#byId.set(half.id, { half, next: this.#byId.get(half.id) });
    this.#size++;
  }

  delete(half: Half): void {
    if (half.id === null) {
      this.#byTuple.delete(tupleKey(half));
      return;
    }
    const first = this.#byId.get(half.id);
    if (first?.half === half) this.#replaceFirst(half.id, first.next);
    else this.#unlink(first, half);
  }

  *halves(): Generator<Half> {
    for (const first of this.#byId.values()) {
      for (let link: Link | undefined = first; link !== undefined; link = link.next) {
        yield link.half;
      }
    }
    yield* this.#byTuple.values();
  }

  #replaceFirst(id: number, next: Link | undefined): void {
    if (next === undefined) this.#byId.delete(id);
    else this.#byId.set(id, next);
    this.#size--;
  }

  #unlink(first: Link | undefined, half: Half): void {
    for (let link = first; link?.next !== undefined; link = link.next) {
      if (link.next.half !== half) continue;
      link.next = link.next.next;
      this.#size--;
      return;
    }
  }

  #adopt(event: ConntrackEvent): Half | undefined {
    const { original } = event;
    const key = tupleKey({
      protocol: event.protocol,
      zone: event.zone,
      initiatorIp: original.sourceIp,
      initiatorPort: original.sourcePort,
      responderIp: original.destinationIp,
      responderPort: original.destinationPort,
    });
    const half = this.#byTuple.get(key);
    if (half === undefined) return undefined;
    this.#byTuple.delete(key);
    half.id = event.id;
    this.add(half);
    return half;
  }
}

function isOf(half: Half, { protocol, original, zone }: ConntrackEvent): boolean {
  return (
    half.initiatorPort === original.sourcePort &&
    half.responderPort === original.destinationPort &&
    half.protocol === protocol &&
    half.zone === zone &&
    half.initiatorIp === original.sourceIp &&
    half.responderIp === original.destinationIp
  );
}

type Key = Pick<
  Half,
  "protocol" | "zone" | "initiatorIp" | "initiatorPort" | "responderIp" | "responderPort"
>;

function tupleKey(half: Key): string {
  return `${half.protocol} ${half.zone} ${half.initiatorIp} ${half.initiatorPort} ${half.responderIp} ${half.responderPort}`;
}
