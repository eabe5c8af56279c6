/**
 * Text from elsewhere, made safe to show. A log line or a node's name may hold escape sequences
 * that rewrite what the reader sees, or characters that reorder or hide it; here they become visible.
 */

/**
 * Controls, line separators, lone surrogates, annotation marks and everything that Unicode calls
 * ignorable: bidirectional controls, zero-width characters, variation selectors, tags.
 */
const hidden = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\ufff9-\ufffb\p{Default_Ignorable_Code_Point}]/gu;

/** Two columns on a terminal: East Asian wide and fullwidth forms, and emoji. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** One line in which every hidden character stands as `‹U+202E›`. Idempotent. */
export function printable(text: string): string {
  return text.replace(hidden, (character) => `‹U+${codePointHex(character)}›`);
}

/** One JSON line with the same rule, in JSON's own escapes: a parser reads the original text back. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(hidden, jsonEscape);
}

/** Columns that `text` takes on a terminal. Expects printable text: no escapes. */
export function widthColumns(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (/\p{Mn}/u.test(character)) continue;
    columns += wide.test(character) ? 2 : 1;
  }
  return columns;
}

/** `text` in at most `columnsMax` columns; what was cut off is an ellipsis. */
export function truncated(text: string, columnsMax: number): string {
  if (widthColumns(text) <= columnsMax) return text;
  let kept = "";
  let columns = 0;
  for (const character of text) {
    columns += widthColumns(character);
    if (columns > columnsMax - 1) break;
    kept += character;
  }
  return columnsMax > 0 ? `${kept}…` : "";
}

function codePointHex(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

function jsonEscape(character: string): string {
  let escaped = "";
  for (let at = 0; at < character.length; at++) {
    escaped += `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }
  return escaped;
}
