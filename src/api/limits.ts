/** Bounds that the schemas of the API say, each with its reason. */

/** Of a password, in UTF-16 units: short ones are guessed, and hashing very long ones is work for nothing. */
export const PASSWORD_CHARS_MIN = 12;
export const PASSWORD_CHARS_MAX = 256;

/** What a token or passkey is called, in UTF-16 units. */
export const TOKEN_NAME_CHARS_MAX = 63;

/** Groups of the OpenID provider that give a role, and the characters of one's name: one row each in a form. */
export const OIDC_ROLES_MAX = 256;
export const OIDC_GROUP_CHARS_MAX = 256;

/** Of an id, which is 16 bytes. */
export const ID_DIGITS = 32;
/** One in 16 million: of a thousand findings, hardly ever two begin alike. */
export const ID_PREFIX_DIGITS_MIN = 6;
