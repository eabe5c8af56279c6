/**
 * A small mesh in which nearly everything goes wrong once, as the journal that a server would have of
 * it: seeded, on paper, some twenty minutes long, with a tick of the server every five seconds.
 */
import type { CloseEntry, Entry, OpenEntry, Role, Tuple } from "../../src/format/entry.ts";
import { SeededRandom } from "../../src/std/seeded-random.ts";
import { SimNode } from "./sim-node.ts";

/** A record of the journal; the server's own are sealed when it is known which findings stand between them. */
export type ReplayRecord = { readonly receivedMs: number } & (
  | { readonly nodeId: string; readonly frame: Uint8Array }
  | { readonly server: readonly Entry[] }
);

export const SERVER = "server";
const START_MS = 1_800_000_000_000;
const TICK_MS = 5_000;

/** How much of it there is. */
export interface ReplaySize {
  readonly lengthMs: number;
  /** Nothing begins after this, so that everything is decided at the end. */
  readonly busyMs: number;
  readonly connections: number;
  /** Between two batches of a node. */
  readonly batchMs: readonly [min: number, max: number];
}

const LARGE: ReplaySize = {
  lengthMs: 900_000,
  busyMs: 420_000,
  connections: 260,
  batchMs: [3_000, 6_000],
};

/** Where it is to be done often. */
export const SMALL: ReplaySize = {
  lengthMs: 700_000,
  busyMs: 320_000,
  connections: 120,
  batchMs: [9_000, 16_000],
};

interface Host {
  readonly node: SimNode;
  readonly ip: string;
  /** Its clock minus the true time. */
  offsetMs: number;
  /** True times in which it sends nothing: what it has waits. */
  readonly away: [fromMs: number, toMs: number][];
  /** True times in which it observes nothing, and sends nothing. */
  readonly down: [fromMs: number, toMs: number][];
  todo: { readonly atMs: number; readonly emit: () => void }[];
}

interface Connection {
  readonly from: Host;
  readonly to: Host;
  readonly atMs: number;
  readonly durationMs?: number;
  readonly protocol?: number;
  readonly port?: number;
  readonly fromPort?: number;
  readonly state?: CloseEntry["state"];
  readonly bytes?: number;
  /** What the responder says, if something else. */
  readonly receivedBytes?: number;
  /** The responder's open comes so much later. */
  readonly lateMs?: number;
  readonly lacks?: Role;
  readonly pickup?: Role;
  readonly router?: { readonly host: Host; readonly translates: boolean };
  readonly accountAfterMs?: number;
}

export function replayMesh(seed: number, size = LARGE): ReplayRecord[] {
  return new ReplayMesh(seed, size).records();
}

/** No node: nobody enrols it, and what it records goes nowhere. */
function outside(ip: string): Host {
  return { node: new SimNode("-"), ip, offsetMs: 0, away: [], down: [], todo: [] };
}

class ReplayMesh {
  readonly #random: SeededRandom;
  readonly #size: ReplaySize;
  readonly #hosts: Host[] = [];
  readonly #records: ReplayRecord[] = [];
  #port = 20_000;

  constructor(seed: number, size: ReplaySize) {
    this.#random = new SeededRandom(seed);
    this.#size = size;
  }

