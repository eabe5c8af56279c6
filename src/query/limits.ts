/** Every bound of a query, with its reason. */

/** UTF-16 units. A pasted list of a hundred addresses fits; a program that sends more wants SQL. */
export const QUERY_CHARS_MAX = 4_096;

/** Terms: each is a comparison that the store makes for every row. */
export const TERMS_MAX = 128;

/** Parentheses and negations within each other: the parser calls itself for each. */
export const DEPTH_MAX = 32;

/** UTF-16 units of one regular expression: its compiled form grows with it. */
export const REGEX_CHARS_MAX = 512;
