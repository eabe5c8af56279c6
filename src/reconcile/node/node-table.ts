/** The nodes' streams by id, and by the number that records of halves have of them. */
import { STRANGER_WAIT_MS } from "../limits.ts";
import type { NodeMemory } from "./node-memory.ts";
import { NodeStream } from "./node-stream.ts";

export class NodeTable {
  readonly byId = new Map<string, NodeStream>();
  readonly byNumber: NodeStream[] = [];

  /** The stream of a node; one that was never enrolled here is named by its id. */
  of(id: string): NodeStream {
    return this.byId.get(id) ?? this.put(id, id.slice(0, 8));
  }

  /** Puts a node in the place of what was known of it. */
  put(id: string, name: string, memory?: NodeMemory): NodeStream {
    const number = this.byId.get(id)?.number ?? this.byNumber.length;
    const stream = new NodeStream(id, name, number, memory);
    this.byNumber[number] = stream;
    this.byId.set(id, stream);
    return stream;
  }

  at(number: number): NodeStream {
    const stream = this.byNumber[number];
    if (stream === undefined) throw new Error(`no node has the number ${number}`);
    return stream;
  }

  /** Up to when, on the server's clock, all nodes have told all; one that is late is waited for no longer than a stranger. */
  everybodyMs(nowMs: number): number {
    let leastMs = Infinity;
    for (const { memory, watermarkServerMs, uncertaintyMs } of this.byNumber) {
      if (memory.state !== "active") continue;
      leastMs = Math.min(leastMs, watermarkServerMs - uncertaintyMs);
    }
    return Math.max(leastMs, nowMs - STRANGER_WAIT_MS);
  }
}
