/**
 * Times and bounds of the comparison: for how long it waits, how near is near, and how much it remembers. What one
 * algorithm alone goes by, such as the band of an alignment, stands with that. All times are journal time unless said
 * otherwise.
 */
import { HOUR_MS } from "./hours.ts";

/** A node that sent nothing for so long, three heartbeats, is silent. */
export const SILENT_AFTER_MS = 90_000;

/** Final counters come up to 129 s after the end, plus 60 s of kernel garbage collection, plus slack. */
export const ACCOUNT_WAIT_MS = 240_000;

/** The half that an established peer must have is waited for so long when its node is unreachable. */
export const OFFLINE_PATIENCE_MS = 24 * HOUR_MS;

/** A connection that lives is told of every five minutes. */
export const TOLD_EVERY_MS = 300_000;

/** Before clocks are known to agree, no absence is decided sooner after the open. */
const CLOCK_TOLERANCE_MS = 120_000;

/** Opens of one connection are this near at most while the clocks are unknown. */
export const PAIRING_NEAR_MS = 2 * CLOCK_TOLERANCE_MS;

/** Opens this near, and alone with their tuple, are one connection at once: no further apart than an alignment would pair them. */
export const PAIRING_AT_ONCE_MS = 2_000;

/** Two ends whose clocks are known stamp one connection within this time; further apart, something else is to explain it. */
export const PAIRING_CLOSE_MS = 250;

/** A kernel gives out a port again a second after it was used at the soonest: a forwarder's record further from the beginning of a connection may be of another one. */
export const REUSED_MS_MIN = 1_000;

/** Aligning the instances of a tuple: what leaving one alone costs, in milliseconds of distance. A port is used again a second after its end at the soonest. */
export const PAIRING_SKIP_MS = 4_000;

/** The same of an instance that came to nothing, which may have no partner at all. */
export const PAIRING_SKIP_VAIN_MS = 1_000;

/**
 * Instances of a tuple that are compared at a time, of each node. A kernel makes one a second at most, so that fewer than 300
 * are within reach of each other: the last SYN that is sent again, and what clocks are off, either way. A node that writes more made them up.
 */
export const INSTANCES_MAX = 512;

/** What a half whose beginning was seen is preferred by: more than its first SYN can have been lost for (matching.ts), and less than two that are left alone. */
export const PAIRING_PICKUP_MS = 6_000;

/**
 * How long a half without a partner waits for nodes that are behind before its peer is nobody: their addresses, or
 * translated connections, may be the missing ones.
 */
export const STRANGER_WAIT_MS = 600_000;

/** A node that resumed says so in its first batch, as soon as it reaches the server: halves of connections with it wait so long for that. */
export const RESUME_WAIT_MS = 120_000;

/** What a translator forwarded is kept so long for ends that are out of reach: their halves need it to be a pair. A busy one forwards a hundred a second: 60 MB. */
export const FORWARDED_WAIT_MS = 3_600_000;

/** How far past a stranger's half all nodes must be: the half on the other side of a translation has been judged by then. */
export const NAMING_SLACK_MS = 60_000;

/** Linux sends the SYN again after 1, 3, 7, 15, 31 and 63 s, and gives up at 127 s. */
export const RETRANSMIT_MS_MAX = 127_000;

/** A stream that is complete this far past an open has no other instance that would fit better. */
export const SEAL_MS = 4_000;

/** What is stamped further past the time at which its batch was closed counts as of then: nobody waits for a time that will not come. An honest clock that is set back by more has an excuse. */
export const AHEAD_MS_MAX = HOUR_MS;

/** What two readers under load may differ in beyond what their clocks do, before an absence is one. */
export const ABSENCE_SLACK_MS = 5_000;

/** A jump of journal time by more than this, five ticks, means that the server was not listening: nobody was silent. */
export const SERVER_AWAY_MS = 25_000;

/** A number that was given and never arrived must be declared lost within this time. */
export const HOLE_PATIENCE_MS = 60_000;

/** A restart longer than this is told to a person. */
export const RESTART_QUIET_MS = 10_000;

/** Parts of one hole that no gap has named yet. A spool gives up its oldest: an honest hole is explained in a few pieces. */
export const RANGES_PER_HOLE_MAX = 256;

/** Declared gaps and absences remembered per node; the oldest go first. */
export const EXCUSES_PER_NODE_MAX = 256;

/** Absences and gaps are declared by one clock and met by another; what their difference cannot tell is allowed here. */
export const EXCUSE_SLACK_MS = 3_000;

/** Responders that are remembered by id of those that know a node under one address; of so many one is honest. */
export const SAID_BY_MAX = 64;

/** Addresses under which a node is known, because somebody translates its own: it has hardly ever more than one way out. */
export const TRANSLATORS_MAX = 16;

/** Hours of which strangers are counted. */
export const STRANGER_HOURS_KEPT = 25;

/** A node whose fences came back no more for so long, though it reports, is shown as blind. */
export const BLIND_AFTER_MS = 45_000;

/** An open so much older than what its node had claimed to be complete to was not read late: times have milliseconds, and what is read late is stamped late. */
export const BACKDATED_MS_MIN = 1_000;

/** A node that claims to be complete this far past its own stop did not stop. */
export const ABSENCE_ENDED_MS = 5_000;

/** How long a half that need not have a partner waits for one that may come. */
export const UNANSWERED_WAIT_MS = 60_000;

/** Mismatches of one kind between two nodes that are findings of their own, an hour; the rest is counted. */
export const MISMATCHES_TOLD_PER_HOUR = 20;

/** Mismatches that people excused; of more, those count again whose excuse ends first. With 32 digits and a time each, half a megabyte in the row of the server's stream. */
export const EXCUSED_MISMATCHES_MAX = 10_000;

/** Hours of which mismatches are counted: those with a node that was away come up to a day late. */
export const FOLDS_KEPT_HOURS = 48;

/** Pairs of nodes and hours of which mismatches are counted; of more, those of the oldest hours go. Some 160 bytes each: 3 MB in that row, which is written with every range. */
export const MISMATCH_FOLDS_MAX = 20_000;

/** What two halves have to do with each other they have to do within this time: the wait below, and what clocks are corrected by. */
export const PARK_SLACK_MS = 300_000;

/** A half is parked only if all it waits for is at most this long after its open: the last SYN that Linux sends again comes after 127 s, and a clock may be unknown by 120 s. */
export const PARK_WAIT_MS_MAX = 280_000;

/** Halves that wait are looked through this often for what may be parked: a minute of a busy node is 19 MB. */
export const PARK_EVERY_MS = 60_000;

/** What waits for a node is woken for at most this much of its time at a tick: with the slack before and after, some 2.4 million halves of a busy node are in memory at once, 400 MB. */
export const WAKE_STEP_MS = 600_000;

/** Corrections of a clock remembered for halves that are parked; of more, the two oldest become one. They come by the hour at most. */
export const SHIFTS_PER_NODE_MAX = 64;

/** Parked halves that the opens of one record may bring back. A record is some seconds of a node; only one that makes up times is about so many. */
export const PARKED_PER_RECORD_MAX = 3_000_000;

/** Addresses with a number before those that are out of use lose theirs: 60 MB. */
export const ADDRESSES_MAX = 1_000_000;

/** Networks with a number before those that are out of use lose theirs: a megabyte. */
export const NETWORKS_MAX = 10_000;

/** Halves that are never heard of again are looked for this often. */
export const SWEEP_EVERY_MS = HOUR_MS;
