/**
 * What a person sees who lets `tallystick connections -f --json` run: the last line of each
 * connection, and when it was first seen open and first seen closed.
 */
import { createInterface } from "node:readline";
import type { Child } from "../../demo/child.ts";
import { connectionKey } from "./connection-key.ts";
import type { MeshLab } from "./mesh-lab.ts";

/** A line of `tallystick connections --json`. */
export interface Seen {
  readonly proto: string;
  readonly initiator_ip: string;
  readonly initiator_port: number;
  readonly responder_ip: string;
  readonly responder_port: number;
  readonly initiator_node: string;
  readonly responder_node: string;
  readonly verdict: string;
  readonly excuse: string;
  readonly counters: string;
  readonly initiator_bytes: number | string;
  readonly responder_bytes: number | string;
  readonly initiator_packets: number | string;
  readonly responder_packets: number | string;
  readonly end_state: string;
  readonly closed_at: string | null;
  readonly connection_id: string;
}

export class Follower {
  readonly openSeenMs = new Map<string, number>();
  readonly closeSeenMs = new Map<string, number>();
  readonly last = new Map<string, Seen>();
  readonly #child: Child;

  /** Begins at once; what happened in the last minute is seen too. */
  constructor(lab: MeshLab) {
    this.#child = lab.startTallystick("connections", "-f", "--json", "--since", "1m");
    const { stdout } = this.#child.process;
    if (stdout !== null) createInterface({ input: stdout }).on("line", (line) => this.#take(line));
  }

  end(): Promise<void> {
    return this.#child.end();
  }

  #take(line: string): void {
    const seen = JSON.parse(line) as Seen;
    const key = connectionKey(seen);
    const nowMs = Date.now();
    this.last.set(key, seen);
    if (!this.openSeenMs.has(key)) this.openSeenMs.set(key, nowMs);
    if (seen.closed_at !== null && !this.closeSeenMs.has(key)) this.closeSeenMs.set(key, nowMs);
  }
}