  records(): ReplayRecord[] {
    this.#traffic();
    this.#enrol();
    for (const host of this.#hosts) this.#send(host);
    for (let atMs = TICK_MS; atMs <= this.#size.lengthMs; atMs += TICK_MS) {
      const entry: Entry = { kind: "tick", atMs: START_MS + atMs };
      this.#records.push({ server: [entry], receivedMs: START_MS + atMs });
    }
    // Started anew: for a time more may conspire.
    for (const [share, maxLiars] of [
      [0.7, 5],
      [0.8, 1],
    ] as const) {
      const atMs = START_MS + Math.round(this.#size.lengthMs * share);
      const entry: Entry = { kind: "start", atMs, facts: { role: "server", maxLiars } };
      this.#records.push({ server: [entry], receivedMs: atMs });
    }
    return this.#records.toSorted((a, b) => a.receivedMs - b.receivedMs);
  }

  #host(name: string, number: number): Host {
    const offsetMs = this.#random.pick([0, 0, -3, 40, -800, 12_000, -31_000]);
    const node = new SimNode(name);
    const host = { node, ip: `10.0.0.${number}`, offsetMs, away: [], down: [], todo: [] };
    this.#hosts.push(host);
    return host;
  }

  #enrol(): void {
    const entries = this.#hosts.map(({ node }): Entry => {
      const publicKey = node.publicKey.toString("base64url");
      const { id, name } = node;
      return {
        kind: "enrolled",
        atMs: START_MS,
        node: id,
        name,
        publicKey,
        enrolmentKey: "AAAAAAAA",
      };
    });
    this.#records.push({ server: entries, receivedMs: START_MS });
    for (const host of this.#hosts) {
      const beginMs = host.node.name === "latecomer" ? 150_000 : 10;
      this.#at(host, beginMs, (atMs) => {
        host.node.emit({ kind: "start", atMs, facts: { bootId: host.node.name } });
        this.#claim(host, atMs, [host.ip]);
      });
    }
  }

  #claim(host: Host, atMs: number, addresses: readonly string[]): void {
    host.node.emit({ kind: "addresses", atMs, networks: { default: addresses } });
  }

  /** `emit` is called when its node records it, with its clock's time. */
  #at(host: Host, trueMs: number, emit: (atMs: number) => void): void {
    host.todo.push({
      atMs: trueMs,
      emit: () => emit(START_MS + Math.round(trueMs) + host.offsetMs),
    });
  }

  #traffic(): void {
    const names = [
      "ann",
      "bob",
      "cid",
      "dan",
      "eve",
      "liar",
      "outage",
      "restarter",
      "opter",
      "stepper",
      "roller",
      "latecomer",
      "router",
    ];
    const hosts = names.map((name, at) => this.#host(name, at + 1));
    const [, , , , , liar, outage, restarter, opter, stepper, roller, , router] = hosts;
    if (!liar || !outage || !restarter || !opter || !stepper || !roller || !router) return;
    const random = this.#random;
    for (let count = 0; count < this.#size.connections; count++) {
      const from = random.pick(hosts);
      const to = random.pick(hosts.filter((one) => one !== from && one !== router));
      this.#connect({
        from,
        to,
        atMs: random.integer(2_000, this.#size.busyMs),
        durationMs: random.pick([0, 30, 900, 4_000, 60_000]),
        bytes: random.integer(100, 90_000),
        protocol: random.pick([6, 6, 6, 17]),
        state: random.pick(["SF", "SF", "SF", "SF", "S1", "REJ", "S0", "RSTO"]),
        accountAfterMs: random.pick([0, 0, 20_000, 125_000]),
        ...(random.chance(0.04) ? { lateMs: random.pick([1_000, 3_000, 7_000]) } : {}),
        ...(random.chance(0.05)
          ? { pickup: random.pick(["initiator", "responder"] as const) }
          : {}),
        ...(random.chance(0.04) ? { lacks: random.pick(["initiator", "responder"] as const) } : {}),
        ...(random.chance(0.1) ? { router: { host: router, translates: random.chance() } } : {}),
      });
    }
    this.#reuse(hosts);
    this.#splits(hosts);
    this.#lies(liar, hosts.slice(0, 5));
    this.#strangers(hosts);
    this.#oddities(hosts);
    outage.away.push([120_000, 120_000 + random.integer(40_000, 160_000)]);
    this.#readInterfaces(hosts);
    this.#restart(restarter);
    this.#optOut(opter);
    this.#step(stepper);
    this.#lose(hosts.slice(0, 4));
  }

  /** One tuple again and again, within seconds, with some halves missing. */
  #reuse(hosts: readonly Host[]): void {
    const random = this.#random;
    for (let tuple = 0; tuple < 12; tuple++) {
      const [from, to] = random.shuffled(hosts.slice(0, 11));
      if (from === undefined || to === undefined) continue;
      const fromPort = this.#port++;
      let atMs = random.integer(5_000, this.#size.busyMs);
      for (let again = random.integer(2, 6); again > 0; again--) {
        const bytes = random.integer(100, 5_000);
        const lacks = random.chance(0.15)
          ? random.pick(["initiator", "responder"] as const)
          : undefined;
        this.#connect({
          from,
          to,
          atMs,
          fromPort,
          bytes,
          durationMs: 300,
          ...(lacks ? { lacks } : {}),
        });
        atMs += random.integer(400, 6_000);
      }
    }
  }

  /** A UDP session that one end divides. */
  #splits(hosts: readonly Host[]): void {
    const random = this.#random;
    for (let count = 0; count < 6; count++) {
      const [from, to] = random.shuffled(hosts.slice(0, 5));
      if (from === undefined || to === undefined) continue;
      const fromPort = this.#port++;
      const atMs = random.integer(5_000, this.#size.busyMs);
      const bytes = 3_000;
      const udp = { from, to, protocol: 17, fromPort, bytes };
      this.#connect({ ...udp, atMs, durationMs: 90_000, lacks: "responder" });
      this.#connect({ ...udp, atMs, durationMs: 20_000, lacks: "initiator", bytes: 1_000 });
      this.#connect({
        ...udp,
        atMs: atMs + 45_000,
        durationMs: 40_000,
        lacks: "initiator",
        bytes: 2_000,
      });
    }
  }

  #lies(liar: Host, victims: readonly Host[]): void {
    const random = this.#random;
    for (let count = 0; count < 40; count++) {
      const atMs = random.integer(60_000, this.#size.busyMs);
      const bytes = random.integer(60_000, 90_000);
      const lie = random.chance() ? { lacks: "responder" as const } : { receivedBytes: 1_000 };
      this.#connect({ from: random.pick(victims), to: liar, atMs, bytes, ...lie });
    }
    // More of one kind with one peer than is told one by one.
    const [victim] = victims;
    if (victim === undefined) return;
    for (let count = 0; count < 50; count++) {
      const atMs = random.integer(200_000, this.#size.busyMs);
      this.#connect({ from: victim, to: liar, atMs, bytes: 80_000, receivedBytes: 1_000 });
    }
  }

  /** Peers that are no nodes, and a router that is none either. */
  #strangers(hosts: readonly Host[]): void {
    const random = this.#random;
    for (let count = 0; count < 12; count++) {
      const [inside, other] = random.shuffled(hosts.slice(0, 5));
      if (inside === undefined || other === undefined) continue;
      const atMs = random.integer(5_000, this.#size.busyMs);
      const far = outside(`192.0.2.${random.integer(1, 9)}`);
      this.#connect({ from: inside, to: far, atMs, lacks: "responder" });
      this.#connect({
        from: far,
        to: inside,
        atMs: atMs + 500,
        lacks: "initiator",
        durationMs: 2_000,
      });
      if (!random.chance()) continue;
      this.#connect({ from: inside, to: other, atMs, lacks: "responder", port: 8_080 });
      this.#connect({ from: far, to: other, atMs: atMs + 20, lacks: "initiator", port: 8_080 });
    }
  }

  /** Half-open for long, both at once the first, an address of two, an entry that comes late. */
  #oddities([ann, bob, cid, dan, eve]: readonly Host[]): void {
    if (!ann || !bob || !cid || !dan || !eve) return;
    this.#half({ from: ann, to: bob, atMs: 50_000 }, "initiator", 70_00, false);
    this.#connect({ from: bob, to: cid, atMs: 40_000, durationMs: 600_000, accountAfterMs: 5_000 });
    const both = { atMs: 90_000, port: 179, fromPort: 179, durationMs: 100 };
    this.#connect({ ...both, from: ann, to: dan, lacks: "responder" });
    this.#connect({ ...both, from: dan, to: ann, lacks: "responder" });
    this.#at(cid, 200_000, (atMs) => this.#claim(cid, atMs, [cid.ip, eve.ip]));
    this.#at(cid, 260_000, (atMs) => this.#claim(cid, atMs, [cid.ip]));
    this.#at(dan, 310_000, (atMs) => this.#claim(dan, atMs, [dan.ip, "192.0.2.4"]));
    for (let count = 0; count < 4; count++) {
      const late: Connection = {
        from: ann,
        to: eve,
        atMs: 100_000 + count * 30_000,
        fromPort: this.#port++,
      };
      this.#half(late, "initiator", late.fromPort ?? 0);
      const dated = { ...late, atMs: late.atMs };
      this.#at(eve, late.atMs + 70_000, () =>
        this.#emitHalf(eve, dated, "responder", START_MS + dated.atMs + eve.offsetMs),
      );
    }
  }

  /** What the interfaces carried: as much as the connections, or hardly anything. */
  #readInterfaces(hosts: readonly Host[]): void {
    for (const [number, host] of hosts.entries()) {
      for (let minute = 1; minute * 60_000 < this.#size.lengthMs - 10_000; minute++) {
        const bytes = minute * (number % 2 === 0 ? 10_000_000 : 1_000);
        const counts = {
          receivedBytes: 2e9 + bytes,
          sentBytes: 0,
          receivedPackets: 0,
          sentPackets: 0,
        };
        const interfaces = [{ index: 2, name: "eth0", claimed: true, ...counts }];
        this.#at(host, minute * 60_000, (atMs) =>
          host.node.emit({ kind: "totals", atMs, interfaces }),
        );
      }
    }
  }

  #restart(host: Host): void {
    const fromMs = this.#random.integer(100_000, 200_000);
    const toMs = fromMs + this.#random.integer(3_000, 25_000);
    host.down.push([fromMs, toMs]);
    const isProper = this.#random.chance();
    if (isProper)
      this.#at(host, fromMs - 1, (atMs) =>
        host.node.emit({ kind: "stop", atMs, reason: "restart" }),
      );
    this.#at(host, toMs + 1, (atMs) => {
      const gap = { fromMs: atMs - (toMs - fromMs), toMs: atMs };
      if (!isProper) host.node.emit({ kind: "gap", atMs, cause: "restart", count: null, ...gap });
      host.node.emit({ kind: "start", atMs, facts: { bootId: host.node.name } });
    });
  }

  #optOut(host: Host): void {
    const fromMs = this.#random.integer(100_000, 200_000);
    host.down.push([fromMs, fromMs + 120_000]);
    this.#at(host, fromMs - 1, (atMs) => host.node.emit({ kind: "opt_out", atMs, origin: "flag" }));
    this.#at(host, fromMs + 120_001, (atMs) => {
      host.node.emit({ kind: "resume", atMs });
      host.node.emit({ kind: "start", atMs, facts: { bootId: host.node.name } });
    });
  }

  #step(host: Host): void {
    const byMs = this.#random.pick([-6_000, 4_000, 25_000]);
    host.todo.push({
      atMs: this.#random.integer(100_000, 300_000),
      emit: () => (host.offsetMs += byMs),
    });
  }

  /** The kernel dropped events, and the node says so. */
  #lose(hosts: readonly Host[]): void {
    for (const host of hosts) {
      const fromMs = this.#random.integer(50_000, this.#size.busyMs);
      const toMs = fromMs + this.#random.integer(2_000, 9_000);
      const inGap = host.todo.filter((one) => one.atMs >= fromMs && one.atMs <= toMs);
      host.todo = host.todo.filter((one) => !inGap.includes(one));
      this.#at(host, toMs + 1, (atMs) => {
        const interval = { fromMs: atMs - (toMs - fromMs), toMs: atMs };
        host.node.emit({ kind: "gap", atMs, cause: "overflow", count: inGap.length, ...interval });
      });
    }
  }

  #connect(what: Connection): void {
    const port = what.fromPort ?? this.#port++;
    const isRefused = what.state === "REJ" || what.state === "S0";
    if (what.lacks !== "initiator") this.#half(what, "initiator", port);
    if (what.lacks !== "responder" && !isRefused) this.#half(what, "responder", port);
    if (what.router !== undefined) this.#half(what, "forwarder", port);
  }

  #half(what: Connection, role: Role, port: number, ends = true): void {
    const host =
      role === "initiator" ? what.from : role === "responder" ? what.to : what.router?.host;
    if (host === undefined) return;
    const lateMs = role === "responder" ? (what.lateMs ?? 0) + this.#random.integer(0, 30) : 0;
    const openMs = what.atMs + lateMs;
    let openSeq: number | undefined;
    this.#at(
      host,
      openMs,
      (atMs) => (openSeq = host.node.emit(this.#open(what, role, port, atMs))),
    );
    if (!ends) return;
    const durationMs = what.durationMs ?? 40;
    const bytes =
      role === "responder" ? (what.receivedBytes ?? what.bytes ?? 500) : (what.bytes ?? 500);
    const amend = (kind: "update" | "close" | "account", ageMs: number, waitMs: number): void =>
      this.#at(host, openMs + ageMs + waitMs, (atMs) => {
        if (openSeq === undefined) return;
        const counters = {
          initiatorPackets: 5,
          initiatorBytes: bytes,
          responderPackets: what.state === "S0" ? 0 : 4,
          responderBytes: bytes * 2,
        };
        const amended = {
          atMs: atMs - waitMs,
          openSeq,
          ageMs,
          state: what.state ?? "SF",
          assured: true,
        } as const;
        if (kind === "close") host.node.emit({ kind, ...amended, inferred: false });
        else host.node.emit({ kind, ...amended, counters });
      });
    for (let ageMs = 300_000; ageMs < durationMs; ageMs += 300_000) amend("update", ageMs, 0);
    amend("close", durationMs, 0);
    amend("account", durationMs, (what.accountAfterMs ?? 0) + 1);
  }

  #emitHalf(host: Host, what: Connection, role: Role, atMs: number): void {
    const openSeq = host.node.emit(this.#open(what, role, what.fromPort ?? 0, atMs));
    const counters = {
      initiatorPackets: 5,
      initiatorBytes: 500,
      responderPackets: 4,
      responderBytes: 1_000,
    };
    const ending = { atMs: atMs + 40, openSeq, ageMs: 40, state: "SF", assured: true } as const;
    host.node.emit({ kind: "close", ...ending, inferred: false });
    host.node.emit({ kind: "account", ...ending, counters });
  }

  #open(what: Connection, role: Role, port: number, atMs: number): OpenEntry {
    const tuple: Tuple = {
      protocol: what.protocol ?? 6,
      initiatorIp: what.from.ip,
      initiatorPort: port,
      responderIp: what.to.ip,
      responderPort: what.port ?? 443,
    };
    const translated: Tuple = {
      ...tuple,
      initiatorIp: what.router?.host.ip ?? "",
      initiatorPort: port + 20_000,
    };
    const isTranslated = what.router?.translates === true;
    if (role === "responder" && isTranslated)
      return { kind: "open", atMs, role, tuple: translated, pickup: false };
    if (role === "forwarder" && isTranslated) {
      const reply = {
        sourceIp: translated.responderIp,
        sourcePort: translated.responderPort,
        destinationIp: translated.initiatorIp,
        destinationPort: translated.initiatorPort,
      };
      return { kind: "open", atMs, role, tuple, pickup: false, reply };
    }
    if (what.pickup !== role) return { kind: "open", atMs, role, tuple, pickup: false };
    // Whoever is picked up is oriented by who spoke next: here, the wrong way round.
    const swapped: Tuple = {
      protocol: tuple.protocol,
      initiatorIp: tuple.responderIp,
      initiatorPort: tuple.responderPort,
      responderIp: tuple.initiatorIp,
      responderPort: tuple.initiatorPort,
    };
    const other = role === "initiator" ? "responder" : "initiator";
    return { kind: "open", atMs, role: other, tuple: swapped, pickup: true };
  }

  /** Seals what the host recorded, every few seconds, and brings it to the server. */
  #send(host: Host): void {
    const { node } = host;
    const random = this.#random.fork();
    const todo = host.todo.toSorted((a, b) => a.atMs - b.atMs);
    const bootAtMs = 1_700_000_000_000;
    const trueOffsetMs = host.offsetMs;
    const rollMs = node.name === "roller" ? random.integer(150_000, 250_000) : Infinity;
    let [arrivedMs, hasRolled, hasSkipped, begun] = [0, false, false, false];
    const deliver = (frame: Uint8Array, atMs: number): void => {
      const away = host.away.find(([fromMs, toMs]) => atMs >= fromMs && atMs < toMs);
      const sentMs = away === undefined ? atMs : away[1] + random.integer(0, 400);
      arrivedMs = Math.max(arrivedMs + 1, sentMs + random.integer(2, 60));
      this.#records.push({ nodeId: node.id, frame, receivedMs: START_MS + arrivedMs });
    };
    for (
      let atMs = 1_000 + random.below(4_000);
      atMs < this.#size.lengthMs - 1_000;
      atMs += random.integer(...this.#size.batchMs)
    ) {
      for (let next = todo[0]; next !== undefined && next.atMs <= atMs; next = todo[0]) {
        todo.shift();
        const isDown = host.down.some(([fromMs, toMs]) => next.atMs >= fromMs && next.atMs <= toMs);
        if (!isDown) next.emit();
      }
      if (node.pending > 0) begun = true;
      if (
        !begun ||
        host.down.some(([fromMs, toMs]) => atMs >= fromMs && atMs <= toMs && node.pending === 0)
      )
        continue;
      node.atMs = START_MS + atMs + host.offsetMs;
      if (atMs > rollMs && !hasRolled && node.pending === 0) {
        hasRolled = true;
        deliver(node.nextEpoch().frame, atMs);
        continue;
      }
      if (node.name === "bob" && node.batchNo >= 20 && node.pending === 0 && !hasSkipped) {
        hasSkipped = true;
        node.nextSeq += 7;
      }
      const stepMs = host.offsetMs - trueOffsetMs;
      deliver(node.seal(node.atMs, { bootAtMs: bootAtMs + stepMs }), atMs);
    }
  }
}
