/**
 * A small mesh on paper: a server's stream, nodes, and a comparison that reads what they sign. Time
 * moves only by `pass`, which lets every node that is up send a batch per half second and the
 * server tick.
 */
import { decodeFrame } from "../../src/format/batch.ts";
import type { CloseEntry, ConnectionState, Counters, OpenEntry } from "../../src/format/entry.ts";
import { EntryBlock } from "../../src/format/entry-block.ts";
import { decodeInto } from "../../src/reconcile/derive/decode.ts";
import type { FindingDraft } from "../../src/reconcile/finding/findings.ts";
import { countersOf, excuseOf, verdictOf } from "../../src/reconcile/half/half-state.ts";
import type { Changed } from "../../src/reconcile/row/changed-rows.ts";
import { Reconcile } from "../../src/reconcile/reconcile.ts";
import { SimNode } from "./sim-node.ts";

const BATCH_MS = 500;

export interface SimHost extends SimNode {
  readonly ip: string;
  /** Its clock minus the true time. */
  offsetMs: number;
  /** By its own clock; undefined: as every simulated node has it. */
  bootAtMs: number | undefined;
  /** A host that is down sends nothing and observes nothing. */
  up: boolean;
  /** Changes an entry before it is numbered, or drops it: what a liar does. */
  lie: ((entry: OpenEntry | CloseEntry | AccountLike) => typeof entry | undefined) | undefined;
}

type AccountLike = { readonly kind: "account"; readonly counters?: Counters } & Record<
  string,
  unknown
>;

export interface SimConnection {
  readonly from: SimHost;
  readonly to: SimHost;
  readonly protocol?: number;
  readonly port?: number;
  /** The initiator's; default: one that was not used before. */
  readonly fromPort?: number;
  readonly state?: ConnectionState;
  readonly bytes?: number;
  /** What the responder counts; default: the same. */
  readonly receivedBytes?: number;
  readonly durationMs?: number;
  readonly assured?: boolean;
  /** The responder's kernel has an entry; default: unless it was refused or unanswered. */
  readonly responderSees?: boolean;
}

export interface SimOptions {
  /** Told of each record that the server takes. */
  readonly taken?: (record: SimRecord) => void;
  /** The hosts send in the reverse order. */
  readonly isReversed?: boolean;
}

export interface SimRecord {
  readonly receivedMs: number;
  readonly nodeId: string;
  readonly frame: Uint8Array;
}

export class SimMesh {
  readonly server = new SimNode("server");
  readonly hosts: SimHost[] = [];
  readonly reconcile: Reconcile;
  readonly findings: FindingDraft[] = [];
  /** The last row written under each key, as `verdict/excuse counters`, by initiator port. */
  readonly rows = new Map<number, Map<string, string>>();
  readonly #block = new EntryBlock();
  nowMs = 1_800_000_000_000;
  #index = 0;
  #port = 40_000;
  readonly #options: SimOptions;

  constructor(options: SimOptions = {}) {
    this.#options = options;
    this.reconcile = new Reconcile({ serverId: this.server.id });
    this.#deliver(this.server);
  }

  host(name: string, offsetMs = 0): SimHost {
    const ip = `10.0.0.${this.hosts.length + 1}`;
    const host: SimHost = Object.assign(new SimNode(name), {
      ip,
      offsetMs,
      bootAtMs: undefined,
      up: true,
      lie: undefined,
    });
    this.hosts.push(host);
    this.server.emit({
      kind: "enrolled",
      atMs: this.nowMs,
      node: host.id,
      name,
      publicKey: host.publicKey.toString("base64url"),
      enrolmentKey: "AAAAAAAA",
    });
    this.#deliver(this.server);
    host.emit({ kind: "start", atMs: this.nowMs + offsetMs, facts: {} });
    host.emit({ kind: "addresses", atMs: this.nowMs + offsetMs, networks: { default: [ip] } });
    return host;
  }

