/**
 * The whole server in this process, behind its real listener, with a clock that the test moves on;
 * and nodes without kernels that speak to it over HTTP.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BatchHeader } from "../../src/format/batch.ts";
import type { Entry, OpenEntry, Role } from "../../src/format/entry.ts";
import { type RunningServer, startServer } from "../../src/serve/server.ts";
import { type Clock, systemClock } from "../../src/std/clock.ts";
import { tallystick } from "../../src/cli/program.ts";
import { runProgram } from "../../src/std/command-line.ts";
import { BOOT_AT_MS } from "../simulate/sim-node.ts";
import { HttpNode } from "./http-node.ts";
import { ServerApi } from "./server-api.ts";

/** Less than what makes the server believe that it was away itself. */
const STEP_MS = 10_000;
/** Of nobody's address range. */
const OUTSIDE_IP = "192.0.2.1";

export interface Talk {
  readonly from: HttpNode;
  readonly to: HttpNode;
  /** What the initiator says that it sent, and the responder that it received. */
  readonly sentBytes?: number;
  readonly receivedBytes?: number;
  /** The end that leaves the connection out before it signs. */
  readonly forgottenBy?: Role;
}

export interface FoundFinding {
  readonly id: string;
  readonly kind: string;
  readonly severity: string;
  readonly state: string;
  readonly node: string;
  readonly title: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class World implements AsyncDisposable {
  readonly api: ServerApi;
  readonly #server: RunningServer;
  readonly #dir: string;
  readonly #setAhead: (ms: number) => void;
  readonly #key: string;
  readonly #nodes: HttpNode[] = [];
  readonly #quiet = new Set<HttpNode>();
  readonly #setByMs = new Map<HttpNode, number>();
  #aheadMs = 0;
  #port = 20_000;

  private constructor(
    server: RunningServer,
    at: { dir: string; api: ServerApi; key: string; setAhead: (ms: number) => void },
  ) {
    this.#server = server;
    this.#dir = at.dir;
    this.api = at.api;
    this.#key = at.key;
    this.#setAhead = at.setAhead;
  }

  static async open(): Promise<World> {
    const dir = mkdtempSync(join(tmpdir(), "tallystick-classes-"));
    let aheadMs = 0;
    const clock: Clock = { ...systemClock(), nowMs: () => Date.now() + aheadMs };
    const server = await startServer({
      dataDir: dir,
      listen: "127.0.0.1:0",
      trustedProxies: [],
      allowHttp: false,
      version: "0.0.0",
      clock,
      log: () => undefined,
      onFatal: fail,
    });
    const api = new ServerApi(dir, () => server.url);
    const setAhead = (ms: number) => void (aheadMs = ms);
    return new World(server, { dir, api, setAhead, key: await api.enrolmentKey() });
  }

  get nowMs(): number {
    return Date.now() + this.#aheadMs;
  }

  /** A node that has enrolled, begun, and claimed an address. */
  async node(name: string): Promise<HttpNode> {
    const ip = `10.1.${this.#nodes.length}.1`;
    const node = new HttpNode(name, ip, () => this.#server.url);
    await node.enrol(this.#key);
    node.hand({ kind: "start", atMs: this.nowMs, facts: {} });
    this.claim(node, [ip]);
    await this.deliver(node);
    this.#nodes.push(node);
    return node;
  }

  claim(node: HttpNode, addresses: readonly string[]): void {
    node.hand({ kind: "addresses", atMs: this.nowMs, networks: { default: addresses } });
  }

  say(node: HttpNode): void {
    node.hand(this.line("a line"));
  }

  line(body: string): Entry {
    return { kind: "log", atMs: this.nowMs, severity: 9, body, attributes: {} };
  }

  deliver(node: HttpNode, change: Partial<BatchHeader> = {}): Promise<void> {
    const setByMs = this.#setByMs.get(node) ?? 0;
    return node.deliver(this.nowMs + setByMs, { bootAtMs: BOOT_AT_MS + setByMs, ...change });
  }

  /** Its wall clock is set, which its uptime does not notice. */
  setClock(node: HttpNode, byMs: number): void {
    this.#setByMs.set(node, byMs);
  }

  /** It sends nothing any more. */
  quieten(node: HttpNode): void {
    this.#quiet.add(node);
  }

  /** It sends again. */
  wake(node: HttpNode): void {
    this.#quiet.delete(node);
  }

  /** Time passes; nodes send every few seconds, as they do when idle too. */
  async pass(ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += STEP_MS) {
      this.#aheadMs += Math.min(STEP_MS, ms - passedMs);
      this.#setAhead(this.#aheadMs);
      for (const node of this.#nodes) if (!this.#quiet.has(node)) await this.deliver(node);
    }
  }

  /** Both ends record a connection that is over at once. */
  talk({ from, to, sentBytes = 5_000, receivedBytes = sentBytes, forgottenBy }: Talk): void {
    const tuple = {
      protocol: 6,
      initiatorIp: from.ip,
      initiatorPort: this.#port++,
      responderIp: to.ip,
      responderPort: 443,
    };
    const ends = [
      { node: from, role: "initiator", bytes: sentBytes },
      { node: to, role: "responder", bytes: receivedBytes },
    ] as const;
    for (const { node, role, bytes } of ends) {
      if (role !== forgottenBy) this.#half(node, { role, tuple, bytes, atMs: this.nowMs });
    }
  }

  /** A connection with somebody who is no node, which it says to have begun `agoMs` ago. */
  callOutside(node: HttpNode, agoMs: number): void {
    const tuple = {
      protocol: 6,
      initiatorIp: node.ip,
      initiatorPort: this.#port++,
      responderIp: OUTSIDE_IP,
      responderPort: 443,
    };
    this.#half(node, { role: "initiator", tuple, bytes: 5_000, atMs: this.nowMs - agoMs });
  }

  #half(
    node: HttpNode,
    { atMs, bytes, ...open }: Pick<OpenEntry, "role" | "tuple" | "atMs"> & { bytes: number },
  ): void {
    const openSeq = node.hand({ kind: "open", atMs, ...open, pickup: false });
    const counters = {
      initiatorPackets: 9,
      initiatorBytes: bytes,
      responderPackets: 9,
      responderBytes: 7_000,
    };
    const how = { state: "SF", assured: true, inferred: false, counters } as const;
    node.hand({ kind: "close", atMs: atMs + 20, openSeq, ageMs: 20, ...how });
  }

  /** Runs a command on the server's machine, by the server's clock; `columnsMax` as on a terminal of that width. */
  async command(words: readonly string[], columnsMax?: number): Promise<Ended> {
    let [stdout, stderr] = ["", ""];
    const code = await runProgram(tallystick("0.0.0"), [...words, "--data", this.#dir], {
      env: { NO_COLOR: "1" },
      nowMs: this.nowMs,
      isTerminal: columnsMax !== undefined,
      columnsMax,
      settle: () => undefined,
      out: (text) => void (stdout += text),
      err: (text) => void (stderr += text),
    });
    return { code, stdout, stderr };
  }

  /** Resolves when the last counters of all connections of the node are compared: the server's next tick, in true time. */
  async compared({ name }: HttpNode): Promise<void> {
    const where = `initiator_node = '${name}' OR responder_node = '${name}'`;
    const look = () =>
      this.api.sql(
        `SELECT countIf(counters = 'pending') FROM connections WHERE ${where} HAVING count() > 0`,
      );
    await this.api.until("the counters", look, ([row]) => Number(row?.[0] ?? 1) === 0, 30_000);
  }

  /** All findings, once `settled` says that they are complete. */
  async findings(settled: (found: readonly FoundFinding[]) => boolean): Promise<FoundFinding[]> {
    await this.api.caughtUp();
    const read = async () => {
      const page = await this.api.call("GET", "/api/v1/findings?limit=1000");
      return (page as { items: FoundFinding[] }).items;
    };
    return this.api.until("the findings", read, settled, 30_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close("test");
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

function fail(error: Error): never {
  throw error;
}
