/**
 * Sends mutated batches and requests to an ingest server and checks that each is answered with a
 * documented code, that honest batches in between are acked, and that the server's memory stays
 * flat. Works against any server whose nodes are the given ones.
 */
import { Agent, request as httpRequest } from "node:http";
import { INGEST_ERRORS } from "../../src/ingest/errors.ts";
import { BATCH_MEDIA_TYPE } from "../../src/ingest/http.ts";
import type { Sealed, SimNode } from "../simulate/sim-node.ts";
import { mutant } from "./batch-mutants.ts";
import { rawCase } from "./http-mutants.ts";
import { SeededRandom } from "../../src/std/seeded-random.ts";
import { sendRaw } from "./raw-socket.ts";
import { type OddRequest, oddRequest } from "./request-mutants.ts";

export interface FuzzOptions {
  /** Base URL, http. */
  readonly url: string;
  /** Enrolled and fresh; one lane of requests each. */
  readonly nodes: readonly SimNode[];
  readonly cases: number;
  readonly seed: number;
  /** Resident bytes of the server. Absent: memory is not judged. */
  readonly rssBytes?: () => Promise<number>;
  /** Codes besides ingest's own, where the server has more routes. */
  readonly moreCodes?: readonly string[];
  readonly progress?: (done: number) => void;
  /** Past this an answer counts as a hang; above the server's own bounds. */
  readonly hangMs?: number;
  /** Bodies that stop arriving are among the requests: each takes as long as the server waits. Default true. */
  readonly withSlow?: boolean;
  /** Requests to the server's other routes. */
  readonly other?: OtherRequests;
}

export interface OtherRequests {
  /** Of all cases. */
  readonly share: number;
  readonly next: (random: SeededRandom) => OddRequest;
  /** Status by documented code. */
  readonly codes: ReadonlyMap<string, number>;
}

export interface FuzzReport {
  readonly cases: number;
  readonly seconds: number;
  /** How often each answer came: `acked`, a code, or `closed` for a connection that was cut. */
  readonly answers: Readonly<Record<string, number>>;
  /** What must not be: empty for a pass. */
  readonly failures: readonly string[];
  readonly rssEarlyBytes: number;
  readonly rssLateBytes: number;
}

/** Above the server's own bound on headers, 10 s. */
const HANG_MS = 15_000;
const FAILURES_MAX = 20;
/** Of the cases: raw sockets, and well-formed requests that are wrong. The rest are batches. */
const RAW_SHARE = 0.05;
const ODD_SHARE = 0.1;
/** … and accepted frames sent again. */
const AGAIN_SHARE = 0.05;
/** Accepted frames that a lane remembers, old and new. */
const SENT_MAX = 64;

