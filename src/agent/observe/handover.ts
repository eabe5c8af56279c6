/**
 * From one reader to the next without losing or doubling an event. For a moment both listen. The
 * kernel may order two events differently for two sockets, so the point of change is not a line in
 * the stream: all that the old reader delivered since the new one was started is remembered, and
 * what the new one brings again is left out.
 *
 * Only beginnings and ends count here: a change of state between them is not worth a second look.
 */
import type { ConntrackEvent } from "./conntrack-line.ts";
import { HANDOVER_DELIVERED_MAX, HANDOVER_EVENTS_MAX } from "./limits.ts";

export interface Stamped {
  readonly event: ConntrackEvent;
  readonly atMs: number;
}

export class Handover {
  /** How often the old reader delivered an event that the new one has not brought yet. */
  readonly #delivered = new Map<string, number>();
  /** Beginnings less ends that the old reader delivered, by instance. */
  readonly #balance = new Map<string, number>();
  #waiting: Stamped[] = [];
  #remembered = 0;

  /** The old reader delivered this event. False when no more can be remembered. */
  fromOld(event: ConntrackEvent): boolean {
    if (event.type === "update") return true;
    add(this.#delivered, keyOf(event), 1);
    add(this.#balance, instanceOf(event), event.type === "new" ? 1 : -1);
    return ++this.#remembered < HANDOVER_DELIVERED_MAX;
  }

  /** The new reader brought this event; it waits. False when it should bring no more for now. */
  fromNew(event: ConntrackEvent, atMs: number): boolean {
    if (event.type !== "update") this.#waiting.push({ event, atMs });
    return this.#waiting.length < HANDOVER_EVENTS_MAX;
  }

  /** The old reader delivers no more: what is left for the new one to deliver, in its order. */
  merge(): Stamped[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting.filter(({ event }) => !this.isRepeat(event));
  }

  /** After the merge: true for an event that the old reader had delivered before it ended. */
  isRepeat(event: ConntrackEvent): boolean {
    if (event.type === "update" || this.#delivered.size === 0) return false;
    const key = keyOf(event);
    if ((this.#delivered.get(key) ?? 0) > 0) {
      add(this.#delivered, key, -1);
      return true;
    }
    return event.type === "new" && this.#hasEnded(event);
  }

  /** The old reader lost this beginning but told of the end: the connection is recorded already. */
  #hasEnded(event: ConntrackEvent): boolean {
    const instance = instanceOf(event);
    if ((this.#balance.get(instance) ?? 0) >= 0) return false;
    add(this.#balance, instance, 1);
    return true;
  }
}

function add(map: Map<string, number>, key: string, by: number): void {
  const sum = (map.get(key) ?? 0) + by;
  if (sum === 0) map.delete(key);
  else map.set(key, sum);
}

/** What the kernel says of an event, without the time at which a process read it. */
function keyOf(event: ConntrackEvent): string {
  return `${event.type} ${instanceOf(event)} ${event.original.bytes} ${event.reply.bytes}`;
}

function instanceOf({ protocol, id, original }: ConntrackEvent): string {
  return `${protocol} ${id} ${original.sourceIp} ${original.sourcePort} ${original.destinationIp} ${original.destinationPort}`;
}
