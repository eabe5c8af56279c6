/**
 * The kernel's own counters of each connection that ended on a host, read by a process that has
 * nothing to do with the agent.
 */
import { createInterface } from "node:readline";
import type { Child } from "../../demo/child.ts";
import { KernelDrops } from "../../src/agent/observe/kernel-drops.ts";
import { canonicalAddress } from "../../src/format/address.ts";
import { connectionKey } from "./connection-key.ts";
import { enlargeEventBuffer } from "./event-buffer.ts";
import type { Host, MeshLab } from "./mesh-lab.ts";
import { until } from "./until.ts";

/** Packets and bytes of the initiator, then of the responder. */
export type Counted = readonly [number, number, number, number];

export class KernelEnds {
  readonly ends = new Map<string, Counted>();

  private constructor(child: Child) {
    const { stdout } = child.process;
    if (stdout !== null) createInterface({ input: stdout }).on("line", (line) => this.#take(line));
  }

  static async watch(lab: MeshLab, host: Host): Promise<KernelEnds> {
    using _buffer = enlargeEventBuffer();
    const command = ["conntrack", "-E", "-e", "DESTROY", "-o", "id"];
    const child = lab.start(host, `watch on ${host.name}`, command);
    const kernelEnds = new KernelEnds(child);
    const drops = new KernelDrops(child.process.pid ?? -1);
    await until(`ends are watched on ${host.name}`, () => drops.isListening);
    return kernelEnds;
  }

  #take(line: string): void {
    const [, proto] = /\] (?:ipv[46]\s+\d+\s+)?(tcp|udp)\s/.exec(line) ?? [];
    const all = (name: string): string[] =>
      [...line.matchAll(new RegExp(` ${name}=(\\S+)`, "g"))].map(([, value]) => value ?? "");
    const [from = "", to = ""] = [all("src")[0], all("dst")[0]];
    if (proto === undefined || from.startsWith("127.")) return;
    const [packets, bytes] = [all("packets").map(Number), all("bytes").map(Number)];
    const key = connectionKey({
      proto,
      initiator_ip: canonicalAddress(from),
      initiator_port: Number(all("sport")[0]),
      responder_ip: canonicalAddress(to),
      responder_port: Number(all("dport")[0]),
    });
    this.ends.set(key, [packets[0] ?? -1, bytes[0] ?? -1, packets[1] ?? -1, bytes[1] ?? -1]);
  }
}
