/** Base64url without padding (RFC 4648 §5), in its one spelling. */

/**
 * The bytes of `text`; undefined unless it is the one way to write exactly `length` bytes. Node's
 * own decoder skips what it does not know, which would give one secret many texts.
 */
export function parseBase64url(text: string, length: number): Buffer | undefined {
  if (text.length !== Math.ceil((length * 4) / 3)) return undefined;
  const bytes = Buffer.from(text, "base64url");
  return bytes.length === length && bytes.toString("base64url") === text ? bytes : undefined;
}
