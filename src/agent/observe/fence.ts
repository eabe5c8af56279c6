/**
 * How the agent knows that it has read all the kernel had to say up to a time: it sends a datagram
 * to a loopback address that nobody else uses, which makes a connection event, and waits until its
 * own reader sees that event. What happened before the datagram was sent has been read by then.
 *
 * A reader that is stopped, slow or deaf sees no mark, so the time stands still. The same holds
 * where loopback is not tracked; the observer says so in an entry.
 */
import { UDP } from "../../format/protocol.ts";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { Clock } from "../../std/clock.ts";
import type { ConntrackEvent } from "./conntrack-line.ts";
import { FENCES_OUT_MAX } from "./limits.ts";

export interface Mark {
  /** Counts up; a later mark was sent later. */
  readonly number: number;
  readonly sentAtMs: number;
}

interface Sent extends Mark {
  readonly sentMonotonicMs: number;
}

/** Discard: nobody answers there, and a refusal comes back as ICMP, which is no connection. */
const DISCARD_PORT = 9;
/** Marks go to 127.64.0.0/10, out of the way of resolvers and the like in 127.0.0.0/16. */
const FIRST_OCTET = 64;
const ADDRESSES = 64 * 256 * 256;

export class Fence {
  readonly #clock: Clock;
  readonly #socket: Socket;
  readonly #port: number;
  /** The latest marks by destination address, read or not. Insertion order is sending order. */
  readonly #sent = new Map<string, Sent>();
  #number = 0;
  /** This one and all before it were read. */
  #settledNumber = 0;
  #sendError: string | undefined;

  private constructor(clock: Clock, socket: Socket) {
    this.#clock = clock;
    this.#socket = socket;
    this.#port = socket.address().port;
  }

  /** Opens the socket that marks are sent from, on 127.0.0.1. */
  static async open(clock: Clock): Promise<Fence> {
    const socket = createSocket("udp4");
    socket.unref();
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const fence = new Fence(clock, socket);
    socket.on("error", (error) => (fence.#sendError = error.message));
    return fence;
  }

  /** Sends the next mark. */
  provoke(): Mark {
    const number = ++this.#number;
    const address = markAddress(number);
    // Taken before sending: what the mark proves must not be later than the mark.
    const sent = {
      number,
      sentAtMs: this.#clock.nowMs(),
      sentMonotonicMs: this.#clock.monotonicMs(),
    };
    this.#sent.set(address, sent);
    if (this.#sent.size > FENCES_OUT_MAX) this.#forgetOldest();
    this.#socket.send("", DISCARD_PORT, address, (error) => {
      this.#sendError = error?.message;
    });
    return sent;
  }

  /** The mark that this event is, if it is one. Two readers may each see it, one after the other. */
  markOf(event: ConntrackEvent): Mark | undefined {
    if (event.type !== "new" || event.protocol !== UDP) return undefined;
    const { original } = event;
    if (original.sourcePort !== this.#port || original.destinationPort !== DISCARD_PORT) {
      return undefined;
    }
    return this.#sent.get(original.destinationIp);
  }

  /** This mark was read by the reader that counts: it and all before it are settled. */
  settle({ number }: Mark): void {
    this.#settledNumber = Math.max(this.#settledNumber, number);
  }

  /** No mark sent so far will be read: its reader is gone. */
  forgetAll(): void {
    this.#sent.clear();
  }

  /** How long the oldest unread mark has been out, 0 when all were read. */
  lagMs(): number {
    for (const { number, sentMonotonicMs } of this.#sent.values()) {
      if (number > this.#settledNumber) return this.#clock.monotonicMs() - sentMonotonicMs;
    }
    return 0;
  }

  /** Why the last mark could not be sent, if it could not. */
  get sendError(): string | undefined {
    return this.#sendError;
  }

  close(): void {
    this.#socket.close();
  }

  #forgetOldest(): void {
    const [oldest] = this.#sent.keys();
    if (oldest !== undefined) this.#sent.delete(oldest);
  }
}

function markAddress(number: number): string {
  const at = number % ADDRESSES;
  return `127.${FIRST_OCTET + (at >> 16)}.${(at >> 8) & 0xff}.${at & 0xff}`;
}
