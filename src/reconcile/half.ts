/**
 * One end's record of a connection, as far as its entries have arrived.
 */
import type { Amendment, Counters, OpenEntry, ReplyTuple, Role, Tuple } from "../format/entry.ts";

/** Who recorded a half: hex id and name of the node. */
export interface HalfOwner {
  readonly id: string;
  readonly name: string;
}

export class Half {
  readonly node: HalfOwner;
  readonly epoch: number;
  readonly seq: number;
  readonly role: Role;
  readonly tuple: Tuple;
  readonly pickup: boolean;
  readonly reply: ReplyTuple | undefined;
  readonly network: string;
  /** The node's own clock. */
  readonly openedMs: number;
  /** Journal index of the batch with the open, and when the server received it. */
  readonly index: number;
  readonly receivedMs: number;
  /** The open on the server's clock, as far as the node's batches show how the two differ. */
  readonly serverMs: number;

  state = "";
  assured = false;
  inferred = false;
  /** Undefined while it lives. */
  durationMs: number | undefined;
  counters: Counters | undefined;
  /** The final counters are in. */
  accounted = false;
  /** Its node began a new epoch: nothing more can refer to it. */
  cutOff = false;
  /** The node's own clock: time of its newest entry. */
  heardMs: number;

  constructor(node: HalfOwner, entry: OpenEntry, place: HalfPlace) {
    this.node = node;
    this.epoch = place.epoch;
    this.seq = place.seq;
    this.role = entry.role;
    this.tuple = entry.tuple;
    this.pickup = entry.pickup;
    this.reply = entry.reply;
    this.network = entry.network ?? "default";
    this.openedMs = entry.atMs;
    this.heardMs = entry.atMs;
    this.index = place.index;
    this.receivedMs = place.receivedMs;
    this.serverMs = entry.atMs + place.leastLagMs;
  }

  /** Takes what a later entry says. Applying an entry twice changes nothing. */
  amend(entry: Amendment & { kind: "update" | "close" | "account"; inferred?: boolean }): void {
    if (this.accounted && entry.kind !== "account") return;
    this.assured ||= entry.assured;
    this.heardMs = Math.max(this.heardMs, entry.atMs);
    if (entry.counters !== undefined) this.counters = entry.counters;
    switch (entry.kind) {
      case "update":
        if (this.durationMs === undefined) this.state = entry.state;
        break;
      case "close":
        this.state = entry.state;
        this.durationMs = entry.ageMs;
        this.inferred = entry.inferred === true;
        // A close that was seen has counters only when the kernel gave its last ones with it.
        this.accounted = !this.inferred && entry.counters !== undefined;
        break;
      case "account":
        this.state = entry.state;
        this.durationMs ??= entry.ageMs;
        this.accounted = true;
        break;
    }
  }

  get closed(): boolean {
    return this.durationMs !== undefined;
  }

  /** The node's own clock; meaningful once closed. */
  get closedMs(): number {
    return this.openedMs + (this.durationMs ?? 0);
  }

  /** The address by which the recording node took part; a forwarder took part by none. */
  get ownIp(): string | undefined {
    if (this.role === "initiator") return this.tuple.initiatorIp;
    return this.role === "responder" ? this.tuple.responderIp : undefined;
  }

  get peerIp(): string | undefined {
    if (this.role === "initiator") return this.tuple.responderIp;
    return this.role === "responder" ? this.tuple.initiatorIp : undefined;
  }
}

export interface HalfPlace {
  readonly epoch: number;
  readonly seq: number;
  readonly index: number;
  readonly receivedMs: number;
  /** The node's smallest receive delay so far, its clock offset included. */
  readonly leastLagMs: number;
}
