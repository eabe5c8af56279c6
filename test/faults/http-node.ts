/** A node without a kernel that speaks to a real server: enrols, signs, chains, sends again until it has a receipt. */
import { setTimeout as pause } from "node:timers/promises";
import type { BatchHeader } from "../../src/format/batch.ts";
import { parseEnrolmentKey, signEnrolment } from "../../src/format/enrolment.ts";
import type { Entry } from "../../src/format/entry.ts";
import { publicKeyFromRaw } from "../../src/format/identity.ts";
import { openReceipt, type Receipt } from "../../src/format/receipt.ts";
import { BATCH_MEDIA_TYPE } from "../../src/ingest/http.ts";
import { SimNode } from "../simulate/sim-node.ts";
import { ask } from "./request.ts";

/** Before an unanswered batch is sent again. */
const AGAIN_MS = 40;

export interface Reply {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A batch that is on its way, and what it holds. */
export interface Flight {
  readonly frame: Buffer;
  readonly entries: readonly Entry[];
}

/** One POST; rejects when there is no answer. */
export async function post(url: string, type: string, body: Uint8Array | string): Promise<Reply> {
  const headers = { "content-type": type };
  const { status, text } = await ask({ method: "POST", url, headers, body });
  return { status, body: JSON.parse(text) as Reply["body"] };
}

export class HttpNode {
  readonly sim: SimNode;
  readonly ip: string;
  readonly #url: () => string;
  /** In the order of the chain; the batch of each is durable, or the server lied. */
  readonly receipts: Receipt[] = [];
  /** Entries of batches with a receipt. */
  ackedEntries = 0;
  #serverKey = Buffer.alloc(32);
  #waiting: Entry[] = [];
  #flight: Flight | undefined;
  /** As it was sent last. */
  lastFrame: Buffer = Buffer.alloc(0);

  constructor(name: string, ip: string, url: () => string) {
    this.sim = new SimNode(name);
    this.ip = ip;
    this.#url = url;
  }

  get id(): string {
    return this.sim.id;
  }

  get name(): string {
    return this.sim.name;
  }

  /** Everything that was handed in has a receipt. */
  get idle(): boolean {
    return this.#flight === undefined && this.#waiting.length === 0;
  }

  async enrol(keyText: string): Promise<void> {
    const { id, secret } = parseEnrolmentKey(keyText);
    const { publicKey, key, name } = this.sim;
    const body = {
      keyId: id.toString("base64url"),
      secret: secret.toString("base64url"),
      publicKey: publicKey.toString("base64url"),
      signature: signEnrolment({ publicKey, secret, name }, key).toString("base64url"),
      name,
    };
    const reply = await post(
      `${this.#url()}/ingest/v1/enrol`,
      "application/json",
      JSON.stringify(body),
    );
    if (reply.status !== 200)
      throw new Error(`${name} cannot enrol: ${JSON.stringify(reply.body)}`);
    this.#serverKey = Buffer.from(String(reply.body["serverKey"]), "base64url");
  }

  /** The number that the entry has in the node's stream. */
  hand(entry: Entry): number {
    this.#waiting.push(entry);
    // What is in flight was numbered when it was sealed.
    return this.sim.nextSeq + this.#waiting.length - 1;
  }

  /** Seals what waits, with `change` in its header, if nothing is under way, and sends once. True when it was acknowledged. */
  async ship(nowMs = Date.now(), change: Partial<BatchHeader> = {}): Promise<boolean> {
    this.#flight ??= this.#seal(nowMs, change);
    const { frame, entries } = this.#flight;
    this.lastFrame = frame;
    let reply: Reply;
    try {
      reply = await this.sendRaw(frame);
    } catch {
      return false;
    }
    if (reply.status === 429 || reply.status === 503) return false;
    if (reply.status !== 200) throw new Error(`${this.name}: ${JSON.stringify(reply.body)}`);
    const bytes = Buffer.from(String(reply.body["receipt"]), "base64url");
    this.receipts.push(openReceipt(bytes, publicKeyFromRaw(this.#serverKey)));
    this.ackedEntries += entries.length;
    this.#flight = undefined;
    return true;
  }

  /** Sends until acknowledged, as an agent does. */
  async deliver(nowMs?: number, change: Partial<BatchHeader> = {}): Promise<void> {
    while (!(await this.ship(nowMs, change))) await pause(AGAIN_MS);
  }

  /** Sends bytes as they are: what a liar does. */
  sendRaw(frame: Uint8Array): Promise<Reply> {
    return post(`${this.#url()}/ingest/v1/batches`, BATCH_MEDIA_TYPE, frame);
  }

  #seal(nowMs: number, change: Partial<BatchHeader>): Flight {
    const entries = this.#waiting;
    this.#waiting = [];
    for (const entry of entries) this.sim.emit(entry);
    return { frame: this.sim.seal(nowMs, change), entries };
  }
}
