/** Questions to the person at the terminal; secrets are not shown. Where stdin is no terminal, its lines are the answers. */
import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import { CommandError } from "../std/command-error.ts";

export interface QuestionStreams {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Not stdout: that is for the answer. */
  readonly output: NodeJS.WritableStream;
}

export class Questions implements Disposable {
  readonly #output: NodeJS.WritableStream;
  readonly #lines: Interface;
  readonly #given: string[] = [];
  #isHidden = false;
  #isOver = false;
  #waiting: PromiseWithResolvers<string> | undefined;

  constructor({ input, output }: QuestionStreams) {
    this.#output = output;
    const isTerminal = input.isTTY === true;
    // The echo is ours, and so it can be left out.
    const echo = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (isTerminal && !this.#isHidden) output.write(chunk);
        done();
      },
    });
    this.#lines = createInterface({ input, output: echo, terminal: isTerminal });
    this.#lines.on("line", (line) => this.#take(line));
    this.#lines.on("SIGINT", () => this.#lines.close());
    this.#lines.once("close", () => this.#end());
  }

  async ask(question: string): Promise<string> {
    return (await this.#answer(question)).trim();
  }

  /** As it was typed: a space may be part of it. */
  async askHidden(question: string): Promise<string> {
    this.#isHidden = true;
    try {
      return await this.#answer(question);
    } finally {
      this.#isHidden = false;
      this.#output.write("\n");
    }
  }

  [Symbol.dispose](): void {
    this.#lines.close();
  }

  async #answer(question: string): Promise<string> {
    this.#output.write(question);
    const given = this.#given.shift();
    if (given !== undefined) return given;
    if (this.#isOver) throw noAnswer();
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  #take(line: string): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#given.push(line);
    else waiting.resolve(line);
  }

  #end(): void {
    this.#isOver = true;
    this.#waiting?.reject(noAnswer());
  }
}

function noAnswer(): CommandError {
  return new CommandError("command_failed", "no answer, stdin ended, begin anew");
}
