/** Questions to a running server as its administrator, and waiting for its answers. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ask } from "./request.ts";

/** A table as SQL answers it. */
export type Rows = readonly (readonly unknown[])[];

/** Between two looks at a condition. */
const LOOK_MS = 50;

export class ServerApi {
  readonly #dir: string;
  readonly #url: () => string;

  readonly #said: () => string;

  /** `dir` is the server's own directory, which holds the token; `said` what it wrote to its terminal. */
  constructor(dir: string, url: () => string, said: () => string = () => "") {
    this.#dir = dir;
    this.#url = url;
    this.#said = said;
  }

  /** Calls the API as the administrator; rejects for anything but success. */
  async call(method: string, path: string, body?: unknown): Promise<unknown> {
    return JSON.parse(await this.text(method, path, body)) as unknown;
  }

  /** The answer as it came. */
  async text(method: string, path: string, body?: unknown): Promise<string> {
    const token = readFileSync(join(this.#dir, "admin.token"), "utf8").trim();
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const { status, text } = await ask({
      method,
      url: `${this.#url()}${path}`,
      headers: { authorization: `Bearer ${token}`, ...type },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
    return text;
  }

  async enrolmentKey(): Promise<string> {
    const made = (await this.call("POST", "/api/v1/keys", { reusable: true })) as { key: string };
    return made.key;
  }

  async sql(text: string): Promise<Rows> {
    const request = { sql: text, limit: 100_000 };
    const answer = (await this.call("POST", "/api/v1/sql", request)) as {
      rows: Rows;
      cut: unknown;
    };
    assert.equal(answer.cut, null, "the answer was cut");
    return answer.rows;
  }

  /** Asks until the answer satisfies; passing errors count as no. Rejects after `maxMs`. */
  async until<T>(
    what: string,
    look: () => Promise<T>,
    holds: (answer: T) => boolean,
    maxMs = 60_000,
  ): Promise<T> {
    const endMs = performance.now() + maxMs;
    let last: unknown;
    while (performance.now() < endMs) {
      try {
        const answer = await look();
        if (holds(answer)) return answer;
        last = answer;
      } catch (error) {
        last = error;
      }
      await pause(LOOK_MS);
    }
    throw new Error(`${what}: not within ${maxMs} ms; last: ${textOf(last)}; ${this.#said()}`);
  }

  /** Resolves when everything that is durable by now is searchable. */
  async caughtUp(maxMs = 60_000): Promise<void> {
    const { journal } = await this.#status();
    await this.until(
      "the store catches up",
      () => this.#status(),
      ({ store }) => store.records >= journal.records,
      maxMs,
    );
  }

  async #status(): Promise<{ journal: { records: number }; store: { records: number } }> {
    return (await this.call("GET", "/api/v1/status")) as never;
  }
}

function textOf(what: unknown): string {
  return what instanceof Error ? what.message : JSON.stringify(what).slice(0, 1_000);
}
