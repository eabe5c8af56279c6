/** Talkers on the hosts of a lab, and an account of everything that they did. */
import { fileURLToPath } from "node:url";
import type { Child } from "../../demo/child.ts";
import { connectionKey } from "./connection-key.ts";
import { ipv6Of } from "./addresses.ts";
import type { Host, MeshLab } from "./mesh-lab.ts";
import { TALK_PORT, type Talked } from "./talker.ts";

/** One connection that was made, as the server should tell it. */
export interface Talk {
  readonly protocol: "tcp" | "udp";
  readonly from: Host;
  readonly to: Host;
  readonly openedMs: number;
  readonly closedMs: number;
  readonly key: string;
}

export interface Wish {
  readonly do: "tcp" | "udp";
  readonly from: Host;
  readonly to: Host;
  readonly over?: "ipv4" | "ipv6";
  readonly bytes?: number;
  /** TCP: until it is ended. */
  readonly hold?: boolean;
}

/** A connection that stands. */
export interface Begun {
  readonly key: string;
  readonly openedMs: number;
  readonly over: Promise<Talk>;
  /** Ends it where it is held. */
  end(): void;
}

const TALKER = fileURLToPath(new URL("talker.ts", import.meta.url));
/** Below the ports that the kernel gives out by itself. */
const FIRST_PORT = 12_000;

export class Talks {
  /** Those that are over. */
  readonly done: Talk[] = [];
  readonly #talkers: ReadonlyMap<string, Child>;
  #nextId = 0;

  private constructor(talkers: ReadonlyMap<string, Child>) {
    this.#talkers = talkers;
  }

  static async open(lab: MeshLab): Promise<Talks> {
    const talkers = new Map<string, Child>();
    const ready = lab.hosts.map((host) => {
      const talker = lab.start(host, `talker of ${host.name}`, [process.execPath, TALKER]);
      talkers.set(host.name, talker);
      return talker.line((line) => line["ready"] === true);
    });
    await Promise.all(ready);
    return new Talks(talkers);
  }

  /** Resolves when the connection stands. */
  async begin(wish: Wish): Promise<Begun> {
    const id = this.#nextId++;
    const to = wish.over === "ipv6" ? ipv6Of(wish.to) : wish.to.ip;
    const from = wish.over === "ipv6" ? ipv6Of(wish.from) : wish.from.ip;
    const fromPort = FIRST_PORT + id;
    const talker = this.#talkers.get(wish.from.name);
    if (talker === undefined) throw new Error(`nobody talks on ${wish.from.name}`);
    const opened = talker.line((line) => line["id"] === id && line["event"] !== "closed");
    const closed = talker.line((line) => line["id"] === id && line["event"] !== "opened");
    const { do: what, bytes, hold } = wish;
    talker.send({ id, do: what, to, fromPort, bytes, hold });
    const openedMs = successful(await opened).atMs;
    const key = connectionKey({
      proto: what,
      initiator_ip: from,
      initiator_port: fromPort,
      responder_ip: to,
      responder_port: TALK_PORT,
    });
    const base = { protocol: what, from: wish.from, to: wish.to, openedMs, key };
    const over = closed.then((line) => this.#note({ ...base, closedMs: successful(line).atMs }));
    return { key, openedMs, over, end: () => talker.send({ id, do: "end" }) };
  }

  /** Resolves when it is over. */
  async talk(wish: Wish): Promise<Talk> {
    return (await this.begin(wish)).over;
  }

  #note(talk: Talk): Talk {
    this.done.push(talk);
    return talk;
  }
}

function successful(line: object): Talked {
  const talked = line as Talked;
  if (talked.event === "failed") throw new Error(`a talker failed: ${talked.error}`);
  return talked;
}
