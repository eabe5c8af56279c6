/** Every bound of the control state, with its reason. */
import { EXCUSE_MS_MAX } from "../format/limits.ts";

/** Nodes ever enrolled, revoked ones included: they are all in memory, about 1 KB each. */
export const NODES_MAX = 100_000;

/** Enrolment keys that could still be used. More than that is a script gone wild. */
export const LIVE_KEYS_MAX = 10_000;

/** Tags of one key. */
export const TAGS_MAX = 16;

/** Whose a node was counts for so long: what somebody excuses lasts no longer. */
export const PAST_OWNERS_KEPT_MS = EXCUSE_MS_MAX;

/** Whose a node is: a person, a team or an address, in UTF-16 units. */
export const OWNER_CHARS_MAX = 128;

/** Saved views of one person: more than that nobody finds again. */
export const VIEWS_PER_OWNER_MAX = 100;

/** Nodes that wait for approval. More than that is a key that got around. */
export const WAITING_NODES_MAX = 1_000;

/** Who was not let in for so long is forgotten, and may ask again. */
export const WAITING_NODES_KEPT_MS = 7 * 24 * 3_600_000;

/** Lifetime of an enrolment key, milliseconds: an hour is enough for a person, a day for a rollout. */
export const KEY_TTL_MS_DEFAULT = 24 * 3_600_000;
export const KEY_TTL_MS_MIN = 1_000;
export const KEY_TTL_MS_MAX = 366 * 24 * 3_600_000;

/** Dead keys stay listed this long, so that "which key was it?" has an answer. */
export const DEAD_KEYS_KEPT_MS = 90 * 24 * 3_600_000;
/** And no more than so many, the newest: making and revoking in turn must not fill the file. */
export const DEAD_KEYS_KEPT_MAX = 10_000;

/** Changes that wait for the one before them. Each takes one durable append, a few milliseconds. */
export const CHANGES_WAITING_MAX = 1_024;
/** Of one user with all their tokens, or another actor: a script gone wild must not keep an owner from stopping it. */
export const CHANGES_WAITING_OF_ONE_MAX = 128;

/** People, not machines. Each is a row of some 300 bytes. */
export const USERS_MAX = 10_000;

/** Each takes 19 MiB and one of the four threads that the disk's writes need as well. */
export const HASHES_AT_ONCE_MAX = 2;
/** About a second of hashing; who comes later is told to try again. */
export const HASHES_WAITING_MAX = 32;

/** A working day, milliseconds: then a person proves again who they are. */
export const SESSION_MS_MAX = 12 * 3_600_000;
/** A session that nobody used for so long may be on a screen that somebody left. */
export const SESSION_IDLE_MS_MAX = 2 * 3_600_000;
/** When a session or token was last used is written this often at most: each write is a sync. */
export const SEEN_WRITE_MS = 5 * 60_000;
/** Of what a program calls itself, in UTF-16 units: a browser's name and version fit. */
export const AGENT_CHARS_MAX = 200;
/** Of one user at once; of more, the oldest ends. */
export const SESSIONS_PER_USER_MAX = 20;

/** Life of a sign-in link that makes or restores an owner: long enough to click it. */
export const OWNER_LINK_MS = 15 * 60_000;
/** Life of a link for one user, who has to receive it first. */
export const USER_LINK_MS = 24 * 3_600_000;
/** Links that could still be used. */
export const LINKS_MAX = 1_000;

/** Lifetime of an API token, milliseconds. */
export const TOKEN_MS_DEFAULT = 90 * 24 * 3_600_000;
export const TOKEN_MS_MAX = 366 * 24 * 3_600_000;
export const TOKEN_MS_MIN = 1_000;
/** Usable ones of one user. */
export const TOKENS_PER_USER_MAX = 100;
/** Dead tokens stay listed this long, so that "whose was it?" has an answer. */
export const DEAD_TOKENS_KEPT_MS = 90 * 24 * 3_600_000;
/** Of one user, the newest; like keys. */
export const DEAD_TOKENS_KEPT_MAX = 200;

/** How long an answer is remembered by its idempotency key: whoever repeats a request does so within the day. */
export const ANSWERS_KEPT_MS = 24 * 3_600_000;

/** Answers that are remembered, some 500 bytes each; of more, the oldest go. */
export const ANSWERS_KEPT_MAX = 10_000;

/** What the provider may call somebody, in UTF-16 units: the standard says so. */
export const OIDC_SUBJECT_CHARS_MAX = 255;
/** The last day is never pruned: the comparison still works on it. */
export const PRUNE_KEPT_MS_MIN = 24 * 3_600_000;

/** A person's devices, and some that were lost. */
export const PASSKEYS_PER_USER_MAX = 20;
/** Who signed in so lately is still who did. */
export const FRESH_SESSION_MS = 5 * 60_000;
/** Secrets of authenticators that were shown and not confirmed yet: one of each session. */
export const TOTP_REGISTRATIONS_MAX = 1_000;
/** What a device is asked counts so long, milliseconds: long enough to look for it and touch it. */
export const CHALLENGE_MS_MAX = 5 * 60_000;
/** Registrations under way: one of each session. */
export const PASSKEY_REGISTRATIONS_MAX = 1_000;
/** Sign-ins by passkey under way; pages ask when they are opened, so that the browser can offer it. */
export const PASSKEY_CHALLENGES_MAX = 10_000;
/** From one address (IPv6: of its /64), behind which there may be an office. */
export const PASSKEY_CHALLENGES_PER_ADDRESS_MAX = 100;
