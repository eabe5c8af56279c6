/**
 * Halves that something is still to be said of, as columns of numbers: a million of them live at a
 * time, and none is kept longer than its last entry. Each has at most one event ahead of it, so the
 * calendar's lists run through the halves themselves.
 *
 * Times are milliseconds since the beginning of the run, true time, unless said otherwise.
 */

/** What happens next to a half, in the order of its life. */
export const EVENT = { open: 0, prompt: 1, update: 2, close: 3, destroy: 4, timer: 5 } as const;

/** Bits of `flags`. */
export const FLAG_OF_HALF = {
  /** Its open is in the stream. */
  opened: 1,
  /** Its close is in the stream. */
  ended: 2,
  /** Nothing is said of it (any more). */
  hidden: 4,
  /** Somebody wants to know its number. */
  tracked: 8,
  /** Its agent did not see it begin: whatever comes next opens it as picked up. */
  unseen: 16,
  /** It left the kernel's table while its agent was away. */
  gone: 32,
  /** The kernel saw lasting traffic both ways. */
  assured: 64,
  /** A reply, or a whole handshake. */
  established: 128,
  /** Its end was not seen, or is only known when the kernel forgets it (UDP): the close has the counters. */
  endsLate: 256,
} as const;

const FIRST_CAPACITY = 1 << 14;

type Column = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array;

export class HalfPool {
  node = new Uint16Array(FIRST_CAPACITY);
  flags = new Uint16Array(FIRST_CAPACITY);
  protocol = new Uint8Array(FIRST_CAPACITY);
  /** A letter of `ROLE`. */
  role = new Uint8Array(FIRST_CAPACITY);
  /** A code of `STATE`: how it will have ended. */
  state = new Uint8Array(FIRST_CAPACITY);
  /** Numbers of addresses. */
  initiator = new Uint32Array(FIRST_CAPACITY);
  responder = new Uint32Array(FIRST_CAPACITY);
  initiatorPort = new Uint16Array(FIRST_CAPACITY);
  responderPort = new Uint16Array(FIRST_CAPACITY);
  openSeq = new Uint32Array(FIRST_CAPACITY);
  /** The node's own clock, since the beginning of the run: what the open said. */
  saidMs = new Int32Array(FIRST_CAPACITY);
  bornMs = new Uint32Array(FIRST_CAPACITY);
  /** When its kernel had seen an answer, if one came. */
  answeredMs = new Uint32Array(FIRST_CAPACITY);
  endMs = new Uint32Array(FIRST_CAPACITY);
  /** When the kernel forgets it, and tells its counters. */
  goneMs = new Uint32Array(FIRST_CAPACITY);
  /** The agent speaks so much later than the half says, from the open on: a liar's second thoughts. */
  delayMs = new Uint32Array(FIRST_CAPACITY);
  initiatorPackets = new Uint32Array(FIRST_CAPACITY);
  responderPackets = new Uint32Array(FIRST_CAPACITY);
  initiatorBytes = new Float64Array(FIRST_CAPACITY);
  responderBytes = new Float64Array(FIRST_CAPACITY);
  /** Exact, as the socket counted; negative: unknown. */
  initiatorPayload = new Float64Array(FIRST_CAPACITY);
  responderPayload = new Float64Array(FIRST_CAPACITY);
  event = new Uint8Array(FIRST_CAPACITY);
  dueMs = new Uint32Array(FIRST_CAPACITY);
  /** Next in a bucket of the calendar, or in the list of free ones; −1 at the end. */
  next = new Int32Array(FIRST_CAPACITY);
  /** Reply tuples, where addresses are translated. */
  readonly reply = new Map<number, string>();
  #capacity = 0;
  #free = -1;
  #used = 0;

  constructor() {
    this.#link(0, FIRST_CAPACITY);
  }

  /** One past the highest that was ever taken. */
  get end(): number {
    return this.#capacity;
  }

  get used(): number {
    return this.#used;
  }

  /** A half with nothing but zeros that matter. */
  take(): number {
    if (this.#free === -1) this.#grow();
    const half = this.#free;
    this.#free = this.next[half] as number;
    this.#used++;
    this.flags[half] = 0;
    this.delayMs[half] = 0;
    return half;
  }

  release(half: number): void {
    if (this.reply.size > 0) this.reply.delete(half);
    this.flags[half] = 0;
    this.next[half] = this.#free;
    this.#free = half;
    this.#used--;
  }

  #link(from: number, to: number): void {
    for (let half = from; half < to; half++) this.next[half] = half + 1;
    this.next[to - 1] = -1;
    this.#free = from;
    this.#capacity = to;
  }

  #grow(): void {
    const from = this.#capacity;
    const to = 2 * from;
    this.node = wider(this.node, to);
    this.flags = wider(this.flags, to);
    this.protocol = wider(this.protocol, to);
    this.role = wider(this.role, to);
    this.state = wider(this.state, to);
    this.initiator = wider(this.initiator, to);
    this.responder = wider(this.responder, to);
    this.initiatorPort = wider(this.initiatorPort, to);
    this.responderPort = wider(this.responderPort, to);
    this.openSeq = wider(this.openSeq, to);
    this.saidMs = wider(this.saidMs, to);
    this.bornMs = wider(this.bornMs, to);
    this.answeredMs = wider(this.answeredMs, to);
    this.endMs = wider(this.endMs, to);
    this.goneMs = wider(this.goneMs, to);
    this.delayMs = wider(this.delayMs, to);
    this.initiatorPackets = wider(this.initiatorPackets, to);
    this.responderPackets = wider(this.responderPackets, to);
    this.initiatorBytes = wider(this.initiatorBytes, to);
    this.responderBytes = wider(this.responderBytes, to);
    this.initiatorPayload = wider(this.initiatorPayload, to);
    this.responderPayload = wider(this.responderPayload, to);
    this.event = wider(this.event, to);
    this.dueMs = wider(this.dueMs, to);
    this.next = wider(this.next, to);
    this.#link(from, to);
  }
}

function wider<T extends Column>(column: T, length: number): T {
  const Kind = column.constructor as new (length: number) => T;
  const copy = new Kind(length);
  copy.set(column);
  return copy;
}
