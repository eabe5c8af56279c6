/**
 * The nouns: what one node can record. Shapes only; the bytes are in entry-line.ts.
 *
 * Connection entries are oriented initiator → responder on both ends: `initiator` is who sent the
 * first packet, whichever end writes the entry. A half is one `open` and the entries that refer to
 * it: `update` while it lives, one `close`, and `account` when the kernel reports final counters
 * after the end.
 */

/** What this node was to the connection. A forwarder routed it and owns neither address. */
export type Role = "initiator" | "responder" | "forwarder";

/** Addresses are canonical text (address.ts); ports 0–65535; protocol as in protocol.ts. */
export interface Tuple {
  readonly protocol: number;
  readonly initiatorIp: string;
  readonly initiatorPort: number;
  readonly responderIp: string;
  readonly responderPort: number;
}

/** The tuple of the answers, as the kernel expects them. Present only where address translation made it differ from the mirror of the original tuple. */
export interface ReplyTuple {
  readonly sourceIp: string;
  readonly sourcePort: number;
  readonly destinationIp: string;
  readonly destinationPort: number;
}

/** The kernel's counts, IP headers included, by direction: `initiator*` is what the initiator sent. */
export interface Counters {
  readonly initiatorPackets: number;
  readonly initiatorBytes: number;
  readonly responderPackets: number;
  readonly responderBytes: number;
}

/**
 * What the two applications exchanged, without headers and retransmissions, by the count of this
 * end's TCP: `initiatorBytes` is what the initiator's wrote. What an end sent is exact, whatever was
 * lost on the way. What it received is that, or one byte less: the end of a stream counts as a byte
 * where the socket was still there to receive it, and nobody can tell afterwards.
 */
export interface PayloadBytes {
  readonly initiatorBytes: number;
  readonly responderBytes: number;
}

/**
 * Zeek's `conn_state`, as far as a connection tracker can see it, and one word of our own:
 * `RST`, an established connection that was reset, by whom the kernel does not say.
 *
 * - `S0` attempt without answer · `REJ` attempt refused · `S1` established, not ended
 * - `S2` established, one end closed, then it timed out · `SF` normal establishment and end
 * - `RSTO`, `RSTR` reset by initiator or responder, where a source knows · `OTH` no beginning seen
 *
 * UDP: `S0` no reply, `SF` replied.
 */
export const CONNECTION_STATES = [
  "S0",
  "S1",
  "S2",
  "SF",
  "REJ",
  "RST",
  "RSTO",
  "RSTR",
  "OTH",
] as const;
/** One of `CONNECTION_STATES`. */
export type ConnectionState = (typeof CONNECTION_STATES)[number];

/** Unix milliseconds of the node's own clock, an integer. */
export interface Timed {
  readonly atMs: number;
}

export interface OpenEntry extends Timed {
  readonly kind: "open";
  readonly role: Role;
  readonly tuple: Tuple;
  /** The first packet was not seen: the orientation is a guess, and no peer half is required. */
  readonly pickup: boolean;
  readonly reply?: ReplyTuple;
  /** Absent: the network `default`, which a line never spells out. */
  readonly network?: string;
}

/** What every later entry of a half says: which half, and how old it was. */
export interface Amendment extends Timed {
  /** `seq` of the half's `open`, in the same epoch; always smaller than the entry's own. */
  readonly openSeq: number;
  /** `atMs` minus the open's `atMs`, never negative (an end that a set clock puts before its beginning is moved to it), so that the open's time is known from any of its entries. */
  readonly ageMs: number;
  readonly state: ConnectionState;
  /** The kernel saw lasting traffic both ways (conntrack's ASSURED). */
  readonly assured: boolean;
  /** Absent where the kernel did not count; never zero for unknown. */
  readonly counters?: Counters;
  /** Only beside counters, and only where this end's TCP counted and the connection ended in order: its absence says nothing. */
  readonly payload?: PayloadBytes;
}

/** Still alive: every five minutes, and once after both sides have spoken. */
export interface UpdateEntry extends Amendment {
  readonly kind: "update";
}

export interface CloseEntry extends Amendment {
  readonly kind: "close";
  /** The end was not observed: the connection was gone from the kernel's table. */
  readonly inferred: boolean;
}

/** What became known after the end, such as the final counters. */
export interface AccountEntry extends Amendment {
  readonly kind: "account";
}

/** The causes of `GapCause`, which says what each means. */
export const GAP_CAUSES = ["overflow", "spool", "queue", "restart", "pressure", "lost"] as const;
/**
 * Why entries are missing: `overflow` the kernel dropped events · `spool` the bounded spool gave up
 * its oldest · `queue` a bounded queue in memory was full · `restart` nobody listened for a while ·
 * `pressure` the agent stopped tracking to spare the host · `lost` the agent cannot tell why.
 */