  /** Time passes; hosts that are up send, the server ticks, what is due is decided. */
  pass(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs;) {
      this.nowMs += BATCH_MS;
      const hosts = this.#options.isReversed ? this.hosts.toReversed() : this.hosts;
      for (const host of hosts) if (host.up) this.#send(host);
      this.server.emit({ kind: "tick", atMs: this.nowMs });
      this.#deliver(this.server);
    }
  }

  /** Both ends record a connection that happens now and is over at once; returns its initiator port. */
  connect(what: SimConnection): number {
    const port = what.fromPort ?? this.#port++;
    const refused = what.state === "REJ" || what.state === "S0";
    const bytes = what.bytes ?? 1000;
    this.#half(what, { host: what.from, role: "initiator", port, bytes });
    if (what.responderSees ?? !refused) {
      this.#half(what, {
        host: what.to,
        role: "responder",
        port,
        bytes: what.receivedBytes ?? bytes,
      });
    }
    return port;
  }

  /** `verdict`, `verdict/excuse`, each followed by the state of its counters; of several with one port, sorted. */
  verdict(port: number): string {
    const rows = this.rows.get(port);
    return rows === undefined ? "none" : [...rows.values()].toSorted().join(", ");
  }

  /** `node epoch seq` of the halves that name the rows of a port. */
  rowKeys(port: number): string[] {
    return [...(this.rows.get(port)?.keys() ?? [])];
  }

  /** Open findings as `kind node`, sorted; a resolved one is gone. */
  get open(): string[] {
    const last = new Map(this.findings.map((found) => [found.id, found]));
    return [...last.values()]
      .filter((found) => found.state === "open")
      .map(
        (found) =>
          `${found.finding} ${this.hosts.find((host) => host.id === found.node)?.name ?? "-"}`,
      )
      .toSorted();
  }

  /** Takes a frame as the server would after admitting it. */
  take(frame: Uint8Array): void {
    const batch = decodeFrame(frame);
    const nodeId = Buffer.from(batch.header.nodeId).toString("hex");
    const { reconcile } = this;
    const others = decodeInto(this.#block, batch, reconcile.addresses);
    const { header } = batch;
    const receivedMs = this.nowMs;
    this.#options.taken?.({ receivedMs, nodeId, frame });
    const record = { index: this.#index++, receivedMs, nodeId, header };
    reconcile.take(record, this.#block, others);
    reconcile.drainChanged((changed) => this.#writeRow(changed));
    this.findings.push(...reconcile.drainFindings());
  }

  #writeRow({ key, tombstones }: Changed): void {
    const rows = this.rows.get(key.initiatorPort) ?? new Map<string, string>();
    this.rows.set(key.initiatorPort, rows);
    const excuse = excuseOf(key);
    const words = `${verdictOf(key)}${excuse === "" ? "" : `/${excuse}`} ${countersOf(key)}`;
    rows.set(`${key.node.id} ${key.epoch} ${key.seq}`, words);
    for (const half of tombstones) rows.delete(`${half.node.id} ${half.epoch} ${half.seq}`);
  }

  #send(host: SimHost): void {
    const { offsetMs, bootAtMs } = host;
    this.take(host.seal(this.nowMs + offsetMs, bootAtMs === undefined ? {} : { bootAtMs }));
  }

  #deliver(node: SimNode, closedAtMs = this.nowMs): void {
    this.take(node.seal(closedAtMs));
  }

  #half(
    what: SimConnection,
    end: { host: SimHost; role: "initiator" | "responder"; port: number; bytes: number },
  ): void {
    const { host } = end;
    if (!host.up) return;
    const atMs = this.nowMs + host.offsetMs;
    const emit = (entry: OpenEntry | CloseEntry | AccountLike) => {
      const told = host.lie === undefined ? entry : host.lie(entry);
      return told === undefined ? undefined : host.emit(told as OpenEntry);
    };
    const openSeq = emit({
      kind: "open",
      atMs,
      role: end.role,
      tuple: {
        protocol: what.protocol ?? 6,
        initiatorIp: what.from.ip,
        initiatorPort: end.port,
        responderIp: what.to.ip,
        responderPort: what.port ?? 443,
      },
      pickup: false,
    });
    if (openSeq === undefined) return;
    const counters = {
      initiatorPackets: 5,
      initiatorBytes: end.bytes,
      responderPackets: what.state === "S0" ? 0 : 5,
      responderBytes: end.bytes * 2,
    };
    const ageMs = what.durationMs ?? 40;
    const ending = {
      atMs: atMs + ageMs,
      openSeq,
      ageMs,
      state: what.state ?? "SF",
      assured: what.assured ?? true,
    };
    emit({ kind: "close", ...ending, inferred: false });
    emit({ kind: "account", ...ending, counters });
  }
}
