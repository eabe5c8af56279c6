/**
 * What the agents make of their kernels' events: the rules of src/agent/observe/tracker.ts, for all
 * nodes at once and without objects. An event is lost while a kernel's buffer overflows and unheard
 * while an agent is away; what then happens to a half is what happens to it on a real node.
 */
import type { Addresses } from "./addresses.ts";
import type { Calendar } from "./calendar.ts";
import { EVENT, type HalfPool } from "./half-pool.ts";
import { clear, has, mark } from "./halves.ts";
import { type AmendmentLine, STATE } from "./line-writer.ts";
import { type MeshNode, START_MS } from "./mesh-node.ts";

const UDP = 17;
const FLAG_INFERRED = 1;
const FLAG_ASSURED = 2;
/** A half that has lived so long after it was established is told early. */
const PROMPT_AFTER_MS = 1_000;
/** Dumps tell the counters of what is older than this. */
const UPDATE_AGE_MIN_MS = 60_000;
const DUMP_EVERY_MS = 300_000;

/** An agent that misses events now: by chance, or all of them. */
export interface Trouble {
  /** Share of the events that its kernel drops; 1 while nobody listens. */
  readonly lossShare: number;
  /** It reads beginnings and final ends alone. */
  readonly endsOnly?: true;
  /** How many it has lost so far. */
  lost: number;
  /** Halves whose beginning or end nobody heard, for the dump that follows. */
  readonly unheard: number[];
}

export type Track = (half: number, seq: number) => void;

export class Agents {
  /** By node; undefined where all is well. */
  readonly troubles: (Trouble | undefined)[];
  /** Told of each tracked half as it is numbered. */
  track: Track = () => {};
  readonly #pool: HalfPool;
  readonly #calendar: Calendar;
  readonly #nodes: readonly MeshNode[];
  readonly #addresses: Addresses;
  readonly #fraction: () => number;

  constructor(parts: {
    pool: HalfPool;
    calendar: Calendar;
    nodes: readonly MeshNode[];
    addresses: Addresses;
    fraction: () => number;
  }) {
    this.#pool = parts.pool;
    this.#calendar = parts.calendar;
    this.#nodes = parts.nodes;
    this.#addresses = parts.addresses;
    this.#fraction = parts.fraction;
    this.troubles = parts.nodes.map(() => undefined);
  }

  /** The kernel of the half's node tells it. */
  hear(half: number, event: number): void {
    const pool = this.#pool;
    const node = this.#nodes[pool.node[half] as number] as MeshNode;
    const trouble = this.troubles[node.index];
    if (trouble !== undefined) {
      if (this.#isLost(trouble)) return this.#miss(half, event, trouble);
      const isBetween = event !== EVENT.open && event !== EVENT.destroy;
      if (trouble.endsOnly === true && isBetween) return this.#passOver(half, event);
    }
    switch (event) {
      case EVENT.open:
        this.#open(node, half, pool.bornMs[half] as number, false);
        return this.#planAfterOpen(half);
      case EVENT.prompt:
        this.#openLate(node, half);
        this.#amend(node, half, { kind: "update", atMs: this.#nowMs(half), counted: 0 });
        return this.#planNext(half);
      case EVENT.update:
        this.#update(node, half);
        return this.#planNext(half);
      case EVENT.close:
        this.#openLate(node, half);
        this.#end(node, half, { atMs: pool.endMs[half] as number, counted: 0, inferred: false });
        return this.#planDestroy(half);
      default:
        return this.#destroy(node, half);
    }
  }

  /** After an absence or losses the agent reads the kernel's table: what lives is picked up, what vanished is over. */
  dump(node: MeshNode, unheard: readonly number[], nowMs: number): void {
    const pool = this.#pool;
    for (const half of unheard) {
      if (has(pool, half, "gone")) {
        const isSaid = has(pool, half, "ended") || has(pool, half, "hidden");
        const isOpen = has(pool, half, "opened") && !isSaid;
        if (isOpen) this.#end(node, half, { atMs: nowMs, counted: -1, inferred: true });
        pool.release(half);
        continue;
      }
      clear(pool, half, "unseen");
      if (has(pool, half, "opened") || has(pool, half, "hidden")) continue;
      // What was over before the dump is history; what lives is opened, as old as the kernel says.
      if ((pool.endMs[half] as number) <= nowMs) mark(pool, half, "hidden");
      else this.#openPickedUp(node, half);
    }
  }

  /** It knows nothing of the halves that it has opened any more. What lives is opened under new names. */
  renew(node: MeshNode, nowMs: number): void {
    const pool = this.#pool;
    for (let half = 0; half < pool.end; half++) {
      if (pool.node[half] !== node.index || !has(pool, half, "opened")) continue;
      const lives = (pool.endMs[half] as number) > nowMs && !has(pool, half, "ended");
      if (!lives) mark(pool, half, "hidden");
      else this.#openPickedUp(node, half);
    }
  }

  #isLost(trouble: Trouble): boolean {
    return trouble.lossShare >= 1 || this.#fraction() < trouble.lossShare;
  }