export type GapCause = (typeof GAP_CAUSES)[number];

/** A node's admission that entries are missing. */
export interface GapEntry extends Timed {
  readonly kind: "gap";
  readonly cause: GapCause;
  /** Lost events or entries; null when nobody can know. */
  readonly count: number | null;
  /** The interval in which they were lost, Unix ms, both inclusive; empty, and no excuse, when a clock was set back in it. */
  readonly fromMs: number;
  readonly toMs: number;
  /** The `seq` numbers lost, both inclusive, when they had been given. */
  readonly seqs?: readonly [first: number, last: number];
}

/** OpenTelemetry's severity number (1–24) and the record's body and attributes. */
export interface LogEntry extends Timed {
  readonly kind: "log";
  readonly severity: number;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** The addresses that this node claims now, by network. Replaces what it claimed before. */
export interface AddressesEntry extends Timed {
  readonly kind: "addresses";
  readonly networks: Readonly<Record<string, readonly string[]>>;
}

/** The agent began to observe. `facts`: version, kernel, boot id, source, kernel settings as found. */
export interface StartEntry extends Timed {
  readonly kind: "start";
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

/** The stream ends here on purpose. */
export interface StopEntry extends Timed {
  readonly kind: "stop";
  readonly reason: string;
}

/** Which kernel events the agent reads from now on, and why it changed. */
export interface DegradedEntry extends Timed {
  readonly kind: "degraded";
  /** `all`, `ends` (beginning and end only) or `none`. */
  readonly events: "all" | "ends" | "none";
  readonly reason: string;
}

/** What one network interface counted since it was made; link headers may be in it or not. */
export interface InterfaceTotals {
  /** The kernel's number of it: an interface that was removed and made again has another, and began at zero. */
  readonly index: number;
  readonly name: string;
  /** It carries an address that the node claims. */
  readonly claimed: boolean;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly receivedPackets: number;
  readonly sentPackets: number;
}

/** What a WireGuard interface counted for one peer, encryption and headers included. */
export interface PeerTotals {
  /** Name of the interface. */
  readonly interface: string;
  /** The peer's WireGuard key, base64 as the tools print it. */
  readonly publicKey: string;
  /** Single addresses that are allowed to it, canonical. */
  readonly addresses: readonly string[];
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/**
 * What the node's interfaces carried: an independent third number beside the counts of both ends.
 * All interfaces but loopback, ports of another (bridge, bond) and what has carried nothing, as the
 * kernel has them since they were made.
 */
export interface TotalsEntry extends Timed {
  readonly kind: "totals";
  readonly interfaces: readonly InterfaceTotals[];
  /** Absent where there is no WireGuard interface, or its tool is missing. */
  readonly peers?: readonly PeerTotals[];
}

/** First entry of an epoch that began because the two ends of the chain no longer fit. */
export interface RollbackEntry extends Timed {
  readonly kind: "rollback";
  /**
   * `state`: an older or emptied state directory on the same machine · `clone`: another machine with
   * this node's key · `server`: the server holds less than it gave receipts for (restored backup).
   */
  readonly cause: "state" | "clone" | "server";
  /** The node's own last sealed position; for `server` the last one it holds a receipt for. -1: none. */
  readonly oldEpoch: number;
  readonly oldBatch: number;
  /** Hex of the node's own chain hash there; 64 zeros: none. */
  readonly oldHead: string;
  readonly machineId: string;
  readonly bootId: string;
}

/** The last entry until a `resume`: the person on the node refuses logging. */
export interface OptOutEntry extends Timed {
  readonly kind: "opt_out";
  /** `flag`, or the name of the environment variable that asked for it. */
  readonly origin: string;
}

/** Ends an opt-out: from now on the node is logged again. */
export interface ResumeEntry extends Timed {
  readonly kind: "resume";
}

/** The server's stream only: time, journaled, so that a rebuild decides absences at the same points. */
export interface TickEntry extends Timed {
  readonly kind: "tick";
}

/** The server's stream only: a node joined. `publicKey` is base64url of 32 bytes. */
export interface EnrolledEntry extends Timed {
  readonly kind: "enrolled";
  readonly node: string;
  readonly name: string;
  readonly publicKey: string;
  readonly enrolmentKey: string;
}

/** The server's stream only: batches of this node's key after `lastBatch` count no more. */
export interface RevokedEntry extends Timed {
  readonly kind: "revoked";
  readonly node: string;
  readonly epoch: number;
  /** −1: it never sent one. */
  readonly lastBatch: number;
}

/** How much a finding should worry, from least to most. */
export const SEVERITIES = ["low", "medium", "high", "critical"] as const;
/** One of `SEVERITIES`. */
export type Severity = (typeof SEVERITIES)[number];

/** The server's stream only: a conclusion. The same `id` again changes its state. */
export interface FindingEntry extends Timed {
  readonly kind: "finding";
  /** Hex of 16 bytes: H(kind, what it is about), so that journaling it twice is harmless. */
  readonly id: string;
  readonly finding: string;
  readonly severity: Severity;
  readonly state: "open" | "resolved";
  /** Hex node id of whom it concerns (which is not an accusation), or empty. */
  readonly node: string;
  /** Hex connection id, or empty. */
  readonly connection: string;
  readonly title: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** What a person can say of a finding, by the state it gives: `reopened` takes the others back. */
export const RULINGS = ["excused", "acknowledged", "reopened"] as const;
/** One of `RULINGS`. */
export type Ruling = (typeof RULINGS)[number];

/**
 * The server's stream only: a person decided about a finding. It holds until the comparison resolves
 * the finding, another ruling follows, or it expires at a tick.
 */
export interface RulingEntry extends Timed {
  readonly kind: "ruling";
  /** The finding's `id`. */
  readonly finding: string;
  readonly ruling: Ruling;
  /** 1 to `REASON_CHARS_MAX` UTF-16 units. */
  readonly reason: string;
  /** Who asked for it, as the server knows them. */
  readonly actor: string;
  /** The finding opens again then; `EXCUSE_MS_MAX` after `atMs` whatever stands here. Absent: an excuse lasts that long, an acknowledgement for good. */
  readonly expiresAtMs?: number;
}

/** Who did something, as the server knows them: `system` is the server itself, `nobody` is who did not say who they are. */
export const ACTOR_TYPES = ["user", "token", "node", "system", "nobody"] as const;
/** By which way it was asked for. */
export const ORIGINS = ["console", "api", "cli", "agent", "system"] as const;
/** `refused`: it was not allowed or made no sense, and `code` says why; `failed`: it was, and could not be done. */
export const OUTCOMES = ["done", "refused", "failed"] as const;

export interface Actor {
  readonly type: (typeof ACTOR_TYPES)[number];
  /** Of the user, token or node; empty for the others. */
  readonly id: string;
  /** As it was then. For a sign-in that failed, what was typed is kept nowhere: it may be a password. */
  readonly name: string;
}

/** What something was done to. */
export interface Target {
  /** `node`, `user`, `finding`, `setting` … */
  readonly type: string;
  readonly id: string;
  readonly name: string;
}

/** One property before and after; null where it was not there. Secrets and their hashes stand in none. */
export interface PropertyChange {
  readonly property: string;
  readonly old: unknown;
  readonly new: unknown;
}

/** The server's stream only: somebody changed something, read something, or tried to. */
export interface AuditEntry extends Timed {
  readonly kind: "audit";
  /** Hex of 16 random bytes. What is staged under it has happened once this entry is in the journal. */
  readonly id: string;
  /** The `id` of the first entry of the operation that this one is part of; often its own. */
  readonly group: string;
  readonly actor: Actor;
  /** Canonical; empty where there is none. */
  readonly address: string;
  readonly origin: (typeof ORIGINS)[number];
  /** `node.revoke`, `user.create`, `connections.read` … */
  readonly action: string;
  /** Content was read, and nothing changed. */
  readonly read: boolean;
  readonly target: Target;
  readonly changes: readonly PropertyChange[];
  readonly outcome: (typeof OUTCOMES)[number];
  /** Of the error; empty when it is done. */
  readonly code: string;
  /** What else is to be known: the query of a read, how many rows and bytes it gave. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

/** What belongs to a half. */
export type ConnectionEntry = OpenEntry | UpdateEntry | CloseEntry | AccountEntry;

/** What a node says of itself and its logs; the server writes some of these too. */
export type NodeEntry =
  | GapEntry
  | LogEntry
  | AddressesEntry
  | StartEntry
  | StopEntry
  | DegradedEntry
  | TotalsEntry
  | RollbackEntry
  | OptOutEntry
  | ResumeEntry;

/** Accepted from the server's own stream only. */
export type ServerEntry =
  | TickEntry
  | EnrolledEntry
  | RevokedEntry
  | FindingEntry
  | RulingEntry
  | AuditEntry;

export type Entry = ConnectionEntry | NodeEntry | ServerEntry;
/** The first value of a line. */
export type EntryKind = Entry["kind"];
