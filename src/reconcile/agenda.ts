/**
 * Connections to look at again, by the second of journal time when they are due. Each is planned once
 * at a time, or every change of a long connection would add one more look every few seconds.
 */
import type { Connection } from "./connection.ts";

export class Agenda {
  readonly #bySecond = new Map<number, Connection[]>();
  /** Seconds before this one are done. */
  #nextS = 0;

  /** Looks that are planned. */
  get count(): number {
    let count = 0;
    for (const due of this.#bySecond.values()) count += due.length;
    return count;
  }

  plan(connection: Connection, dueMs: number): void {
    if (connection.scheduled) return;
    connection.scheduled = true;
    const second = Math.max(Math.floor(dueMs / 1000), this.#nextS);
    const due = this.#bySecond.get(second);
    if (due === undefined) this.#bySecond.set(second, [connection]);
    else due.push(connection);
  }

  /** Takes out what is due before the present second; a look may plan the next one. */
  *takeDue(nowMs: number): Generator<Connection> {
    const endS = Math.floor(nowMs / 1000);
    if (this.#nextS === 0) this.#nextS = endS - 1;
    for (; this.#nextS < endS; this.#nextS++) {
      const due = this.#bySecond.get(this.#nextS);
      if (due === undefined) continue;
      this.#bySecond.delete(this.#nextS);
      for (const connection of due) {
        connection.scheduled = false;
        yield connection;
      }
    }
  }
}
