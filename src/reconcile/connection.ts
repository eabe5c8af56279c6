/**
 * A connection: two halves that fit, or one and a verdict. The row of the store is made from it.
 */
import { compareAddresses } from "../format/address.ts";
import type { CounterState, Verdict } from "../store/schema.ts";
import type { Half } from "./half.ts";

export class Connection {
  /** Names the connection: the half at the numerically lower address, once there are two. */
  key: Half;
  other: Half | undefined;
  verdict: Verdict = "pending";
  excuse = "";
  counters: CounterState = "pending";
  /** Nothing that may still arrive changes it; it is written once more and forgotten. */
  settled = false;
  /** The key under which the store has a row now. */
  writtenKey: Half | undefined;
  /** Waits among the changed connections. */
  queued = false;
  /** Waits to be looked at again. */
  scheduled = false;
  /** Its only half belongs to a pair: this one is not to be written. */
  superseded = false;
  /** Names for the end that has no half: who claims the address. */
  peerName = "";
  /** A finding about this connection is open. */
  found: "missing-half" | "counters-differ" | undefined;

  constructor(half: Half) {
    this.key = half;
  }

  /** The second half came. */
  join(half: Half): void {
    const [key, other] = isKey(half, this.key) ? [half, this.key] : [this.key, half];
    this.key = key;
    this.other = other;
  }

  /** The second half came before, and stood alone until now: of two rows one is to go. */
  absorb(lone: Connection): void {
    const { key, writtenKey } = this;
    this.join(lone.key);
    const [kept, dropped] =
      this.key === key ? [writtenKey, lone.writtenKey] : [lone.writtenKey, writtenKey];
    this.writtenKey = dropped ?? kept;
    this.found ??= lone.found;
    lone.superseded = true;
    lone.settled = true;
  }

  get halves(): readonly Half[] {
    return this.other === undefined ? [this.key] : [this.key, this.other];
  }

  /** The half that `nodeId` recorded with this open. */
  halfOf(nodeId: string): Half | undefined {
    return this.halves.find((half) => half.node.id === nodeId);
  }

  /** The half that reports as `role`; a lone half of another role is not it. */
  as(role: Half["role"]): Half | undefined {
    return this.halves.find((half) => half.role === role);
  }
}

/** By address; two nodes that claim one address are told apart by id, so that the choice never depends on who came first. */
function isKey(candidate: Half, against: Half): boolean {
  const order = compareAddresses(candidate.ownIp ?? "::", against.ownIp ?? "::");
  return order === 0 ? candidate.node.id < against.node.id : order < 0;
}
