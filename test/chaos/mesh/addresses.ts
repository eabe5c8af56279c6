/** All addresses of a run, numbered; and as bytes in the way they stand in a line. */
export class Addresses {
  readonly texts: string[] = [];
  /** With quotes. */
  readonly quoted: Uint8Array[] = [];

  add(text: string): number {
    this.texts.push(text);
    this.quoted.push(Uint8Array.from(Buffer.from(`"${text}"`)));
    return this.texts.length - 1;
  }

  text(number: number): string {
    return this.texts[number] ?? "";
  }
}
