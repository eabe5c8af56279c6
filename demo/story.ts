/**
 * What happens in the demo: an honest half minute, then three hosts are tampered with. Every
 * connection that is made is written down with what should be said of it, from outside.
 */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Done, Order } from "./host.ts";
import { PORTS } from "./host.ts";
import type { Lie } from "./lying-agent.ts";
import type { Machines } from "./machines.ts";
import { inside, sweep, type Host } from "../test/lab/namespaces.ts";

/** A connection that the demo made, and the verdict that is right for it. */
export interface Made {
  readonly protocol: "tcp" | "udp";
  readonly from: Host;
  readonly to: Host;
  readonly sourcePort: number;
  readonly port: number;
  readonly what: string;
  readonly expected: "matched" | "unanswered" | "missing" | "differs";
}

export type Say = (line: string) => void;

const HONEST_ROUNDS = 4;
const TAMPERED_PAGES = 5;

export class Story {
  readonly made: Made[] = [];
  readonly #machines: Machines;
  readonly #say: Say;

  constructor(machines: Machines, say: Say) {
    this.#machines = machines;
    this.#say = say;
  }

  /** Everybody talks to everybody, and nobody lies. */
  async honest(): Promise<void> {
    const { hosts } = this.#machines;
    this.#say("Honest traffic: pages, name questions, a refused port, a silent port, a login");
    for (let round = 0; round < HONEST_ROUNDS; round++) {
      for (const from of hosts) {
        const others = hosts.filter((host) => host !== from);
        const all = others.flatMap((to) => [
          this.#page(from, to, "matched"),
          this.#act({ do: "udp", from, to, expected: "matched" }),
        ]);
        await Promise.all(all);
      }
    }
    const [alice, bob, carol] = hosts;
    if (alice === undefined || bob === undefined || carol === undefined) return;
    // A closed port answers with a reset after its kernel took the packet in: both ends have a record.
    await this.#act({ do: "refused", from: alice, to: carol, expected: "matched" });
    await inside(
      bob,
      "nft",
      `add table inet demo; add chain inet demo silent { type filter hook prerouting priority -400; }; add rule inet demo silent tcp dport ${PORTS.silent} drop`,
    );
    await this.#act({ do: "silent", from: alice, to: bob, expected: "unanswered" });
    const login = await this.#machines.login(alice, bob);
    if (login !== undefined) this.#note("tcp", alice, bob, login, 22, "ssh login", "matched");
  }

  /** Carol's root leaves out what concerns alice, before it is signed. */
  async forget(): Promise<void> {
    const [alice, bob, carol] = this.#machines.hosts;
    if (alice === undefined || bob === undefined || carol === undefined) return;
    this.#say("carol forgets what she did with alice");
    await this.#lie(carol, { lie: "forget", peer: alice.ip });
    for (let page = 0; page < TAMPERED_PAGES; page++) {
      await this.#page(alice, carol, "missing");
      await this.#page(carol, alice, "missing");
      await this.#page(bob, carol, "matched");
    }
    await this.#lie(carol, { lie: "forget", peer: alice.ip }, 2 * TAMPERED_PAGES);
    await this.#lie(carol, { lie: "none" });
  }

  /** Dave's root reports other byte counts for what he fetched from bob. */
  async alter(): Promise<void> {
    const [, bob, , dave] = this.#machines.hosts;
    if (bob === undefined || dave === undefined) return;
    this.#say("dave reports other byte counts for what passed between him and bob");
    await this.#lie(dave, { lie: "alter", peer: bob.ip });
    for (let page = 0; page < TAMPERED_PAGES; page++) {
      await this.#page(dave, bob, "differs", 20_000);
      await this.#page(dave, this.#machines.host("alice"), "matched");
    }
    await this.#lie(dave, { lie: "alter", peer: bob.ip }, TAMPERED_PAGES);
    // The final counters follow the end: the lie has to last until they are told.
    await this.#forgotten(dave);
    await this.#lie(dave, { lie: "none" });
  }

  /** Erin is cut off; what she recorded meanwhile is deleted before it could be sent. */
  async lose(): Promise<void> {
    const { hosts } = this.#machines;
    const erin = this.#machines.host("erin");
    const alice = this.#machines.host("alice");
    this.#say("erin is cut off, and her spool is deleted before she can send it");
    await inside(
      erin,
      "nft",
      "add table inet cut; add chain inet cut out { type filter hook output priority 0; }; add rule inet cut out tcp dport 8255 reject with tcp reset",
    );
    for (let page = 0; page < TAMPERED_PAGES; page++) {
      await this.#page(alice, erin, "missing");
      await this.#page(erin, hosts[1] ?? alice, "missing");
    }
    await this.#forgotten(erin);
    await this.#machines.killAgent(erin);
    await rm(join(this.#machines.stateOf(erin), "spool"), { recursive: true, force: true });
    await inside(erin, "nft", "delete table inet cut");
    await this.#machines.startAgent(erin);
  }

  /** Until the kernel has no trace of the host's web traffic left, so that a later dump cannot show it. */
  async #forgotten(host: Host): Promise<void> {
    for (;;) {
      await sweep(host);
      const left = await inside(
        host,
        "conntrack",
        "-L",
        "-p",
        "tcp",
        "--dport",
        String(PORTS.http),
      ).catch(() => "");
      if (left.trim() === "") return;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  /** Orders a lie and waits until the agent has told it about `times` connections: it sees them a little later than they happen. */
  async #lie(host: Host, lie: Lie, times = 0): Promise<void> {
    const agent = this.#machines.agentOf(host);
    for (;;) {
      const answer = agent.line((line) => line["lying"] === true);
      agent.send(lie);
      if (Number((await answer)["told"]) >= times) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  #page(from: Host, to: Host, expected: Made["expected"], bytes = 2_000): Promise<void> {
    return this.#act({ do: "http", from, to, bytes, expected });
  }

  async #act(
    what: Omit<Order, "id" | "to"> & { from: Host; to: Host; expected: Made["expected"] },
  ): Promise<void> {
    const { from, to, expected } = what;
    const person = this.#machines.personOn(from);
    const id = randomUUID();
    const answer = person.line((line) => line["id"] === id);
    person.send({ ...what, from: undefined, id, to: to.ip });
    const done = (await answer) as unknown as Done;
    const port = what.do === "http" ? PORTS.http : PORTS[what.do];
    this.#note(
      what.do === "udp" ? "udp" : "tcp",
      from,
      to,
      done.port,
      port,
      `${what.do} ${done.outcome}`,
      expected,
    );
  }

  #note(
    protocol: Made["protocol"],
    from: Host,
    to: Host,
    sourcePort: number,
    port: number,
    what: string,
    expected: Made["expected"],
  ): void {
    this.made.push({ protocol, from, to, sourcePort, port, what, expected });
  }
}
