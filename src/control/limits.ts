/** Every bound of the control state, with its reason. */

/** Nodes ever enrolled, revoked ones included: they are all in memory, about 1 KB each. */
export const NODES_MAX = 100_000;

/** Enrolment keys that could still be used. More than that is a script gone wild. */
export const LIVE_KEYS_MAX = 10_000;

/** Tags of one key. */
export const TAGS_MAX = 16;

/** Whose a node is: a person, a team or an address, in UTF-16 units. */
export const OWNER_CHARS_MAX = 128;

/** Saved views of one person: more than that nobody finds again. */
export const VIEWS_PER_OWNER_MAX = 100;

/** Lifetime of an enrolment key, milliseconds: an hour is enough for a person, a day for a rollout. */
export const KEY_TTL_MS_DEFAULT = 24 * 3_600_000;
export const KEY_TTL_MS_MIN = 1_000;
export const KEY_TTL_MS_MAX = 366 * 24 * 3_600_000;

/** Dead keys stay listed this long, so that "which key was it?" has an answer. */
export const DEAD_KEYS_KEPT_MS = 90 * 24 * 3_600_000;

/** Changes that wait for the one before them. Each takes one durable append, a few milliseconds. */
export const CHANGES_WAITING_MAX = 1_024;
