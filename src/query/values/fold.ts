/**
 * Upper and lower case count the same, for A to Z alone: that is the same in every library, whereas
 * the rules for all of Unicode differ between the store and JavaScript.
 */
export function fold(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (upper) => upper.toLowerCase());
}
