/** Sealed batches as from a mesh, in the order in which the server took them, with its ticks. */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { busyMesh, type BusyOptions } from "../test/simulate/busy-mesh.ts";

export interface Backlog {
  readonly serverId: string;
  readonly frames: readonly Frame[];
}

export interface Frame {
  readonly frame: Uint8Array;
  readonly receivedMs: number;
}

export type Traffic = Omit<BusyOptions, "deliver">;

/** The server ticks that often. */
const TICK_MS = 5_000;

/** Made in a thread of its own, so that its garbage is not ours. */
export function backlogOf(traffic: Traffic): Promise<Backlog> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { traffic } });
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

function makeBacklog(traffic: Traffic): Backlog {
  const frames: Frame[] = [];
  let tickMs = 0;
  const tick = (): Frame => {
    const atMs = tickMs;
    tickMs += TICK_MS;
    server.emit({ kind: "tick", atMs });
    return { frame: server.seal(atMs), receivedMs: atMs };
  };
  const { server } = busyMesh({
    ...traffic,
    deliver: (frame, receivedMs) => frames.push({ frame, receivedMs }),
  });
  // Ticks where they would have come, and some after the end.
  const backlog = frames.splice(0);
  for (const one of backlog) {
    tickMs ||= one.receivedMs + TICK_MS;
    if (one.receivedMs >= tickMs) frames.push(tick());
    frames.push(one);
  }
  for (let times = 0; times < 3; times++) frames.push(tick());
  return { serverId: server.id, frames };
}

if (!isMainThread && parentPort !== null) {
  const { traffic } = workerData as { readonly traffic?: Traffic };
  if (traffic !== undefined) parentPort.postMessage(makeBacklog(traffic));
}
