/** Reading the fields of a small JSON body that a stranger sent. */

/** A string field of at most `charsMax` characters; undefined for anything else. */
export function textField(body: unknown, name: string, charsMax: number): string | undefined {
  if (typeof body !== "object" || body === null || !Object.hasOwn(body, name)) return undefined;
  const value = (body as Record<string, unknown>)[name];
  return typeof value === "string" && value.length <= charsMax ? value : undefined;
}

/** A base64url field of exactly `bytes` bytes, in its one spelling; undefined for anything else. */
export function bytesField(body: unknown, name: string, bytes: number): Buffer | undefined {
  const text = textField(body, name, Math.ceil((bytes * 4) / 3));
  if (text === undefined) return undefined;
  const value = Buffer.from(text, "base64url");
  return value.length === bytes && value.toString("base64url") === text ? value : undefined;
}