export async function fuzzIngest(options: FuzzOptions): Promise<FuzzReport> {
  const run = new Run(options);
  const startedMs = performance.now();
  await Promise.all([...options.nodes.entries()].map(([lane, node]) => run.lane(lane, node)));
  return run.report((performance.now() - startedMs) / 1000);
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

interface Accepted {
  readonly frame: Buffer;
  readonly sealed: Sealed | undefined;
  readonly sent: Buffer[];
}

class Run {
  readonly #options: FuzzOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });
  readonly #codes: ReadonlyMap<string, number>;
  readonly #more: ReadonlySet<string>;
  readonly #answers: Record<string, number> = {};
  readonly #failures: string[] = [];
  readonly #rss: number[] = [];
  readonly #hangMs: number;
  #done = 0;

  constructor(options: FuzzOptions) {
    this.#options = options;
    this.#hangMs = options.hangMs ?? HANG_MS;
    this.#codes = new Map(Object.entries(INGEST_ERRORS).map(([code, row]) => [code, row.status]));
    this.#more = new Set(options.moreCodes);
  }

  async lane(lane: number, node: SimNode): Promise<void> {
    const sent: Buffer[] = [];
    const random = new SeededRandom(this.#options.seed * 1_000 + lane);
    const otherShare = RAW_SHARE + ODD_SHARE + (this.#options.other?.share ?? 0);
    while (this.#done < this.#options.cases && this.#failures.length < FAILURES_MAX) {
      const at = this.#done++;
      if (at % Math.ceil(this.#options.cases / 100) === 0) await this.#sample(at);
      const share = random.fraction();
      if (share < RAW_SHARE) await this.#raw(random);
      else if (share < RAW_SHARE + ODD_SHARE) await this.#odd(random);
      else if (share < otherShare) await this.#other(random);
      else if (share > 1 - AGAIN_SHARE && sent.length > 0) await this.#again(random, sent);
      else await this.#batch(random, node, sent);
    }
  }

  report(seconds: number): FuzzReport {
    this.#agent.destroy();
    // The first fifth is warm-up: code is compiled and pools are filled.
    const fifth = Math.floor(this.#rss.length / 5);
    const rssEarlyBytes = median(this.#rss.slice(fifth, 2 * fifth));
    const rssLateBytes = median(this.#rss.slice(-fifth));
    return {
      cases: this.#done,
      seconds,
      answers: this.#answers,
      failures: this.#failures,
      rssEarlyBytes,
      rssLateBytes,
    };
  }

  async #sample(at: number): Promise<void> {
    this.#options.progress?.(at);
    if (this.#options.rssBytes !== undefined) this.#rss.push(await this.#options.rssBytes());
  }

  /** An earlier frame once more: a lost ack, a replay, or what was refused before. */
  async #again(random: SeededRandom, sent: readonly Buffer[]): Promise<void> {
    const frame = sent[random.chance(0.5) ? sent.length - 1 : random.below(sent.length)];
    if (frame === undefined) return;
    const answer = await this.#post(BATCH_MEDIA_TYPE, frame);
    this.#judge(answer, `again ${frame.toString("base64", 0, 400)}`);
  }

  /** `sent` gets what was accepted, up to SENT_MAX frames. */
  async #batch(random: SeededRandom, node: SimNode, sent: Buffer[]): Promise<void> {
    const { frame, sealed, honest } = mutant(random, node);
    const answer = await this.#post(BATCH_MEDIA_TYPE, frame);
    const code = this.#judge(answer, `batch ${frame.toString("base64", 0, 400)}`);
    if (code === "acked") this.#moveOn(random, node, { frame, sealed, sent });
    if (code === "opted_out") await this.#resume(node);
    else if (honest === true && code !== "acked") this.#fail(`an honest batch got ${code}`);
  }

  #moveOn(random: SeededRandom, node: SimNode, accepted: Accepted): void {
    const { frame, sealed, sent } = accepted;
    if (sealed === undefined || !sealed.frame.equals(frame)) {
      this.#fail(`accepted what nobody signed: ${frame.toString("base64", 0, 400)}`);
      return;
    }
    node.moveOn(sealed);
    sent.push(frame);
    if (sent.length > SENT_MAX) sent.splice(random.below(SENT_MAX), 1);
  }

  /** A mutant opted out: the node comes back, as a person would make it. */
  async #resume(node: SimNode): Promise<void> {
    const sealed = node.sign({ entries: [{ kind: "resume", atMs: node.atMs }] });
    const code = this.#judge(await this.#post(BATCH_MEDIA_TYPE, sealed.frame), "resume");
    if (code === "acked") node.moveOn(sealed);
    else this.#fail(`a resume got ${code}`);
  }

  async #odd(random: SeededRandom): Promise<void> {
    const { method, path, headers, body } = oddRequest(random);
    const answer = await this.#send(method, path, headers, body);
    this.#judge(answer, `${method} ${path} ${JSON.stringify(headers)}`);
  }

  /** Refusals have a documented code; what is answered otherwise is not judged. */
  async #other(random: SeededRandom): Promise<void> {
    const { other } = this.#options;
    if (other === undefined) return;
    const { method, path, headers, body } = other.next(random);
    const answer = await this.#send(method, path, headers, body);
    const asked = `${method} ${path.slice(0, 200)} ${JSON.stringify(headers)}`;
    const what = `${asked} ${body.toString("latin1", 0, 300)}`;
    if (typeof answer === "string") return this.#fail(`${answer}: ${what}`);
    const code = answer.status < 300 ? "ok" : codeIn(answer.text);
    this.#count(`api ${code}`);
    const isDocumented = code === "ok" || other.codes.get(code) === answer.status;
    if (isDocumented && answer.status !== 500) return;
    this.#fail(`${answer.status} ${answer.text.slice(0, 300)}: ${what}`);
  }

  async #raw(random: SeededRandom): Promise<void> {
    const one = rawCase(random, this.#options.withSlow ?? true);
    const { outcome, statuses, text } = await sendRaw(
      Number(new URL(this.#options.url).port),
      one,
      this.#hangMs,
    );
    if (outcome === "timeout") this.#fail(`${one.name}: no answer in ${this.#hangMs} ms`);
    this.#count(statuses.length === 0 ? "closed" : `raw ${statuses[0]}`);
    if (statuses.some((status) => status >= 500)) this.#fail(`${one.name}: ${text.slice(0, 200)}`);
  }

  /** The code, or `acked`. */
  #judge(answer: Answer | string, what: string): string {
    if (typeof answer === "string") {
      this.#fail(`${answer}: ${what}`);
      return answer;
    }
    const code = answer.status === 200 ? ackOf(answer.text) : codeIn(answer.text);
    this.#count(code);
    const documented = this.#codes.get(code) === answer.status || this.#more.has(code);
    if (code === "internal" || (answer.status !== 200 && !documented)) {
      this.#fail(`${answer.status} ${answer.text.slice(0, 200)}: ${what}`);
    }
    return code;
  }

  #post(type: string, body: Buffer): Promise<Answer | string> {
    return this.#send("POST", "/ingest/v1/batches", { "content-type": type }, body);
  }

  /** A text says why there was no answer. */
  #send(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: Buffer,
  ): Promise<Answer | string> {
    const { promise, resolve } = Promise.withResolvers<Answer | string>();
    const all = { ...headers, "content-length": String(body.length) };
    const sent = httpRequest(`${this.#options.url}${path}`, {
      method,
      headers: all,
      agent: this.#agent,
    });
    sent.setTimeout(this.#hangMs, () => {
      resolve("hang");
      sent.destroy();
    });
    sent.on("error", (error) => resolve(`no answer (${error.message})`));
    sent.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      );
    });
    sent.end(body);
    return promise;
  }

  #count(answer: string): void {
    this.#answers[answer] = (this.#answers[answer] ?? 0) + 1;
  }

  #fail(what: string): void {
    if (this.#failures.length < FAILURES_MAX) this.#failures.push(what);
  }
}

function ackOf(text: string): string {
  return text.includes('"duplicate":true') ? "duplicate" : "acked";
}

function codeIn(text: string): string {
  try {
    return String((JSON.parse(text) as { code?: unknown }).code);
  } catch {
    return "no code";
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
