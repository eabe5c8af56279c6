/** Server-sent events as they stand on the wire (HTML Standard, 9.2.5). */

export interface Event {
  readonly event: string;
  /** Where to go on after it; absent: what was said before holds. */
  readonly id?: string;
  readonly data: unknown;
}

/** JSON has no line break of its own, so one `data` line holds it. */
export function eventText({ event, id, data }: Event): string {
  const place = id === undefined ? "" : `id: ${id}\n`;
  return `event: ${event}\n${place}data: ${JSON.stringify(data)}\n\n`;
}

/** Shows a proxy or a dead peer that there is somebody. An `id` without data is no event, and moves the place. */
export function heartbeatText(id: string): string {
  return `: heartbeat\nid: ${id}\n\n`;
}
