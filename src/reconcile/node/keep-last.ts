/** Bounded lists: of more than `max` the oldest go, which are the first. */
export function keepLast(list: unknown[], max: number): void {
  if (list.length > max) list.splice(0, list.length - max);
}