  /** Degraded: nobody reads such events now, so none is lost. */
  #passOver(half: number, event: number): void {
    if (event !== EVENT.close) return this.#planNext(half);
    mark(this.#pool, half, "endsLate");
    this.#planDestroy(half);
  }

  #miss(half: number, event: number, trouble: Trouble): void {
    const pool = this.#pool;
    if (event !== EVENT.prompt && event !== EVENT.update) trouble.lost++;
    switch (event) {
      case EVENT.open:
        mark(pool, half, "unseen");
        trouble.unheard.push(half);
        return this.#planAfterOpen(half);
      case EVENT.prompt:
      case EVENT.update:
        return this.#planNext(half);
      case EVENT.close:
        mark(pool, half, "endsLate");
        return this.#planDestroy(half);
      default:
        if (has(pool, half, "ended") || has(pool, half, "hidden")) {
          // A dump that has it on its list lets it go.
          if (!has(pool, half, "unseen")) pool.release(half);
          else mark(pool, half, "gone");
          return;
        }
        mark(pool, half, "gone");
        if (!has(pool, half, "unseen")) trouble.unheard.push(half);
    }
  }

  #open(node: MeshNode, half: number, atMs: number, pickup: boolean): void {
    const pool = this.#pool;
    if (has(pool, half, "hidden")) return;
    const seq = node.nextSeq;
    const saidMs = node.saidMs(atMs);
    pool.saidMs[half] = saidMs;
    pool.openSeq[half] = seq;
    mark(pool, half, "opened");
    const { quoted } = this.#addresses;
    node.writer.open(START_MS + saidMs, {
      role: pool.role[half] as number,
      protocol: pool.protocol[half] as number,
      initiatorIp: quoted[pool.initiator[half] as number] as Uint8Array,
      initiatorPort: pool.initiatorPort[half] as number,
      responderIp: quoted[pool.responder[half] as number] as Uint8Array,
      responderPort: pool.responderPort[half] as number,
      pickup,
      reply: pool.reply.size === 0 ? undefined : pool.reply.get(half),
    });
    if (has(pool, half, "tracked")) this.track(half, seq);
  }

  /** Its NEW was lost, and another event came. */
  #openLate(node: MeshNode, half: number): void {
    const pool = this.#pool;
    if (has(pool, half, "unseen") && !has(pool, half, "opened")) this.#openPickedUp(node, half);
  }

  /** The kernel tells ages in whole seconds. */
  #openPickedUp(node: MeshNode, half: number): void {
    const pool = this.#pool;
    pool.state[half] = STATE.OTH;
    this.#open(node, half, pool.bornMs[half] as number, true);
  }

  #planAfterOpen(half: number): void {
    const pool = this.#pool;
    const promptMs = (pool.answeredMs[half] as number) + PROMPT_AFTER_MS + 250;
    const lasts = (pool.endMs[half] as number) > promptMs;
    if (lasts && has(pool, half, "established")) {
      const dueMs = promptMs + (pool.delayMs[half] as number);
      return this.#calendar.plan(half, EVENT.prompt, dueMs);
    }
    this.#planNext(half);
  }

  #planNext(half: number): void {
    const pool = this.#pool;
    const nowMs = this.#nowMs(half);
    const phaseMs = ((pool.node[half] as number) * 7_919) % DUMP_EVERY_MS;
    const dumps = Math.ceil((nowMs + 1 - phaseMs) / DUMP_EVERY_MS);
    let dumpMs = phaseMs + dumps * DUMP_EVERY_MS;
    if (dumpMs - (pool.bornMs[half] as number) < UPDATE_AGE_MIN_MS) dumpMs += DUMP_EVERY_MS;
    // Of an attempt there is no news.
    if (dumpMs < (pool.endMs[half] as number) && has(pool, half, "established")) {
      return this.#calendar.plan(half, EVENT.update, dumpMs);
    }
    if (has(pool, half, "endsLate")) return this.#planDestroy(half);
    const dueMs = (pool.endMs[half] as number) + (pool.delayMs[half] as number);
    this.#calendar.plan(half, EVENT.close, dueMs);
  }

  #planDestroy(half: number): void {
    const dueMs = (this.#pool.goneMs[half] as number) + (this.#pool.delayMs[half] as number);
    this.#calendar.plan(half, EVENT.destroy, dueMs);
  }

  #update(node: MeshNode, half: number): void {
    const pool = this.#pool;
    const atMs = this.#nowMs(half);
    this.#openLate(node, half);
    const bornMs = pool.bornMs[half] as number;
    const share = (atMs - bornMs) / ((pool.endMs[half] as number) - bornMs);
    this.#amend(node, half, { kind: "update", atMs, counted: share });
  }

  #destroy(node: MeshNode, half: number): void {
    const pool = this.#pool;
    if (!has(pool, half, "hidden")) {
      this.#openLate(node, half);
      const goneMs = pool.goneMs[half] as number;
      if (has(pool, half, "ended")) {
        this.#amend(node, half, { kind: "account", atMs: goneMs, counted: 1 });
      } else {
        // UDP ended with its last packet; of TCP only the kernel's forgetting was heard.
        const isUdp = pool.protocol[half] === UDP;
        const atMs = isUdp ? (pool.endMs[half] as number) : goneMs;
        this.#end(node, half, { atMs, counted: 1, inferred: false });
      }
    }
    // On the list of the dump to come: that lets it go.
    if (has(pool, half, "unseen")) mark(pool, half, "gone");
    else pool.release(half);
  }

  #end(
    node: MeshNode,
    half: number,
    told: { atMs: number; counted: number; inferred: boolean },
  ): void {
    this.#amend(node, half, { kind: "close", ...told });
    mark(this.#pool, half, "ended");
  }

  /** `counted`: the share of the final counters that is known by then; 0: none are told, negative: unknown. */
  #amend(
    node: MeshNode,
    half: number,
    told: { kind: AmendmentLine["kind"]; atMs: number; counted: number; inferred?: boolean },
  ): void {
    const pool = this.#pool;
    if (has(pool, half, "hidden") || !has(pool, half, "opened")) return;
    const openedMs = pool.saidMs[half] as number;
    const ageMs = Math.max(0, node.saidMs(told.atMs) - openedMs);
    const isUpdate = told.kind === "update";
    const { counted } = told;
    node.writer.amendment(START_MS + openedMs + ageMs, {
      kind: told.kind,
      distance: node.nextSeq - (pool.openSeq[half] as number),
      ageMs,
      state: isUpdate ? this.#liveState(half) : (pool.state[half] as number),
      flags:
        (told.inferred === true ? FLAG_INFERRED : 0) |
        (has(pool, half, "assured") ? FLAG_ASSURED : 0),
      initiatorPackets: Math.ceil((pool.initiatorPackets[half] as number) * counted),
      initiatorBytes: counted > 0 ? Math.ceil((pool.initiatorBytes[half] as number) * counted) : -1,
      responderPackets: Math.ceil((pool.responderPackets[half] as number) * counted),
      responderBytes: Math.ceil((pool.responderBytes[half] as number) * counted),
      initiatorPayload: told.kind === "account" ? (pool.initiatorPayload[half] as number) : -1,
      responderPayload: pool.responderPayload[half] as number,
    });
  }

  #liveState(half: number): number {
    const pool = this.#pool;
    if (pool.state[half] === STATE.OTH) return STATE.OTH;
    return pool.protocol[half] === UDP ? STATE.SF : STATE.S1;
  }

  #nowMs(half: number): number {
    return this.#pool.dueMs[half] as number;
  }
}
