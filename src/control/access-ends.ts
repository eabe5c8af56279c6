/** Whose access ended: said when it is so, to whoever still answers them (streams, running queries). */

export type Ended =
  /** All of a user's sessions and tokens, or what they may has changed. */
  { readonly user: string } | { readonly session: string } | { readonly token: string };

export class AccessEnds {
  readonly #listeners = new Set<(ended: Ended) => void>();

  listen(listener: (ended: Ended) => void): void {
    this.#listeners.add(listener);
  }

  tell(ended: Ended): void {
    for (const listener of this.#listeners) listener(ended);
  }
}
