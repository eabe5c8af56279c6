/**
 * From one reader to the next without losing or doubling an event. For a moment both listen. The
 * kernel may order two events differently for two sockets, so the point of change is not a line in
 * the stream: all that the old reader delivered since the new one was started is remembered, and
 * what the new one brings again is left out.
 *
 * Only beginnings and ends count here: a change of state between them is not worth a second look.
 */
import type { ConntrackEvent } from "./conntrack-line.ts";
import { HANDOVER_EVENTS_MAX } from "./limits.ts";

export interface Stamped {
  readonly event: ConntrackEvent;
  readonly atMs: number;
}

export class Handover {
  /** How often the old reader delivered an event that the new one has not brought yet. */
  readonly #delivered = new Map<string, number>();
  #waiting: Stamped[] = [];

  /** The old reader delivered this event. */
  fromOld(event: ConntrackEvent): void {
    if (event.type === "update") return;
    const key = keyOf(event);
    this.#delivered.set(key, (this.#delivered.get(key) ?? 0) + 1);
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
    const times = this.#delivered.get(key);
    if (times === undefined) return false;
    if (times === 1) this.#delivered.delete(key);
    else this.#delivered.set(key, times - 1);
    return true;
  }
}

/** What the kernel says of an event, without the time at which a process read it. */
function keyOf({ type, protocol, id, original, reply }: ConntrackEvent): string {
  return `${type} ${protocol} ${id} ${original.sourceIp} ${original.sourcePort} ${original.destinationIp} ${original.destinationPort} ${original.bytes} ${reply.bytes}`;
}
