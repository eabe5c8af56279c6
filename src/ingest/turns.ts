/** Calls with the same key run one after another, in the order of arrival; other keys do not wait. */
export class Turns {
  readonly #tails = new Map<string, Promise<unknown>>();

  run<T>(key: string, call: () => T | Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const turn = before === undefined ? start(call) : before.then(call, call);
    this.#tails.set(key, turn);
    const clean = (): void => {
      if (this.#tails.get(key) === turn) this.#tails.delete(key);
    };
    turn.then(clean, clean);
    return turn;
  }
}

async function start<T>(call: () => T | Promise<T>): Promise<T> {
  return call();
}
