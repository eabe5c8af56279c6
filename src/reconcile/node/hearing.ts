/** Whether the server itself was listening: nobody is silent in a time in which it took nothing from anybody. */
import type { NodeStream } from "./node-stream.ts";

/** A batch was received; remembered by the second, so that the order of what was taken makes no difference. */
export function noteHeard(server: NodeStream, receivedMs: number): void {
  const { memory } = server;
  const second = Math.floor(receivedMs / 1000);
  if (memory.heardS.includes(second)) return;
  memory.heardS.push(second);
  server.changed = true;
}

/** The longest time since the last tick in which the server took nothing; it is measured anew from now on. */
export function takeDeafMs({ memory }: NodeStream, atMs: number): number {
  const times = memory.heardS.toSorted((a, b) => a - b).map((second) => second * 1000);
  memory.heardS = [];
  if (memory.tickMs === 0) return 0;
  let beforeMs = memory.tickMs;
  let longestMs = 0;
  for (const timeMs of [...times, atMs]) {
    longestMs = Math.max(longestMs, timeMs - beforeMs);
    beforeMs = Math.max(beforeMs, timeMs);
  }
  return longestMs;
}
