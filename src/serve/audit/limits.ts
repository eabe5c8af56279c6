/** Bounds of what is remembered for folding audit entries, with their reasons. */

/** Who looks at the same thing again within this time is still looking: one more entry says nothing. */
export const READ_FOLD_MS = 10 * 60_000;

/** Attempts from one address (IPv6: of its /64) that fail alike: a guesser's thousand are one line a minute. */
export const REFUSAL_FOLD_MS = 60_000;

/** Entries of folds that end together, in one batch of the server's stream: some 100 KB, which others do not wait long for. */
export const ENTRIES_PER_APPEND = 200;

/** Folds that are open at once, some 500 bytes each; of more, the oldest end early, or share one. */
export const FOLDS_MAX = 10_000;

/** UTF-16 units of a query as it stands in an entry: all that an address line holds, so that of lists nothing is left out. */
export const QUERY_SHOWN_MAX = 16 * 1024;

/** The same in the entry that sums up; the one before it has the whole. Folds are in memory by it. */
export const QUERY_SUMMED_MAX = 2_000;
