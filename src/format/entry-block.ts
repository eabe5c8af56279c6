/**
 * Connection entries as records of twelve numbers, so that millions of them are neither objects nor
 * work for the garbage collector. The scanner (entry-scan.ts) fills a block from a batch's bytes;
 * whoever compares halves reads the words.
 *
 * Words of every record: head, seq, atMs. Then
 *
 *   of an open:       initiator address, port, responder address, port (addresses by their number
 *                     in an AddressTable), and where its rare parts are in `rare`, or −1
 *   of an amendment:  openSeq, ageMs, four counters (0 where the kernel did not count), and the
 *                     payload bytes of both directions, or −1
 *
 * Words that a kind does not name hold anything.
 */
import type { AddressTable } from "./address-table.ts";
import {
  type Amendment,
  CONNECTION_STATES,
  type ConnectionState,
  type Entry,
  type OpenEntry,
  type ReplyTuple,
  type Role,
} from "./entry.ts";

/** Words of a record: 96 bytes. */
export const ENTRY_WORDS = 12;

/** Which word of a record holds what: of every one, of an open, of an amendment. */
export const WORD = {
  head: 0,
  seq: 1,
  atMs: 2,

  initiatorAddress: 3,
  initiatorPort: 4,
  responderAddress: 5,
  responderPort: 6,
  rare: 7,

  openSeq: 3,
  ageMs: 4,
  initiatorPackets: 5,
  initiatorBytes: 6,
  responderPackets: 7,
  responderBytes: 8,
  initiatorPayload: 9,
  responderPayload: 10,
} as const;

/** The kinds by their number in the head. */
export const CONNECTION_KINDS = ["open", "update", "close", "account"] as const;
/** One of `CONNECTION_KINDS`. */
export type ConnectionKind = (typeof CONNECTION_KINDS)[number];
/** The same, the other way. */
export const KIND = { open: 0, update: 1, close: 2, account: 3 } as const satisfies Record<
  ConnectionKind,
  number
>;

/** The roles by their number in the head. */
export const ROLES = ["initiator", "responder", "forwarder"] as const satisfies readonly Role[];

/** Where in the head what begins: kind 2 bits, flags 2, role 2, state 4, protocol 8, counted 1. */
export const SHIFT = { flags: 2, role: 4, state: 6, protocol: 10, counted: 18 } as const;

/** The flags as on the line: `pickup` of an open, the others of an amendment. */
export const ENTRY_FLAG = { pickup: 1, inferred: 1, assured: 2 } as const;

/** A number of `KIND`. */
export const kindOfHead = (head: number): number => head & 3;
/** Bits of `ENTRY_FLAG`. */
export const flagsOfHead = (head: number): number => (head >> SHIFT.flags) & 3;
/** An index in `ROLES`; of opens. */
export const roleOfHead = (head: number): number => (head >> SHIFT.role) & 3;
/** An index in `CONNECTION_STATES`; of amendments. */
export const stateOfHead = (head: number): number => (head >> SHIFT.state) & 15;
/** As in IPv4; of opens. */
export const protocolOfHead = (head: number): number => (head >> SHIFT.protocol) & 255;
/** Whether an amendment has counters. */
export const isCounted = (head: number): boolean => ((head >> SHIFT.counted) & 1) !== 0;

/** What few opens have. */
export interface RareParts {
  readonly reply?: ReplyTuple;
  readonly network?: string;
}

/** A kind of entry that a block holds. */
export type ConnectionEntry = Extract<Entry, { readonly kind: ConnectionKind }>;

export class EntryBlock {
  /** `length` records; replaced when it grows, so take it anew after every addition. */
  words: Float64Array<ArrayBuffer>;
  /** Records in use. */
  length = 0;
  rare: RareParts[] = [];

  constructor(room = 1_024) {
    this.words = new Float64Array(room * ENTRY_WORDS);
  }

  /** Where the words of the next record begin; it counts once `length` is raised. */
  next(): number {
    const at = this.length * ENTRY_WORDS;
    if (at >= this.words.length) this.#grow();
    return at;
  }

  /** Adds what was decoded already, with addresses that are known to be canonical. */
  add(entry: ConnectionEntry, seq: number, addresses: AddressTable): void {
    const at = this.next();
    const { words } = this;
    words[at + WORD.seq] = seq;
    words[at + WORD.atMs] = entry.atMs;
    if (entry.kind === "open") this.#writeOpen(at, entry, addresses);
    else this.#writeAmendment(at, entry);
    this.length++;
  }

  /** Empties it and keeps the memory. */
  clear(): void {
    this.length = 0;
    this.rare = [];
  }

