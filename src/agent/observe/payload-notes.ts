/**
 * Which half an ended socket belongs to. A socket names its connection by addresses and ports
 * alone, which are used again; a number at the wrong connection would make an honest node look
 * false, so wherever another connection is possible, none is noted. That is no loss: without
 * payload bytes the kernel's counts of packets and bytes are compared.
 *
 * - A socket waits until a mark proves that the kernel's events up to its end have been read: so its half
 *   is known, and no younger one of the same tuple can stand for it unseen.
 * - That half must be ending by then.
 * - A half whose tuple was in use shortly before takes none, nor does one to which two belong.
 * - What began before events were lost takes none.
 */
import type { Clock } from "../../std/clock.ts";
import type { OpenEntry } from "../../format/entry.ts";
import { TCP } from "../../format/protocol.ts";
import type { Half } from "./half-table.ts";
import { SOCKET_END_WAIT_MS, SOCKET_ENDS_MAX, TUPLE_QUIET_MS, TUPLES_GONE_MAX } from "./limits.ts";
import type { SocketEnd } from "./socket-line.ts";

interface Waiting {
  readonly end: SocketEnd;
  readonly atMs: number;
  readonly monotonicMs: number;
}

type Tuple = Omit<SocketEnd, "payload">;

/** A connection in these states has not begun to end. */
const ONGOING: ReadonlySet<string> = new Set(["", "NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED"]);

export class PayloadNotes {
  readonly #clock: Clock;
  /** Halves of which this node is an end, the latest of each tuple, by hash. Two tuples of one hash are taken for one. */
  readonly #halves = new Map<number, Half>();
  /** When the entry of a tuple went, in the order of time. */
  readonly #gone = new Map<number, number>();
  #waiting: Waiting[] = [];
  /** Halves opened up to here take nothing. */
  #interruptedMs = 0;
  /** Of tuples that went before, not all are remembered. */
  #unsureUntilMonotonicMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A half was opened by this entry. Translated ones are named otherwise by their socket, and left out. */
  opened(half: Half, entry: OpenEntry): void {
    if (half.protocol !== TCP || entry.pickup) return;
    if (entry.role === "forwarder" || entry.reply !== undefined) return;
    const hash = hashOf(half);
    const wasInUse = this.#halves.has(hash) || this.#gone.has(hash);
    if (wasInUse || this.#clock.monotonicMs() < this.#unsureUntilMonotonicMs) half.payload = null;
    this.#halves.set(hash, half);
  }

  /** A half is no longer known. */
  gone(half: Half): void {
    if (half.protocol !== TCP) return;
    const hash = hashOf(half);
    if (this.#halves.get(hash) !== half) return;
    this.#halves.delete(hash);
    this.#gone.delete(hash);
    if (this.#gone.size >= TUPLES_GONE_MAX) {
      this.#gone.clear();
      this.#unsureUntilMonotonicMs = this.#clock.monotonicMs() + TUPLE_QUIET_MS;
    }
    this.#gone.set(hash, this.#clock.monotonicMs());
  }

  /** A socket ended. */
  ended(end: SocketEnd): void {
    if (this.#waiting.length >= SOCKET_ENDS_MAX) return;
    this.#waiting.push({
      end,
      atMs: this.#clock.nowMs(),
      monotonicMs: this.#clock.monotonicMs(),
    });
  }

  /** Events of the kernel were lost: what is open now may be another connection than it seems. */
  interrupted(): void {
    this.#interruptedMs = this.#clock.nowMs();
  }

  /** Every event before `completeToMs` has been read. Call a few times a second. */
  settle(completeToMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    let done = 0;
    for (const { end, atMs, monotonicMs } of this.#waiting) {
      if (atMs < completeToMs) this.#note(end);
      else if (nowMs - monotonicMs < SOCKET_END_WAIT_MS) break;
      done++;
    }
    if (done > 0) this.#waiting = this.#waiting.slice(done);
    for (const [hash, goneMs] of this.#gone) {
      if (nowMs - goneMs < TUPLE_QUIET_MS) break;
      this.#gone.delete(hash);
    }
  }

  #note(end: SocketEnd): void {
    const half = this.#halves.get(hashOf(end));
    if (half === undefined || !isOf(half, end)) return;
    const isSure =
      half.payload === undefined &&
      half.openedAtMs > this.#interruptedMs &&
      !ONGOING.has(half.kernelState);
    half.payload = isSure ? end.payload : null;
  }
}

function isOf(half: Half, end: Tuple): boolean {
  return (
    half.initiatorPort === end.initiatorPort &&
    half.responderPort === end.responderPort &&
    half.initiatorIp === end.initiatorIp &&
    half.responderIp === end.responderIp
  );
}

/** FNV-1a over the tuple, cut to what a map holds without another object. */
function hashOf({ initiatorIp, initiatorPort, responderIp, responderPort }: Tuple): number {
  let hash = mixText(0x811c_9dc5, initiatorIp);
  hash = mix(hash, initiatorPort);
  hash = mixText(hash, responderIp);
  return mix(hash, responderPort) & 0x3fff_ffff;
}

function mixText(hash: number, text: string): number {
  let mixed = hash;
  for (let index = 0; index < text.length; index++) mixed = mix(mixed, text.charCodeAt(index));
  return mixed;
}

function mix(hash: number, value: number): number {
  return Math.imul(hash ^ value, 0x0100_0193);
}
