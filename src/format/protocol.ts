/** Transport protocols by the numbers that IPv4 and IPv6 have for them (IANA). */

export const TCP = 6; // RFC 9293
export const UDP = 17; // RFC 768
