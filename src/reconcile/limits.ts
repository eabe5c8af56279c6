/** Times and bounds of the comparison, in one place. All times are journal time unless said otherwise. */

/** A node that sent nothing for so long, three heartbeats, is silent. */
export const SILENT_AFTER_MS = 90_000;

/** Final counters come up to 129 s after the end, plus 60 s of kernel garbage collection, plus slack. */
export const ACCOUNT_WAIT_MS = 240_000;

/** The half that an established peer must have is waited for so long when its node is unreachable. */
export const OFFLINE_PATIENCE_MS = 24 * 3_600_000;

/** Before clocks are known to agree, no absence is decided sooner after the open. */
export const CLOCK_TOLERANCE_MS = 120_000;

/** Opens of one connection are this near at most: the clocks' tolerance on either side is far more than any handshake takes. */
export const PAIRING_NEAR_MS = 2 * CLOCK_TOLERANCE_MS;

/** Opens this near are one connection at once: two ends and their readers are never further apart, save under load. */
export const PAIRING_AT_ONCE_MS = 3_000;

/** An undecided connection is looked at again after this long. */
export const REVIEW_EVERY_MS = 5_000;

/** A jump of journal time by more than this, five ticks, means that the server was not listening: nobody was silent. */
export const SERVER_AWAY_MS = 25_000;

/** A number that was given and never arrived must be declared lost within this time. */
export const HOLE_PATIENCE_MS = 60_000;

/** A restart longer than this is told to a person. */
export const RESTART_QUIET_MS = 10_000;

/** Declared gaps and absences remembered per node; the oldest go first. */
export const EXCUSES_PER_NODE_MAX = 256;

/** Absences and gaps are declared by one clock and met by another; what their difference cannot tell is allowed here. */
export const EXCUSE_SLACK_MS = 3_000;

/** A node whose fences came back no more for so long, though it reports, is shown as blind. */
export const BLIND_AFTER_MS = 45_000;