  #writeOpen(at: number, entry: OpenEntry, addresses: AddressTable): void {
    const { words } = this;
    const { tuple, reply, network } = entry;
    const flags = entry.pickup ? ENTRY_FLAG.pickup : 0;
    words[at + WORD.head] =
      KIND.open |
      (flags << SHIFT.flags) |
      (ROLES.indexOf(entry.role) << SHIFT.role) |
      (tuple.protocol << SHIFT.protocol);
    words[at + WORD.initiatorAddress] = addresses.numberOf(tuple.initiatorIp);
    words[at + WORD.initiatorPort] = tuple.initiatorPort;
    words[at + WORD.responderAddress] = addresses.numberOf(tuple.responderIp);
    words[at + WORD.responderPort] = tuple.responderPort;
    const isRare = reply !== undefined || network !== undefined;
    words[at + WORD.rare] = isRare ? this.rare.length : -1;
    if (isRare) this.rare.push(rareParts(reply, network));
  }

  #writeAmendment(at: number, entry: Exclude<ConnectionEntry, OpenEntry>): void {
    const { words } = this;
    const { counters, payload } = entry;
    const inferred = entry.kind === "close" && entry.inferred ? ENTRY_FLAG.inferred : 0;
    words[at + WORD.head] =
      CONNECTION_KINDS.indexOf(entry.kind) |
      ((inferred | (entry.assured ? ENTRY_FLAG.assured : 0)) << SHIFT.flags) |
      (CONNECTION_STATES.indexOf(entry.state) << SHIFT.state) |
      ((counters === undefined ? 0 : 1) << SHIFT.counted);
    words[at + WORD.openSeq] = entry.openSeq;
    words[at + WORD.ageMs] = entry.ageMs;
    words[at + WORD.initiatorPackets] = counters?.initiatorPackets ?? 0;
    words[at + WORD.initiatorBytes] = counters?.initiatorBytes ?? 0;
    words[at + WORD.responderPackets] = counters?.responderPackets ?? 0;
    words[at + WORD.responderBytes] = counters?.responderBytes ?? 0;
    words[at + WORD.initiatorPayload] = payload?.initiatorBytes ?? -1;
    words[at + WORD.responderPayload] = payload?.responderBytes ?? -1;
  }

  #grow(): void {
    const words = new Float64Array(Math.max(this.words.length * 2, ENTRY_WORDS));
    words.set(this.words);
    this.words = words;
  }
}

/** The kind of the record whose words begin at `at`. */
export function kindAt(words: Float64Array, at: number): ConnectionKind {
  return CONNECTION_KINDS[kindOfHead(words[at + WORD.head] ?? 0)] ?? "open";
}

/** Record `index` as the entry that it was: for tests, and for readers without hurry. */
export function toEntry(block: EntryBlock, index: number, addresses: AddressTable): Entry {
  const { words } = block;
  const at = index * ENTRY_WORDS;
  const word = (offset: number): number => words[at + offset] ?? 0;
  const head = word(WORD.head);
  const flags = flagsOfHead(head);
  const kind = kindAt(words, at);
  if (kind === "open") {
    return {
      kind,
      atMs: word(WORD.atMs),
      role: ROLES[roleOfHead(head)] ?? "initiator",
      tuple: {
        protocol: protocolOfHead(head),
        initiatorIp: addresses.textOf(word(WORD.initiatorAddress)),
        initiatorPort: word(WORD.initiatorPort),
        responderIp: addresses.textOf(word(WORD.responderAddress)),
        responderPort: word(WORD.responderPort),
      },
      pickup: (flags & ENTRY_FLAG.pickup) !== 0,
      ...block.rare[word(WORD.rare)],
    };
  }
  const amendment = amendmentOf(words, at);
  if (kind !== "close") return { kind, ...amendment };
  return { kind, ...amendment, inferred: (flags & ENTRY_FLAG.inferred) !== 0 };
}

function amendmentOf(words: Float64Array, at: number): Amendment {
  const word = (offset: number): number => words[at + offset] ?? 0;
  const head = word(WORD.head);
  const amendment = {
    atMs: word(WORD.atMs),
    openSeq: word(WORD.openSeq),
    ageMs: word(WORD.ageMs),
    state: stateAt(stateOfHead(head)),
    assured: (flagsOfHead(head) & ENTRY_FLAG.assured) !== 0,
  };
  if (!isCounted(head)) return amendment;
  const counters = {
    initiatorPackets: word(WORD.initiatorPackets),
    initiatorBytes: word(WORD.initiatorBytes),
    responderPackets: word(WORD.responderPackets),
    responderBytes: word(WORD.responderBytes),
  };
  const payload = {
    initiatorBytes: word(WORD.initiatorPayload),
    responderBytes: word(WORD.responderPayload),
  };
  return payload.initiatorBytes === -1
    ? { ...amendment, counters }
    : { ...amendment, counters, payload };
}

function stateAt(index: number): ConnectionState {
  const state = CONNECTION_STATES[index];
  if (state === undefined) throw new RangeError(`no state ${index}`);
  return state;
}

function rareParts(reply: ReplyTuple | undefined, network: string | undefined): RareParts {
  return {
    ...(reply === undefined ? undefined : { reply }),
    ...(network === undefined ? undefined : { network }),
  };
}
